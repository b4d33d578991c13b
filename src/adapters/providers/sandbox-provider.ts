import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { ProviderPort } from "../../ports/delivery.ts";
import { readContractRefusal } from "./contract-codes.ts";
import { feedbackResult, postForDelivery } from "./provider-http.ts";
import { readSignedReceipt } from "./signed-webhooks.ts";

export interface SandboxOptions {
  /** `sandbox`, `sandbox_b`, ...: the inbox plays several providers, each with faults of its own. */
  name: string;
  /** Address of the local inbox, without a trailing slash. */
  baseUrl: string;
  timeoutMs: number;
  /** The address of receipts from the inbox; without it there are none. */
  receiptUrl?: string | undefined;
  /** The secret that signs receipts; without it none is read. */
  receiptSecret?: string | undefined;
}

/**
 * The local inbox, a phone for development: `POST /send` answers 202 with a message id, or any status with `refused` and one
 * of the words of `contract-codes.ts`.
 */
export function sandboxProvider(options: SandboxOptions): ProviderPort {
  const { name, baseUrl, timeoutMs, receiptUrl, receiptSecret } = options;
  return {
    name,
    channels: CHANNELS,
    countries: null,

    async send({ to, body, channel, correlationId, idempotencyKey }) {
      const answer = await postForDelivery(`${baseUrl}/send`, timeoutMs, {
        headers: { "content-type": "application/json", "idempotency-key": idempotencyKey },
        body: JSON.stringify({
          provider: name,
          to,
          body,
          channel,
          correlation_id: correlationId,
          receipt_url: receiptUrl,
        }),
      });
      if (answer.kind !== "answered") return answer;
      const messageId = answer.body.message_id;
      if (answer.status === 202 && typeof messageId === "string") {
        return { kind: "accepted", messageId, costMicros: null };
      }
      return readContractRefusal(answer.status, answer.body);
    },

    ...(receiptSecret !== undefined && {
      readReceipt: async (hook) => readSignedReceipt(hook, [receiptSecret]),
    }),

    async feedback(messageId, _channel, verified) {
      const answer = await postForDelivery(`${baseUrl}/feedback`, timeoutMs, {
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ provider: name, message_id: messageId, verified }),
      });
      return feedbackResult(answer);
    },
  };
}
