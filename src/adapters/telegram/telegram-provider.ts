import type { DeliveryResult, ProviderPort } from "../../ports/delivery.ts";
import {
  errorCodeSuffix,
  loggableErrorCode,
  postForDelivery,
  readRefusal,
} from "../providers/provider-http.ts";
import { telegramJudgement } from "./telegram-codes.ts";
import { readTelegramReceipt } from "./telegram-receipts.ts";

export interface TelegramOptions {
  /** `https://gatewayapi.telegram.org`, or a stand-in. */
  apiUrl: string;
  /** Requests are made with it, and callbacks are signed with its hash. */
  token: string;
  /** The account's other token while tokens are rotated: callbacks may be signed with either. */
  secondToken?: string | undefined;
  /** A verified channel of the account, from which codes come; without it they come from Telegram's own. */
  senderUsername?: string | undefined;
  /** Where callbacks go, https; null where nobody can be called. */
  receiptUrl: string | null;
  /** ISO 4217, of the price table. Telegram bills in dollars: with another currency no stated price is taken. */
  currency: string;
  timeoutMs: number;
}

/** Shortest and longest `ttl`, in seconds: a message that is not delivered within it is refunded. */
const MIN_TTL_SECONDS = 30;
const MAX_TTL_SECONDS = 3600;

/** Longest code it takes. */
const MAX_CODE_LENGTH = 8;

/**
 * Telegram Gateway: the code as a message in Telegram. The text is Telegram's own. A message that is not delivered within its
 * life is refunded. It repeats `payload` in callbacks, so that one finds its message although the answer was lost.
 *
 * @see https://core.telegram.org/gateway/api#sendverificationmessage
 */
export function telegramProvider(options: TelegramOptions): ProviderPort {
  const { apiUrl, token, secondToken, senderUsername, receiptUrl, currency, timeoutMs } = options;
  const headers = { authorization: `Bearer ${token}`, "content-type": "application/json" };
  const tokens = secondToken === undefined ? [token] : [token, secondToken];

  return {
    name: "telegram",
    channels: ["telegram"],
    countries: null,

    async send({ to, code, ttlSeconds, correlationId }): Promise<DeliveryResult> {
      if (code.length > MAX_CODE_LENGTH) {
        const cause = `telegram takes no code over ${MAX_CODE_LENGTH} digits`;
        return { kind: "refused", cause, judgement: "not_this_route" };
      }
      const answer = await postForDelivery(`${apiUrl}/sendVerificationMessage`, timeoutMs, {
        headers,
        body: JSON.stringify({
          phone_number: to,
          code,
          ttl: Math.min(Math.max(ttlSeconds, MIN_TTL_SECONDS), MAX_TTL_SECONDS),
          payload: correlationId,
          ...(senderUsername !== undefined && { sender_username: senderUsername }),
          ...(receiptUrl !== null && { callback_url: receiptUrl }),
        }),
      });
      if (answer.kind !== "answered") return answer;
      const { ok, error, result } = answer.body;
      if (ok === false) return refusal(answer.status, error);
      const { request_id: messageId, request_cost: cost } = asRecord(result);
      const is2xx = answer.status >= 200 && answer.status < 300;
      if (!is2xx || ok !== true || typeof messageId !== "string" || messageId === "") {
        return readRefusal(answer.status, null);
      }
      return { kind: "accepted", messageId, costMicros: telegramMicros(cost, currency) };
    },

    readReceipt: (hook, nowMs) => readTelegramReceipt(hook, { tokens, currency }, nowMs),
  };
}

/** Reads `ok: false`, by which it says that it did nothing. A wait is named with its seconds: `FLOOD_WAIT_17`. */
function refusal(status: number, error: unknown): DeliveryResult {
  const code = loggableErrorCode(typeof error === "string" ? error.replace(/_\d+$/, "") : error);
  return readRefusal(status, telegramJudgement(code) ?? "not_this_route", errorCodeSuffix(code));
}

/** A cost as Telegram states it, in dollars as a number; null where the price table has another currency. */
const telegramMicros = (cost: unknown, currency: string): number | null =>
  typeof cost === "number" && cost >= 0 && cost < 1000 && currency === "USD"
    ? Math.round(cost * 1_000_000)
    : null;

const asRecord = (value: unknown): Record<string, unknown> =>
  typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
