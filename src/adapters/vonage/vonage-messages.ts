import type { DeliveryResult, OutgoingMessage } from "../../ports/delivery.ts";
import { postForDelivery } from "../providers/provider-http.ts";
import { closestTag, slowSpeech } from "../providers/spoken-code.ts";
import type { VonageOptions, WhatsAppSender } from "./vonage-api.ts";
import { readVonageRefusal } from "./vonage-api.ts";

/** Numbers without the plus sign, as all of Vonage takes them. */
export const digitsOf = (e164: string): string => e164.replace(/^\+/, "");

/** Delivery is tried for this long at least. */
const MIN_TTL_SECONDS = 20;

/** Seconds a phone rings; longer mostly means a mailbox, which would hear the code. */
const RING_SECONDS = 25;

/**
 * Languages of the voices.
 * @see https://developer.vonage.com/en/voice/voice-api/concepts/text-to-speech#supported-languages
 */
const LANGUAGES = [
  "en-US",
  "en-GB",
  "en-IN",
  "hi-IN",
  "es-US",
  "es-ES",
  "pt-BR",
  "pt-PT",
  "fr-FR",
  "ar",
  "id-ID",
] as const;

type Sending = Pick<VonageOptions, "apiUrl" | "receiptUrl" | "timeoutMs">;

/** The path and body of a message of an application, and the field of the answer that holds its id. */
interface Request {
  path: string;
  body: Record<string, unknown>;
  status: number;
  idField: "message_uuid" | "uuid";
}

/** Sends with an application's JWT by the Messages or Voice API. */
export async function sendAsApplication(
  { apiUrl, timeoutMs }: Sending,
  { path, body, status, idField }: Request,
  authorization: string | null,
): Promise<DeliveryResult> {
  if (authorization === null) {
    return {
      kind: "refused",
      cause: "the private key of vonage does not sign",
      judgement: "not_this_route",
    };
  }
  const answer = await postForDelivery(`${apiUrl}${path}`, timeoutMs, {
    headers: { authorization, "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.kind !== "answered") return answer;
  const messageId = answer.body[idField];
  return answer.status === status && typeof messageId === "string"
    ? { kind: "accepted", messageId, costMicros: null }
    : readVonageRefusal(answer.status, answer.body);
}

/** @see https://developer.vonage.com/en/api/messages */
export function smsRequest(
  { to, body, country, dlt, ttlSeconds, correlationId }: OutgoingMessage,
  from: string,
  receiptUrl: string | null,
): Request {
  return messageRequest(receiptUrl, {
    channel: "sms",
    message_type: "text",
    to: digitsOf(to),
    from: digitsOf(from),
    text: body,
    ttl: Math.max(ttlSeconds, MIN_TTL_SECONDS),
    client_ref: correlationId,
    ...(dlt && country === "IN" && { sms: { entity_id: dlt.entityId, content_id: dlt.templateId } }),
  });
}

/**
 * An authentication template has a button that holds the code, and goes as a custom object for that.
 * @see https://developer.vonage.com/en/messages/code-snippets/whatsapp/send-authentication-template
 */
export function whatsAppRequest(
  { to, code, locale, correlationId }: OutgoingMessage,
  { from, template, languages }: WhatsAppSender,
  receiptUrl: string | null,
): Request {
  const parameters = [{ type: "text", text: code }];
  return messageRequest(receiptUrl, {
    channel: "whatsapp",
    message_type: "custom",
    to: digitsOf(to),
    from: digitsOf(from),
    client_ref: correlationId,
    custom: {
      type: "template",
      template: {
        name: template,
        language: { policy: "deterministic", code: closestTag(languages, locale) },
        components: [
          { type: "body", parameters },
          { type: "button", sub_type: "url", index: 0, parameters },
        ],
      },
    },
  });
}

/**
 * A call that says the same thing twice, slowly; a language without a voice is read in English.
 * @see https://developer.vonage.com/en/voice/voice-api/ncco-reference#talk
 */
export function callRequest(
  { to, spoken, locale }: OutgoingMessage,
  from: string,
  receiptUrl: string | null,
): Request {
  const text = `<speak>${slowSpeech(spoken)}<break time="2s"/></speak>`;
  return {
    path: "/v1/calls",
    status: 201,
    idField: "uuid",
    body: {
      to: [{ type: "phone", number: digitsOf(to) }],
      from: { type: "phone", number: digitsOf(from) },
      ncco: [{ action: "talk", text, language: closestTag(LANGUAGES, locale), loop: 2 }],
      ringing_timer: RING_SECONDS,
      ...(receiptUrl !== null && { event_url: [receiptUrl], event_method: "POST" }),
    },
  };
}

const messageRequest = (receiptUrl: string | null, body: Record<string, unknown>): Request => ({
  path: "/v1/messages",
  status: 202,
  idField: "message_uuid",
  body: { ...body, ...(receiptUrl !== null && { webhook_url: receiptUrl, webhook_version: "v1" }) },
});
