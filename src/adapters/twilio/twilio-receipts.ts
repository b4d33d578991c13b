import * as z from "zod";
import type { Judgement } from "../../domain/delivery/judgement.ts";
import type { HookReading, IncomingHook, Receipt } from "../../ports/delivery.ts";
import { parseJsonBytes } from "../json.ts";
import { forged, formFields, HOOK_LIMIT_BYTES, saysJson } from "../providers/receipt-hook.ts";
import { statedTimeMs } from "../stated-time.ts";
import { twilioJudgement } from "./twilio-codes.ts";
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
  /** Of a text that a person sent to us. */
  From: text,
  OptOutType: text,
});

/**
 * A text that the messaging service took for a wish to stop or to start again.
 * @see https://www.twilio.com/docs/messaging/tutorials/advanced-opt-out#identify-opt-out-keywords-in-inbound-messages
 */
const CONSENTS = new Map([
  ["STOP", false],
  ["START", true],
]);

/** The sender of a text or a WhatsApp message. */
const SENDER = /^(whatsapp:)?(\+[1-9]\d{6,14})$/;

/** Reads a status callback of Twilio about a message or a call, with its signature. It states no price. */
export async function readTwilioReceipt(
  hook: IncomingHook,
  authTokens: readonly string[],
): Promise<HookReading> {
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
    From = "",
    OptOutType = "",
  } = callback.data;
  const optedIn = CONSENTS.get(OptOutType);
  const [, whatsApp, from] = SENDER.exec(From) ?? [];
  if (optedIn !== undefined && from !== undefined) {
    return { kind: "consent", from, channel: whatsApp === undefined ? "sms" : "whatsapp", optedIn };
  }
  const message = MESSAGE_STATES.get(MessageStatus);
  if (MessageSid && message) {
    const errorCode = /^\d{1,6}$/.test(ErrorCode) ? ErrorCode : null;
    const judgement = message === "undelivered" ? undeliveredJudgement(errorCode) : undefined;
    return receipt({
      messageId: MessageSid,
      status: message,
      errorCode,
      costMicros: null,
      atMs: null,
      judgement,
    });
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
      judgement: call === "undelivered" ? callJudgement(CallStatus) : undefined,
    });
  }
  return { kind: "ignored" };
}

/** A failure without a code has no reason that speaks against another try; one with a code nobody knows may have. */
const undeliveredJudgement = (code: string | null): Judgement =>
  code === null ? "unknown" : (twilioJudgement(code) ?? "not_this_route");

/** A call that rang in vain may be repeated; one that could not be put through, or was ended by us, is not. */
const callJudgement = (state: string): Judgement =>
  state === "busy" || state === "no-answer" ? "transient" : "not_this_route";

const receipt = (only: Receipt): HookReading => ({ kind: "receipts", receipts: [only] });
