import { Webhook } from "standardwebhooks";
import * as z from "zod";
import type { HookReading, IncomingHook } from "../../ports/delivery.ts";
import { parseJson } from "../json.ts";
import { contractJudgement } from "./contract-codes.ts";
import { loggableErrorCode } from "./provider-http.ts";
import { forged, HOOK_LIMIT_BYTES } from "./receipt-hook.ts";

/**
 * The headers of a request signed by Standard Webhooks, with every secret, so that the other side may exchange its own at
 * any time.
 *
 * @param secrets `whsec_` and base64 each
 * @param id the same for every attempt to say the same thing
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signedHeaders(secrets: readonly string[], id: string, body: string): Record<string, string> {
  const now = new Date();
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, now, body)).join(" "),
  };
}

const receiptBody = z.object({
  type: z.literal("message.receipt"),
  message_id: z.string().min(1).max(200),
  status: z.enum(["sent", "delivered", "undelivered"]),
  error_code: z.unknown().optional(),
  judgement: z.string().optional().catch(undefined),
  cost_micros: z.int().min(0).nullish(),
  at: z.iso.datetime({ offset: true }).nullish(),
});

/**
 * Reads a receipt `{type: "message.receipt", message_id, status, error_code?, judgement?, cost_micros?, at?}` signed with any
 * of the secrets; `judgement` is a word of `contract-codes.ts`, and a failure without one may be tried again. The library holds the timestamp against this machine's clock, 300 s either way.
 */
export function readSignedReceipt(hook: IncomingHook, secrets: readonly string[]): HookReading {
  if (hook.body.byteLength > HOOK_LIMIT_BYTES) return forged("too long");
  const text = verifiedText(hook, secrets);
  if (text === null) return forged("no valid signature");
  const body = parseJson(text);
  if (typeof body === "object" && body !== null && "type" in body && body.type !== "message.receipt") {
    return { kind: "ignored" };
  }
  const parsed = receiptBody.safeParse(body);
  if (!parsed.success) return forged("signed, and no receipt");
  const { message_id: messageId, status, error_code, cost_micros: costMicros = null, at } = parsed.data;
  const judgement =
    status === "undelivered" ? (contractJudgement(parsed.data.judgement ?? null) ?? "unknown") : undefined;
  const atMs = at ? Date.parse(at) : null;
  return {
    kind: "receipts",
    receipts: [{ messageId, status, errorCode: loggableErrorCode(error_code), costMicros, atMs, judgement }],
  };
}

function verifiedText(hook: IncomingHook, secrets: readonly string[]): string | null {
  const headers = Object.fromEntries([...hook.headers]);
  try {
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(hook.body);
    return secrets.some((secret) => isSignedWith(secret, text, headers)) ? text : null;
  } catch {
    return null;
  }
}

function isSignedWith(secret: string, text: string, headers: Record<string, string>): boolean {
  try {
    new Webhook(secret).verify(text, headers, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}
