import { z } from "zod";
import { segmentsOf } from "../../domain/delivery/gsm7.ts";
import type { DeliveryResult, OutgoingMessage } from "../../ports/delivery.ts";
import { accountFault, deliveryFault, postForDelivery, statedMicros } from "../providers/provider-http.ts";
import { VONAGE_CURRENCY, type VonageOptions } from "./vonage-api.ts";
import { digitsOf } from "./vonage-messages.ts";

/** Milliseconds; delivery is tried for this long at least. */
const MIN_TTL_MS = 20_000;

/**
 * Statuses about the number (no such prefix, barred, deactivated): another route would meet the same. All others are about
 * our request, our account or the platform.
 * @see https://developer.vonage.com/en/messaging/sms/guides/troubleshooting-sms
 */
const FINAL_FOR_NUMBER = ["6", "7", "33"];

const answerSchema = z.object({
  messages: z
    .array(
      z.object({
        status: z.string(),
        "message-id": z.string().min(1).optional().catch(undefined),
        "message-price": z.string().optional().catch(undefined),
      }),
    )
    .min(1),
});

type Part = z.infer<typeof answerSchema>["messages"][number];

/**
 * Sends by the SMS API, which answers 200 to failures too: each part of the text has a status of its own. The id of the
 * first part stands for the message.
 *
 * @see https://developer.vonage.com/en/api/sms
 */
export async function sendBySmsApi(
  options: VonageOptions,
  { to, body, country, dlt, ttlSeconds, correlationId }: OutgoingMessage,
): Promise<DeliveryResult> {
  const { receiptUrl } = options;
  const answer = await postForDelivery(`${options.smsUrl}/sms/json`, options.timeoutMs, {
    headers: {},
    body: new URLSearchParams({
      api_key: options.apiKey,
      api_secret: options.apiSecret,
      from: digitsOf(options.from),
      to: digitsOf(to),
      text: body,
      type: segmentsOf(body).encoding === "gsm7" ? "text" : "unicode",
      ttl: String(Math.max(ttlSeconds * 1000, MIN_TTL_MS)),
      "client-ref": correlationId,
      ...(receiptUrl !== null && { callback: receiptUrl }),
      ...(dlt && country === "IN" && { "entity-id": dlt.entityId, "content-id": dlt.templateId }),
    }),
  });
  if (answer.kind !== "answered") return answer;
  if (answer.status !== 200) return accountFault(answer.status);
  const parsed = answerSchema.safeParse(answer.body);
  if (!parsed.success) return deliveryFault(answer.status);
  return judge(parsed.data.messages, options.currency);
}

function judge(parts: readonly Part[], currency: string): DeliveryResult {
  const failed = parts.find(({ status }) => status !== "0");
  const sent = parts.find(({ status }) => status === "0");
  if (failed && sent) {
    // Half a text has left: the code may be in it.
    const cause = `vonage took only a part${statusText(failed.status)}`;
    return { kind: "unknown", cause, connectionLost: false };
  }
  if (failed) {
    const cause = `vonage refused it${statusText(failed.status)}`;
    return { kind: "refused", cause, retryable: !FINAL_FOR_NUMBER.includes(failed.status) };
  }
  const messageId = sent?.["message-id"];
  return messageId === undefined
    ? deliveryFault(200)
    : { kind: "accepted", messageId, costMicros: sumMicros(parts, currency) };
}

/** null unless every part states its price. */
function sumMicros(parts: readonly Part[], currency: string): number | null {
  let sum = 0;
  for (const part of parts) {
    const micros = statedMicros(part["message-price"], VONAGE_CURRENCY, currency);
    if (micros === null) return null;
    sum += micros;
  }
  return sum;
}

const statusText = (status: string): string => (/^\d{1,4}$/.test(status) ? ` (status ${status})` : "");
