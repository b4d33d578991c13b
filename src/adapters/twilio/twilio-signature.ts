import { sameDigest } from "../../domain/kernel/digest.ts";
import type { IncomingHook } from "../../ports/delivery.ts";
import { sha256Hex } from "../digest.ts";

const utf8 = new TextEncoder();

/**
 * Checks `X-Twilio-Signature`: base64 of HMAC-SHA1 over the URL and the sorted form fields. A URL with `bodySHA256` is
 * signed alone and vouches for the body by that hash. Twilio signs neither a time nor a number used once.
 *
 * @param authTokens of the account; while they are rotated, two
 * @see https://www.twilio.com/docs/usage/security#validating-requests
 */
export async function isSignedByTwilio(
  hook: IncomingHook,
  fields: URLSearchParams,
  authTokens: readonly string[],
): Promise<boolean> {
  const signature = hook.headers.get("x-twilio-signature") ?? "";
  const bodyHash = new URL(hook.url).searchParams.get("bodySHA256");
  if (bodyHash !== null && !sameDigest(await sha256Hex(hook.body), bodyHash.toLowerCase())) return false;
  const suffix = bodyHash === null ? sortedFields(fields) : "";
  // Some of Twilio signs the URL as it was given, some as a parser writes it.
  const asGiven = [hook.url, new URL(hook.url).href];
  const urls = new Set(asGiven.flatMap((url) => [withoutPort(url), withPort(url)]));
  for (const token of authTokens) {
    for (const url of urls) {
      if (sameDigest(await sign(token, url + suffix), signature)) return true;
    }
  }
  return false;
}

async function sign(authToken: string, text: string): Promise<string> {
  const algorithm = { name: "HMAC", hash: "SHA-1" };
  const key = await crypto.subtle.importKey("raw", utf8.encode(authToken), algorithm, false, ["sign"]);
  const mac = await crypto.subtle.sign("HMAC", key, utf8.encode(text));
  return btoa(String.fromCharCode(...new Uint8Array(mac)));
}

/** Names in order, each before each of its distinct values in order. */
function sortedFields(fields: URLSearchParams): string {
  const names = [...new Set(fields.keys())].sort();
  return names
    .flatMap((name) => [...new Set(fields.getAll(name))].sort().map((value) => name + value))
    .join("");
}

/** Scheme, user, host, port and the rest, uninterpreted: `URL` would re-encode what was signed. */
const PARTS = /^(https?:\/\/)([^/?#]*@)?(\[[^\]]*\]|[^/?#:]*)(:\d+)?(.*)$/s;

// Twilio leaves the port out of what it signs, or puts the standard one in, by product.
const withoutPort = (url: string): string => url.replace(PARTS, "$1$2$3$5");

const withPort = (url: string): string =>
  url.replace(PARTS, (_, scheme: string, user = "", host = "", port = "", rest = "") => {
    const standard = scheme === "https://" ? ":443" : ":80";
    return `${scheme}${user}${host}${port || standard}${rest}`;
  });
