import * as z from "zod";
import { countSegments } from "../../domain/delivery/gsm7.ts";
import type { DeliveryResult, OutgoingMessage } from "../../ports/delivery.ts";
import { postForDelivery, readRefusal, statedMicros } from "../providers/provider-http.ts";
import { VONAGE_CURRENCY, type VonageOptions } from "./vonage-api.ts";
import { vonageSmsJudgement } from "./vonage-codes.ts";
import { digitsOf } from "./vonage-messages.ts";

/** Milliseconds; delivery is tried for this long at least. */
const MIN_TTL_MS = 20_000;

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
 * Sends by the SMS API, which answers 200 to failures too: each part of the text has a status, an id and a receipt of its
 * own. The id of the first part stands for the message.
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
      type: countSegments(body).encoding === "gsm7" ? "text" : "unicode",
      ttl: String(Math.max(ttlSeconds * 1000, MIN_TTL_MS)),
      "client-ref": correlationId,
      ...(receiptUrl !== null && { callback: receiptUrl }),
      ...(dlt && country === "IN" && { "entity-id": dlt.entityId, "content-id": dlt.templateId }),
    }),
  });
  if (answer.kind !== "answered") return answer;
  if (answer.status !== 200) return readRefusal(answer.status, null);
  const parsed = answerSchema.safeParse(answer.body);
  if (!parsed.success) return readRefusal(answer.status, null);
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
    const judgement = vonageSmsJudgement(failed.status);
    // Any status but 0 says that this part was not taken; why is known of those that are documented.
    return {
      kind: "refused",
      cause,
      judgement: judgement === null || judgement === "unknown" ? "not_this_route" : judgement,
    };
  }
  const ids = parts.flatMap((part) => part["message-id"] ?? []);
  const [messageId, ...otherPartIds] = ids;
  if (messageId === undefined || ids.length < parts.length) return readRefusal(200, null);
  const costMicros = sumMicros(parts, currency);
  return otherPartIds.length === 0
    ? { kind: "accepted", messageId, costMicros }
    : { kind: "accepted", messageId, costMicros, otherPartIds };
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
