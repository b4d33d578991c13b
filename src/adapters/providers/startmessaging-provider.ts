import type { DeliveryResult, ProviderPort, Receipt } from "../../ports/delivery.ts";
import type { Unavailable } from "../../ports/result.ts";
import { getFromProvider, loggableErrorCode, postForDelivery, readRefusal } from "./provider-http.ts";
import { closestTag } from "./spoken-code.ts";
import { startMessagingJudgement } from "./startmessaging-codes.ts";

export interface StartMessagingOptions {
  /** `https://api.startmessaging.com`, or a stand-in. */
  apiUrl: string;
  /** Begins with `sm_live_`. */
  apiKey: string;
  /**
   * DLT template ids by language, for messages that come without a registration of their own; the first one serves all other
   * languages. Without any the shared sender is used, which needs no registration and costs more.
   */
  templateIds: Readonly<Record<string, string>>;
  /** The template's `appName`. */
  brand: string;
  timeoutMs: number;
}

/** Longest code it takes. */
const MAX_CODE_LENGTH = 6;

/**
 * StartMessaging, SMS to India. The text is the template's own. There are no webhooks: what became of a message is polled.
 *
 * @see https://startmessaging.com/docs/sms/send-sms
 */
export function startMessagingProvider(options: StartMessagingOptions): ProviderPort {
  const { apiUrl, apiKey, templateIds, brand, timeoutMs } = options;
  const headers = { "x-api-key": apiKey, "content-type": "application/json" };
  const [firstLanguage, ...otherLanguages] = Object.keys(templateIds);
  const templateId = (locale: string) =>
    firstLanguage === undefined
      ? undefined
      : templateIds[closestTag([firstLanguage, ...otherLanguages], locale)];
  return {
    name: "startmessaging",
    channels: ["sms"],
    countries: ["IN"],

    async send({ to, code, locale, dlt }): Promise<DeliveryResult> {
      if (code.length > MAX_CODE_LENGTH) {
        return {
          kind: "refused",
          cause: `startmessaging takes no code over ${MAX_CODE_LENGTH} digits`,
          judgement: "not_this_route",
        };
      }
      const body = {
        phoneNumber: to,
        templateId: dlt?.templateId ?? templateId(locale),
        variables: { otp: code, appName: brand },
      };
      const answer = await postForDelivery(`${apiUrl}/otp/send`, timeoutMs, {
        headers,
        body: JSON.stringify(body),
      });
      if (answer.kind !== "answered") return answer;
      const { status } = answer;
      const { success, data } = answer.body;
      const ok = status >= 200 && status < 300;
      // It says so itself that nothing was sent, and not whether number or account was the reason.
      if (success === false && status < 500) {
        return {
          kind: "refused",
          cause: `startmessaging answered ${status} without success`,
          judgement: "not_this_route",
        };
      }
      const messageId = fieldOf(data, "messageId");
      if (!ok || success !== true || typeof messageId !== "string" || messageId === "") {
        return readRefusal(status, null);
      }
      if (fieldOf(data, "status") === "failed") {
        return { kind: "refused", cause: "startmessaging failed", judgement: "not_this_route" };
      }
      return { kind: "accepted", messageId, costMicros: null };
    },

    async poll(messageId): Promise<Receipt | null | Unavailable> {
      const url = `${apiUrl}/messages/${encodeURIComponent(messageId)}`;
      const answer = await getFromProvider(url, timeoutMs, { "x-api-key": apiKey });
      if (answer.kind === "unavailable") return answer;
      const { data, success } = answer.body;
      const state = fieldOf(data, "status");
      if (answer.status !== 200 || success !== true || typeof state !== "string") {
        return { kind: "unavailable", cause: `provider answered ${answer.status}` };
      }
      if (state !== "delivered" && state !== "failed") return null;
      const deliveredAtMs = Date.parse(String(fieldOf(data, "deliveredAt")));
      return {
        messageId,
        status: state === "delivered" ? "delivered" : "undelivered",
        errorCode: state === "failed" ? loggableErrorCode(fieldOf(data, "error")) : null,
        costMicros: null,
        atMs: Number.isNaN(deliveredAtMs) ? null : deliveredAtMs,
        judgement: startMessagingJudgement(state) ?? undefined,
      };
    },
  };
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}
