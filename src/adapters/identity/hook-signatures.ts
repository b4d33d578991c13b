import { Webhook } from "standardwebhooks";
import type { HookSystem } from "../../domain/access/hook-system.ts";
import { sameDigest } from "../../domain/kernel/digest.ts";
import type { HookCall, HookSignatures } from "../../ports/hooks.ts";
import { sha256Hex, toHex } from "../digest.ts";

/** Age and clock difference that a signed call may have, as Standard Webhooks has it. */
const TOLERANCE_SECONDS = 300;

const utf8 = new TextEncoder();

/** The secrets of a system; empty where nobody set one. */
type HookSecrets = Readonly<Record<HookSystem, readonly string[]>>;

/** Checks hooks' calls; several secrets hold at once while one is rotated. */
export function hookSignatures(secrets: HookSecrets, nowMs: () => number): HookSignatures {
  return {
    async check(system, call) {
      if (secrets[system].length === 0) return "unset";
      for (const secret of secrets[system]) {
        if (await CHECKS[system](call, secret, nowMs())) return "genuine";
      }
      return "forged";
    },
  };
}

type Check = (call: HookCall, secret: string, nowMs: number) => Promise<boolean>;

const CHECKS: Record<HookSystem, Check> = {
  // Standard Webhooks; several signatures are joined by commas and spaces. The library reads this machine's clock.
  async supabase({ headers, body }, secret) {
    try {
      const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(body);
      new Webhook(secret).verify(text, Object.fromEntries(headers), { jsonParse: false });
      return true;
    } catch {
      return false;
    }
  },

  logto: ({ headers }, secret) => isToken(headers.get("authorization"), secret),

  async authgear({ headers, body }, secret) {
    return sameDigest(
      await hmacHex(secret, body),
      (headers.get("x-authgear-body-signature") ?? "").toLowerCase(),
    );
  },

  // `t=<seconds>,v1=<hex of HMAC-SHA-256 over "<seconds>.<body>">`, several v1 while a key is rotated.
  async zitadel({ headers, body }, secret, nowMs) {
    const parts = (headers.get("zitadel-signature") ?? "").split(",").map((part) => part.trim().split("="));
    const time = parts.find(([name]) => name === "t")?.[1] ?? "";
    if (!/^[0-9]{1,12}$/.test(time) || Math.abs(nowMs / 1000 - Number(time)) > TOLERANCE_SECONDS)
      return false;
    const signed = new Uint8Array([...utf8.encode(`${time}.`), ...body]);
    const expected = await hmacHex(secret, signed);
    return parts.some(([name, value = ""]) => name === "v1" && sameDigest(expected, value.toLowerCase()));
  },

  // The token in a header of any name would need its name here: the plugin's default is this one, plain or as HTTP Basic.
  async keycloak({ headers }, secret) {
    const header = headers.get("authorization");
    const [, encoded] = /^Basic +([A-Za-z0-9+/=]{1,1024})$/i.exec(header ?? "") ?? [];
    if (encoded === undefined) return isToken(header, secret);
    try {
      const text = atob(encoded);
      return await isToken(text.slice(text.indexOf(":") + 1), secret);
    } catch {
      return false;
    }
  },
};

/** Compares hashes, whose length says nothing of the token's. */
async function isToken(header: string | null, secret: string): Promise<boolean> {
  const given = (header ?? "").replace(/^Bearer +/i, "");
  const [one, other] = await Promise.all([sha256Hex(utf8.encode(given)), sha256Hex(utf8.encode(secret))]);
  return sameDigest(one, other);
}

async function hmacHex(secret: string, bytes: Uint8Array): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
  return toHex(await crypto.subtle.sign("HMAC", key, bytes as Uint8Array<ArrayBuffer>));
}
