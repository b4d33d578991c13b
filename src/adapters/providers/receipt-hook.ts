import type { IncomingHook, ReceiptReading } from "../../ports/delivery.ts";

/** No receipt of any provider comes near this: what is longer is not read. */
export const HOOK_LIMIT_BYTES = 65_536;

export const forged = (cause: string): ReceiptReading => ({ kind: "forged", cause });

/** The fields of a form in their order. */
export const formFields = (hook: IncomingHook): URLSearchParams =>
  new URLSearchParams(new TextDecoder().decode(hook.body));

/** The body as JSON, whatever it holds; undefined where it is none. */
export function jsonBody(hook: IncomingHook): unknown {
  try {
    return JSON.parse(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(hook.body));
  } catch {
    return undefined;
  }
}

/** Whether the body is said to be JSON. */
export const saysJson = (hook: IncomingHook): boolean =>
  (hook.headers.get("content-type") ?? "").toLowerCase().startsWith("application/json");

/** SHA-256 of the raw body in hexadecimal, as signatures carry it. */
export async function bodySha256(hook: IncomingHook): Promise<string> {
  return toHex(await crypto.subtle.digest("SHA-256", hook.body as Uint8Array<ArrayBuffer>));
}

export const toHex = (bytes: ArrayBuffer): string =>
  [...new Uint8Array(bytes)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
