import type { VonageApplication } from "./vonage-jwt.ts";
import type { SignatureSecret, SmsSignatureMethod } from "./vonage-signature.ts";

export interface WhatsAppSender {
  /** The WhatsApp Business number, E.164. */
  from: string;
  /** Name of an approved authentication template with a button for the code. */
  template: string;
  /** Languages it is approved in, in WhatsApp's spelling (`en_US`, `hi`); the first one serves all other languages. */
  languages: readonly [string, ...string[]];
}

export interface VonageOptions extends VonageApplication {
  /** `https://api.nexmo.com`, or a stand-in: messages, calls, conversions. */
  apiUrl: string;
  /** `https://rest.nexmo.com`, or a stand-in: the SMS API. */
  smsUrl: string;
  /** Which API sends SMS. Receipts of both are understood whichever it is. */
  api: "messages" | "sms";
  apiKey: string;
  /** Accounts hold two secrets at a time, so this one is exchanged without an outage. */
  apiSecret: string;
  /** What webhooks may be signed with. While a secret is exchanged: the old one and the new one. */
  signatureSecrets: readonly SignatureSecret[];
  /** The account's setting for the SMS API ("Signed webhooks" in the dashboard). */
  smsSignature: SmsSignatureMethod;
  /** Sender id or number of SMS. */
  from: string;
  /** Caller id of calls, E.164, a number of the application. Without it there are no calls. */
  callFrom?: string | undefined;
  /** Without it there is no WhatsApp. */
  whatsApp?: WhatsAppSender | undefined;
  /** Where receipts go, https; null where nobody can be called. */
  receiptUrl: string | null;
  /** ISO 4217, of the price table. Vonage states euros: with another currency no stated price is taken. */
  currency: string;
  timeoutMs: number;
  nowMs(): number;
}

/** What Vonage bills in, and states prices in where it names no currency. */
export const VONAGE_CURRENCY = "EUR";
