import { z } from "zod";
import type { IncomingHook, Receipt, ReceiptReading } from "../../ports/delivery.ts";
import { parseJsonBytes } from "../json.ts";
import { forged, formFields, HOOK_LIMIT_BYTES, saysJson } from "../providers/receipt-hook.ts";
import { statedTimeMs } from "../stated-time.ts";
import { isSignedByTwilio } from "./twilio-signature.ts";

/**
 * What a state of a message means; states before the message has left Twilio, and those of inbound messages, say nothing.
 * @see https://www.twilio.com/docs/messaging/guides/outbound-message-status-in-status-callbacks
 */
const MESSAGE_STATES = new Map<string, Receipt["status"]>([
  ["sent", "sent"],
  ["delivered", "delivered"],
  ["read", "delivered"],
  ["undelivered", "undelivered"],
  ["failed", "undelivered"],
  ["canceled", "undelivered"],
]);

/**
 * What a state of a call means. A completed call was answered, if only by a mailbox.
 * @see https://www.twilio.com/docs/voice/api/call-resource#call-status-values
 */
const CALL_STATES = new Map<string, Receipt["status"]>([
  ["in-progress", "sent"],
  ["completed", "delivered"],
  ["busy", "undelivered"],
  ["failed", "undelivered"],
  ["no-answer", "undelivered"],
  ["canceled", "undelivered"],
]);

const text = z.string().optional().catch(undefined);

const callbackSchema = z.object({
  MessageSid: text,
  MessageStatus: text,
  ErrorCode: text,
  CallSid: text,
  CallStatus: text,
  Timestamp: text,
});

/** Reads a status callback of Twilio about a message or a call, with its signature. It states no price. */
export async function readTwilioReceipt(
  hook: IncomingHook,
  authTokens: readonly string[],
): Promise<ReceiptReading> {
  if (hook.method !== "POST") return forged("no POST");
  if (hook.body.byteLength > HOOK_LIMIT_BYTES) return forged("too long");
  const isJson = saysJson(hook);
  const fields = isJson ? new URLSearchParams() : formFields(hook);
  // The form is part of what is signed; JSON is vouched for by its hash in the URL, and by nothing without it.
  if (isJson && !new URL(hook.url).searchParams.has("bodySHA256")) return forged("JSON without its hash");
  if (!(await isSignedByTwilio(hook, fields, authTokens))) return forged("signature missing or wrong");

  const callback = callbackSchema.safeParse(isJson ? parseJsonBytes(hook.body) : Object.fromEntries(fields));
  if (!callback.success) return forged("no status callback");
  const {
    MessageSid,
    MessageStatus = "",
    ErrorCode = "",
    CallSid,
    CallStatus = "",
    Timestamp,
  } = callback.data;
  const message = MESSAGE_STATES.get(MessageStatus);
  if (MessageSid && message) {
    const errorCode = /^\d{1,6}$/.test(ErrorCode) ? ErrorCode : null;
    return receipt({ messageId: MessageSid, status: message, errorCode, costMicros: null, atMs: null });
  }
  const call = CALL_STATES.get(CallStatus);
  if (CallSid && call) {
    const errorCode = call === "undelivered" ? CallStatus : null;
    return receipt({
      messageId: CallSid,
      status: call,
      errorCode,
      costMicros: null,
      atMs: statedTimeMs(Timestamp),
    });
  }
  return { kind: "ignored" };
}

const receipt = (only: Receipt): ReceiptReading => ({ kind: "receipts", receipts: [only] });
