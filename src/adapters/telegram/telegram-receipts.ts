import * as z from "zod";
import { sameDigest } from "../../domain/kernel/digest.ts";
import type { HookReading, IncomingHook, Receipt } from "../../ports/delivery.ts";
import { toHex } from "../digest.ts";
import { parseJsonBytes } from "../json.ts";
import { forged, HOOK_LIMIT_BYTES } from "../providers/receipt-hook.ts";
import { telegramJudgement } from "./telegram-codes.ts";

/** @see https://core.telegram.org/gateway/api#deliverystatus */
const STATES = new Map<string, Receipt["status"]>([
  ["sent", "sent"],
  ["delivered", "delivered"],
  ["read", "delivered"],
  ["expired", "undelivered"],
  ["revoked", "undelivered"],
]);

const statusSchema = z.object({
  request_id: z.string().min(1).max(200),
  request_cost: z.number().optional().catch(undefined),
  is_refunded: z.boolean().optional().catch(undefined),
  payload: z.string().max(128).optional().catch(undefined),
  delivery_status: z.object({ status: z.string(), updated_at: z.number().optional().catch(undefined) }),
});

/** What was signed longer ago, or later than now, is refused. */
const MAX_AGE_SECONDS = 3600;
const CLOCK_SKEW_SECONDS = 60;

const utf8 = new TextEncoder();

/**
 * Reads a callback of the Telegram Gateway: `X-Request-Signature` is the HMAC-SHA256 in hexadecimal of the time in
 * `X-Request-Timestamp`, a line feed and the raw body, by the SHA-256 of the token as its key.
 *
 * @param options `tokens` in force, compared in constant time
 * @see https://core.telegram.org/gateway/api#checking-the-integrity-of-reports
 */
export async function readTelegramReceipt(
  hook: IncomingHook,
  options: { tokens: readonly string[]; currency: string },
  nowMs: number,
): Promise<HookReading> {
  if (hook.body.byteLength > HOOK_LIMIT_BYTES) return forged("too long");
  const timestamp = hook.headers.get("x-request-timestamp") ?? "";
  const given = (hook.headers.get("x-request-signature") ?? "").toLowerCase();
  if (!/^\d{1,12}$/.test(timestamp)) return forged("no timestamp");
  const expected = await Promise.all(options.tokens.map((token) => sign(token, timestamp, hook.body)));
  if (!expected.map((signature) => sameDigest(signature, given)).includes(true)) {
    return forged("signature missing or wrong");
  }
  const ageSeconds = nowMs / 1000 - Number(timestamp);
  if (ageSeconds > MAX_AGE_SECONDS || ageSeconds < -CLOCK_SKEW_SECONDS) return forged("signature too old");
  const { data } = statusSchema.safeParse(parseJsonBytes(hook.body));
  const status = data && STATES.get(data.delivery_status.status);
  if (!status) return { kind: "ignored" };
  const { status: state, updated_at: updatedAt } = data.delivery_status;
  const undelivered = status === "undelivered";
  const stated = options.currency === "USD" ? (data.request_cost ?? null) : null;
  return {
    kind: "receipts",
    receipts: [
      {
        messageId: data.request_id,
        status,
        errorCode: undelivered ? state : null,
        // A message that was not delivered within its life costs nothing.
        costMicros: data.is_refunded ? 0 : stated === null ? null : Math.round(stated * 1_000_000),
        atMs: updatedAt === undefined ? null : updatedAt * 1000,
        judgement: undelivered ? (telegramJudgement(state) ?? "not_this_route") : undefined,
        reference: data.payload,
      },
    ],
  };
}

async function sign(token: string, timestamp: string, body: Uint8Array): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", utf8.encode(token));
  const key = await crypto.subtle.importKey("raw", hash, { name: "HMAC", hash: "SHA-256" }, false, ["sign"]);
  const head = utf8.encode(`${timestamp}\n`);
  const text = new Uint8Array(head.byteLength + body.byteLength);
  text.set(head);
  text.set(body, head.byteLength);
  return toHex(await crypto.subtle.sign("HMAC", key, text));
}
