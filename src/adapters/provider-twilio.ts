import type { DeliveryResult, ProviderPort } from "../ports.ts";
import { deliveryFault, postForDelivery } from "./provider-http.ts";

export interface TwilioOptions {
  /** `https://api.twilio.com`, or a stand-in. */
  apiUrl: string;
  accountSid: string;
  authToken: string;
  /** The sender pool; Twilio picks the sender per country from it. */
  messagingServiceSid: string;
  timeoutMs: number;
  /** A message still queued after this is worthless: its code is over. */
  validitySeconds: number;
}

/** Message states that say at once that nothing will arrive. */
const DEAD_STATES = ["failed", "undelivered", "canceled"];

/** Our credentials or account, not this number: another route may well deliver. */
const ACCOUNT_FAULTS = [401, 403];

/**
 * Twilio Programmable Messaging, SMS.
 *
 * @see https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
 */
export function twilioProvider(options: TwilioOptions): ProviderPort {
  const { apiUrl, accountSid, authToken } = options;
  const url = `${apiUrl}/2010-04-01/Accounts/${accountSid}/Messages.json`;
  const authorization = `Basic ${btoa(`${accountSid}:${authToken}`)}`;
  return {
    name: "twilio",
    channels: ["sms"],
    countries: null,
    async send({ to, body }): Promise<DeliveryResult> {
      const answer = await postForDelivery(url, options.timeoutMs, {
        headers: { authorization },
        body: new URLSearchParams({
          To: to,
          MessagingServiceSid: options.messagingServiceSid,
          Body: body,
          ValidityPeriod: String(options.validitySeconds),
        }),
      });
      if (answer.kind !== "answered") return answer;
      const { sid, status, code, error_code: errorCode } = answer.body;
      if (answer.status === 201 && typeof sid === "string") {
        return DEAD_STATES.includes(String(status))
          ? {
              kind: "refused",
              cause: `twilio ${String(status)}${errorText(errorCode)}`,
              retryable: true,
            }
          : { kind: "accepted", messageId: sid, costMicros: null };
      }
      const fault = deliveryFault(answer.status, errorText(code));
      return fault.kind === "refused" && ACCOUNT_FAULTS.includes(answer.status)
        ? { ...fault, retryable: true }
        : fault;
    },
  };
}

/** Only a number: an answer that repeats the request must not carry the phone number into a log. */
const errorText = (code: unknown): string => (typeof code === "number" ? ` (error ${code})` : "");
