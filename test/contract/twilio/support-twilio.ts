import { randomBytes } from "node:crypto";
import { type TwilioOptions, twilioProvider } from "../../../src/adapters/twilio/twilio-provider.ts";
import type { Channel } from "../../../src/domain/kernel/channel.ts";
import type { IncomingHook, OutgoingMessage } from "../../../src/ports/delivery.ts";
import { messageTo, TWILIO } from "../providers/support-providers.ts";

export const SECOND_AUTH_TOKEN = randomBytes(16).toString("hex");

/** An account with everything set up. */
export const TWILIO_ACCOUNT: Omit<TwilioOptions, "apiUrl"> = {
  accountSid: TWILIO.accountSid,
  authToken: TWILIO.authToken,
  secondAuthToken: SECOND_AUTH_TOKEN,
  messagingServiceSid: TWILIO.messagingServiceSid,
  callFrom: "+15005550006",
  contentSids: { en: `HX${"a".repeat(32)}`, pt_BR: `HX${"b".repeat(32)}` },
  receiptUrl: "https://verify.example.com/v1/receipts/twilio",
  currency: "USD",
  timeoutMs: 8000,
};

export const twilioWith = (apiUrl: string, settings: Partial<TwilioOptions> = {}) =>
  twilioProvider({ ...TWILIO_ACCOUNT, ...settings, apiUrl });

export const messageBy = (channel: Channel, message: Partial<OutgoingMessage> = {}): OutgoingMessage => ({
  ...messageTo(),
  spoken: "4, 9, 1, 8, 2, 7",
  channel,
  ...message,
});

/** A webhook call with a form or a text for its body. */
export function hookOf(
  url: string,
  body: URLSearchParams | string,
  headers: Record<string, string>,
  method = "POST",
): IncomingHook {
  const type = typeof body === "string" ? "application/json" : "application/x-www-form-urlencoded";
  return {
    method,
    url,
    headers: new Headers({ "content-type": type, ...headers }),
    body: new TextEncoder().encode(String(body)),
  };
}
