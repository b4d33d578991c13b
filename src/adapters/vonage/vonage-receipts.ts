import * as z from "zod";
import type { Judgement } from "../../domain/delivery/judgement.ts";
import type { HookReading, IncomingHook, Receipt } from "../../ports/delivery.ts";
import { parseJsonBytes } from "../json.ts";
import { statedMicros } from "../providers/provider-http.ts";
import { forged, formFields, HOOK_LIMIT_BYTES, saysJson } from "../providers/receipt-hook.ts";
import { statedTimeMs } from "../stated-time.ts";
import { VONAGE_CURRENCY, type VonageOptions, vonageProblemCode } from "./vonage-api.ts";
import { vonageCallJudgement, vonageMessagesJudgement, vonageReceiptJudgement } from "./vonage-codes.ts";
import { signedWebhookFault, smsSignatureFault } from "./vonage-signature.ts";

/** @see https://developer.vonage.com/en/api/messages#message-status */
const MESSAGE_STATES = new Map<string, Receipt["status"]>([
  ["submitted", "sent"],
  ["delivered", "delivered"],
  ["read", "delivered"],
  ["rejected", "undelivered"],
  ["undeliverable", "undelivered"],
]);

/**
 * A completed call was answered, if only by a mailbox.
 * @see https://developer.vonage.com/en/voice/voice-api/webhook-reference#event-webhook
 */
const CALL_STATES = new Map<string, Receipt["status"]>([
  ["answered", "sent"],
  ["completed", "delivered"],
  ["busy", "undelivered"],
  ["cancelled", "undelivered"],
  ["failed", "undelivered"],
  ["rejected", "undelivered"],
  ["timeout", "undelivered"],
  ["unanswered", "undelivered"],
]);

/** @see https://developer.vonage.com/en/messaging/sms/guides/delivery-receipts#dlr-fields */
const SMS_STATES = new Map<string, Receipt["status"]>([
  ["accepted", "sent"],
  ["buffered", "sent"],
  ["delivered", "delivered"],
  ["expired", "undelivered"],
  ["failed", "undelivered"],
  ["rejected", "undelivered"],
]);

const text = z.string().optional().catch(undefined);

const messageSchema = z.object({
  message_uuid: z.string().min(1),
  status: z.string(),
  timestamp: text,
  client_ref: text,
  error: z.object({ type: text, title: text }).optional().catch(undefined),
  usage: z.object({ price: text, currency: text }).optional().catch(undefined),
});

const callSchema = z.object({ uuid: z.string().min(1), status: z.string(), timestamp: text, price: text });

const smsSchema = z.object({
  messageId: z.string().min(1),
  status: z.string(),
  "err-code": text,
  price: text,
  "client-ref": text,
  "message-timestamp": text,
});

type ReceiptOptions = Pick<VonageOptions, "signatureSecrets" | "smsSignature" | "currency">;

/**
 * Reads a webhook of the Messages or Voice API, which bears a signed token, or a delivery receipt of the SMS API, which has
 * a signature among its parameters.
 */
export async function readVonageReceipt(
  hook: IncomingHook,
  { signatureSecrets, smsSignature, currency }: ReceiptOptions,
  nowMs: number,
): Promise<HookReading> {
  if (hook.body.byteLength > HOOK_LIMIT_BYTES) return forged("too long");
  if (hook.headers.has("authorization")) {
    const fault = await signedWebhookFault(hook, signatureSecrets, nowMs);
    if (fault !== null) return forged(fault);
    const body = parseJsonBytes(hook.body);
    if (body === undefined) return forged("no JSON");
    return reading(messageReceipt(body, currency) ?? callReceipt(body, currency));
  }
  const params = smsParams(hook);
  const fault = await smsSignatureFault(params, signatureSecrets, smsSignature, nowMs);
  return fault === null ? reading(smsReceipt(params, currency)) : forged(fault);
}

const reading = (receipt: Receipt | null): HookReading =>
  receipt ? { kind: "receipts", receipts: [receipt] } : { kind: "ignored" };

function messageReceipt(body: unknown, currency: string): Receipt | null {
  const { data } = messageSchema.safeParse(body);
  const status = data && MESSAGE_STATES.get(data.status);
  if (!status) return null;
  const errorCode = data.error ? vonageProblemCode(data.error) : null;
  return {
    messageId: data.message_uuid,
    status,
    errorCode,
    costMicros: statedMicros(data.usage?.price, data.usage?.currency, currency),
    atMs: statedTimeMs(data.timestamp),
    judgement: undeliveredJudgement(status, errorCode, vonageMessagesJudgement),
    reference: data.client_ref,
  };
}

function callReceipt(body: unknown, currency: string): Receipt | null {
  const { data } = callSchema.safeParse(body);
  const status = data && CALL_STATES.get(data.status);
  if (!status) return null;
  return {
    messageId: data.uuid,
    status,
    errorCode: status === "undelivered" ? data.status : null,
    costMicros: statedMicros(data.price, VONAGE_CURRENCY, currency),
    atMs: statedTimeMs(data.timestamp),
    judgement: undeliveredJudgement(status, data.status, vonageCallJudgement),
  };
}

function smsReceipt(params: Readonly<Record<string, string>>, currency: string): Receipt | null {
  const { data } = smsSchema.safeParse(params);
  const status = data && SMS_STATES.get(data.status);
  if (!status) return null;
  const code = data["err-code"] ?? "";
  const errorCode = /^\d{1,5}$/.test(code) && code !== "0" ? code : null;
  return {
    messageId: data.messageId,
    status,
    errorCode,
    costMicros: statedMicros(data.price, VONAGE_CURRENCY, currency),
    atMs: readUtc(data["message-timestamp"]),
    judgement: undeliveredJudgement(status, errorCode, vonageReceiptJudgement),
    reference: data["client-ref"],
  };
}

/** A failure without a code has no reason that speaks against another try; one with a code nobody knows may have. */
function undeliveredJudgement(
  status: Receipt["status"],
  code: string | null,
  look: (code: string) => Judgement | null,
): Judgement | undefined {
  if (status !== "undelivered") return undefined;
  return code === null ? "unknown" : (look(code) ?? "not_this_route");
}

/** The account says whether they come in the query, as a form or as JSON. */
function smsParams(hook: IncomingHook): Record<string, string> {
  if (hook.method === "GET") return Object.fromEntries(new URL(hook.url).searchParams);
  if (!saysJson(hook)) return Object.fromEntries(formFields(hook));
  const params = z.record(z.string(), z.coerce.string()).safeParse(parseJsonBytes(hook.body));
  return params.success ? params.data : {};
}

/** `2020-01-01 12:00:00`, UTC. */
const readUtc = (time: string | undefined): number | null =>
  time !== undefined && /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/.test(time)
    ? statedTimeMs(`${time.replace(" ", "T")}Z`)
    : null;
