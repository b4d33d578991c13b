import { decodeJwt, jwtVerify } from "jose";
import * as z from "zod";
import { sameDigest } from "../../domain/kernel/digest.ts";
import { HOUR_SECONDS } from "../../domain/kernel/time.ts";
import type { IncomingHook } from "../../ports/delivery.ts";
import { sha256Hex, toHex } from "../digest.ts";

export interface SignatureSecret {
  /** The account that the secret belongs to. */
  apiKey: string;
  secret: string;
}

/**
 * How an account signs webhooks of the SMS API. `md5hash` is a plain hash behind a secret and `md5` an HMAC; both need a
 * runtime whose WebCrypto has MD5, as workerd has and Node has not.
 */
export type SmsSignatureMethod = "md5hash" | "md5" | "sha1" | "sha256" | "sha512";

const HASHES = { md5: "MD5", sha1: "SHA-1", sha256: "SHA-256", sha512: "SHA-512" } as const;

/**
 * What was signed longer ago is refused. A failed webhook is tried again for a while, perhaps with the signature it had;
 * an honest one that is older comes after its session has ended.
 */
const MAX_AGE_SECONDS = HOUR_SECONDS;

/** The tolerance between the two clocks. */
const CLOCK_SKEW_SECONDS = 60;

const utf8 = new TextEncoder();

/** The reason why a token was not signed with this secret, by Vonage and lately; null if it was. */
export async function tokenFault(token: string, secret: string, nowMs: number): Promise<string | null> {
  try {
    await jwtVerify(token, utf8.encode(secret), {
      algorithms: ["HS256"],
      issuer: "Vonage",
      requiredClaims: ["iat", "payload_hash"],
      maxTokenAge: MAX_AGE_SECONDS,
      clockTolerance: CLOCK_SKEW_SECONDS,
      currentDate: new Date(nowMs),
    });
    return null;
  } catch (error) {
    const code: unknown = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ERR_JWT_CLAIM_VALIDATION_FAILED" || code === "ERR_JWT_EXPIRED"
      ? "token too old or with wrong claims"
      : "token signature wrong";
  }
}

const claimsSchema = z.object({ api_key: z.string(), payload_hash: z.string() });

/**
 * Why a webhook of the Messages or Voice API is not genuine; null if it is. The token is signed with the secret of the
 * account it names, and vouches for the raw body by its hash.
 *
 * @see https://developer.vonage.com/en/getting-started/concepts/webhooks#decoding-signed-webhooks
 */
export async function signedWebhookFault(
  hook: IncomingHook,
  secrets: readonly SignatureSecret[],
  nowMs: number,
): Promise<string | null> {
  const token = (hook.headers.get("authorization") ?? "").replace(/^Bearer\s+/i, "");
  const claims = readClaims(token);
  if (!claims) return "no token";
  const ofAccount = secrets.filter(({ apiKey }) => apiKey === claims.api_key);
  let fault: string | null = "token of an unknown account";
  for (const { secret } of ofAccount) {
    fault = await tokenFault(token, secret, nowMs);
    if (fault === null) break;
  }
  if (fault !== null) return fault;
  const same = sameDigest(await sha256Hex(hook.body), claims.payload_hash.toLowerCase());
  return same ? null : "token of another body";
}

function readClaims(token: string): z.infer<typeof claimsSchema> | null {
  try {
    return claimsSchema.parse(decodeJwt(token));
  } catch {
    return null;
  }
}

/**
 * Why the parameters of an SMS API webhook are not genuine; null if they are: `sig` over all others in order of their
 * names, `&` and `=` in values replaced, with a time among them.
 *
 * @see https://developer.vonage.com/en/getting-started/concepts/signing-messages
 */
export async function smsSignatureFault(
  params: Readonly<Record<string, string>>,
  secrets: readonly SignatureSecret[],
  method: SmsSignatureMethod,
  nowMs: number,
): Promise<string | null> {
  const { sig, ...signed } = params;
  if (sig === undefined) return "no signature";
  const ageSeconds = nowMs / 1000 - Number(signed.timestamp ?? "");
  const names = Object.keys(signed).sort();
  const text = names.map((name) => `&${name}=${signed[name]?.replace(/[&=]/g, "_")}`).join("");
  const account = signed["api-key"];
  for (const { apiKey, secret } of secrets) {
    if (account !== undefined && account !== apiKey) continue;
    if (!sameDigest(await smsDigest(text, secret, method), sig.toLowerCase())) continue;
    const fresh = ageSeconds <= MAX_AGE_SECONDS && ageSeconds >= -CLOCK_SKEW_SECONDS;
    return fresh ? null : "signature too old";
  }
  return "signature wrong";
}

async function smsDigest(text: string, secret: string, method: SmsSignatureMethod): Promise<string> {
  if (method === "md5hash") return toHex(await crypto.subtle.digest("MD5", utf8.encode(text + secret)));
  const algorithm = { name: "HMAC", hash: HASHES[method] };
  const key = await crypto.subtle.importKey("raw", utf8.encode(secret), algorithm, false, ["sign"]);
  return toHex(await crypto.subtle.sign("HMAC", key, utf8.encode(text)));
}
