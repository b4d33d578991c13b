import type { Channel } from "../../domain/kernel/channel.ts";
import type { DeliveryResult, ProviderPort } from "../../ports/delivery.ts";
import { readContractRefusal } from "./contract-codes.ts";
import { type Fetcher, feedbackResult, postForDelivery } from "./provider-http.ts";
import { readSignedReceipt, signedHeaders } from "./signed-webhooks.ts";

export interface WebhookProviderOptions {
  name: string;
  url: string;
  /** `whsec_` and base64 each. While they are rotated there are two: requests carry both signatures, receipts may carry either. */
  secrets: readonly string[];
  channels: readonly Channel[];
  /** ISO 3166-1 alpha-2; null for all. */
  countries: readonly string[] | null;
  timeoutMs: number;
  /** For mutual TLS the `fetch` of an `mtls_certificates` binding, which shows our certificate. */
  fetcher?: Fetcher | undefined;
}

/**
 * Any service of one's own that takes messages: push, e-mail, WhatsApp Business, an in-house SMS gateway. It is posted
 * `{type: "message.send", ...}` and answers 2xx `{message_id, cost_micros?}`, or any status with `{refused}` and one of the
 * words of `contract-codes.ts`; later `{type: "message.feedback", ...}`, which any 2xx accepts. Its receipts come back signed the same way. `webhook-id` is the idempotency key of the message.
 */
export function webhookProvider(options: WebhookProviderOptions): ProviderPort {
  const { name, url, secrets, channels, countries, timeoutMs, fetcher } = options;
  const post = (id: string, content: object) => {
    const body = JSON.stringify(content);
    return postForDelivery(url, timeoutMs, { headers: signedHeaders(secrets, id, body), body }, fetcher);
  };
  return {
    name,
    channels,
    countries,

    async send(message): Promise<DeliveryResult> {
      const { to, body, code, spoken, locale, channel, country, ttlSeconds, correlationId } = message;
      const answer = await post(message.idempotencyKey, {
        type: "message.send",
        to,
        body,
        code,
        spoken,
        locale,
        channel,
        country,
        ttl_seconds: ttlSeconds,
        correlation_id: correlationId,
      });
      if (answer.kind !== "answered") return answer;
      const { message_id: messageId, cost_micros: cost } = answer.body;
      const accepted = answer.status >= 200 && answer.status < 300;
      if (!accepted || typeof messageId !== "string" || messageId === "") {
        return readContractRefusal(answer.status, answer.body);
      }
      const costMicros = typeof cost === "number" && Number.isSafeInteger(cost) && cost >= 0 ? cost : null;
      return { kind: "accepted", messageId, costMicros };
    },

    readReceipt: async (hook) => readSignedReceipt(hook, secrets),

    async feedback(messageId, channel, verified, atMs) {
      const at = new Date(atMs).toISOString();
      const content = { type: "message.feedback", message_id: messageId, channel, verified, at };
      return feedbackResult(await post(`${messageId}.feedback.${verified}`, content));
    },
  };
}
