import type { ProviderPort } from "../ports.ts";
import { deliveryFault, postForDelivery } from "./provider-http.ts";

/** The local inbox, a phone for development: `POST /send` answers 202 with a message id. */
export function sandboxProvider(baseUrl: string, timeoutMs: number): ProviderPort {
  return {
    name: "sandbox",
    channels: ["sms", "voice", "whatsapp"],
    countries: null,
    async send({ to, body, channel, correlationId, idempotencyKey }) {
      const answer = await postForDelivery(`${baseUrl}/send`, timeoutMs, {
        headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
        body: JSON.stringify({ to, body, channel, correlation_id: correlationId }),
      });
      if (answer.kind !== "answered") return answer;
      const messageId = answer.body.message_id;
      if (answer.status === 202 && typeof messageId === "string") {
        return { kind: "accepted", messageId, costMicros: null };
      }
      return deliveryFault(answer.status);
    },
  };
}
