import type { DeliveryResult, FeedbackResult, ProviderPort } from "../../ports/delivery.ts";
import { feedbackResult, postForDelivery } from "../providers/provider-http.ts";
import type { VonageOptions } from "./vonage-api.ts";
import { vonageBearer } from "./vonage-api.ts";
import { callRequest, sendAsApplication, smsRequest, whatsAppRequest } from "./vonage-messages.ts";
import { readVonageReceipt } from "./vonage-receipts.ts";
import { sendBySmsApi } from "./vonage-sms.ts";

/**
 * Vonage: SMS by the Messages API or the SMS API, WhatsApp, spoken codes, conversions. No request has idempotency there.
 *
 * @see https://developer.vonage.com/en/api/messages
 * @see https://developer.vonage.com/en/api/voice
 */
export function vonageProvider(options: VonageOptions): ProviderPort {
  const { apiUrl, apiKey, apiSecret, api, from, callFrom, whatsApp, receiptUrl, timeoutMs } = options;
  const bearer = vonageBearer(options, options.nowMs);

  return {
    name: "vonage",
    channels: [
      "sms",
      ...(callFrom === undefined ? [] : (["voice"] as const)),
      ...(whatsApp === undefined ? [] : (["whatsapp"] as const)),
    ],
    countries: null,

    async send(message): Promise<DeliveryResult> {
      const { channel } = message;
      if (channel === "sms" && api === "sms") return sendBySmsApi(options, message);
      if (channel === "sms") {
        return sendAsApplication(options, smsRequest(message, from, receiptUrl), await bearer());
      }
      if (channel === "voice" && callFrom !== undefined) {
        return sendAsApplication(options, callRequest(message, callFrom, receiptUrl), await bearer());
      }
      if (channel === "whatsapp" && whatsApp !== undefined) {
        return sendAsApplication(options, whatsAppRequest(message, whatsApp, receiptUrl), await bearer());
      }
      return { kind: "refused", cause: `vonage has no ${channel}`, judgement: "not_this_route" };
    },

    readReceipt: (hook, nowMs) => readVonageReceipt(hook, options, nowMs),

    /** @see https://developer.vonage.com/en/api/conversion */
    async feedback(messageId, channel, verified, atMs): Promise<FeedbackResult> {
      if (channel === "whatsapp") return { kind: "deaf" };
      const query = new URLSearchParams({
        api_key: apiKey,
        api_secret: apiSecret,
        "message-id": messageId,
        delivered: String(verified),
        timestamp: new Date(atMs).toISOString().slice(0, 19).replace("T", " "),
      });
      const url = `${apiUrl}/conversions/${channel}?${query}`;
      return feedbackResult(await postForDelivery(url, timeoutMs, { headers: {}, body: "" }));
    },
  };
}
