import type { DeliveryResult, FeedbackResult, OutgoingMessage, ProviderPort } from "../../ports/delivery.ts";
import {
  errorCodeSuffix,
  feedbackResult,
  loggableErrorCode,
  postForDelivery,
  readRefusal,
  statedMicros,
} from "../providers/provider-http.ts";
import { closestTag, slowSpeech } from "../providers/spoken-code.ts";
import { twilioJudgement } from "./twilio-codes.ts";
import { readTwilioReceipt } from "./twilio-receipts.ts";

export interface TwilioOptions {
  /** `https://api.twilio.com`, or a stand-in. */
  apiUrl: string;
  accountSid: string;
  /** The account's main token: it signs receipts, and requests are made with it where there is no API key. */
  authToken: string;
  /** An API key (`SK...`) and its secret, with which requests are made: it can be revoked without touching the account. */
  apiKey?: { sid: string; secret: string } | undefined;
  /**
   * The account's other token while tokens are rotated: receipts may be signed by either. Twilio keeps a primary one, which
   * signs, and a secondary one, until the secondary is promoted.
   */
  secondAuthToken?: string | undefined;
  /** The sender pool; Twilio picks the sender per country from it, and the WhatsApp sender. */
  messagingServiceSid: string;
  /** Caller id of calls, E.164: a number of the account, or one verified for it. Without it there are no calls. */
  callFrom?: string | undefined;
  /**
   * Approved WhatsApp authentication templates by language (`en`, `pt_BR`), `HX...`; the code is their variable 1. The first
   * one serves all other languages. Without any there is no WhatsApp.
   */
  contentSids?: Readonly<Record<string, string>> | undefined;
  /** The https address of status callbacks; null where no address can be reached from outside. */
  receiptUrl: string | null;
  /** ISO 4217, of the price table: a price in another one is not taken. */
  currency: string;
  timeoutMs: number;
}

/** Message and call states that say at once that nothing will arrive. */
const DEAD_STATES = ["failed", "undelivered", "canceled", "busy", "no-answer"];

/**
 * Languages with a voice that understands SSML; the basic voices would read the tags out or drop them.
 * @see https://www.twilio.com/docs/voice/twiml/say/text-speech#available-voices-and-languages
 */
const VOICE_LANGUAGES = [
  "en-US",
  "en-GB",
  "en-IN",
  "hi-IN",
  "es-US",
  "es-ES",
  "pt-BR",
  "pt-PT",
  "fr-FR",
  "ar-XA",
  "id-ID",
] as const;

/** Seconds a phone rings; longer mostly means a mailbox, which would hear the code. */
const RING_SECONDS = 25;

/** Longest `ValidityPeriod`, seconds. */
const MAX_VALIDITY_SECONDS = 36_000;

/**
 * Twilio: SMS and WhatsApp by Programmable Messaging, spoken codes by Programmable Voice, Message Feedback.
 * Requests have no idempotency there. Receipts carry no time, so an old one cannot be told from a late one.
 *
 * @see https://www.twilio.com/docs/messaging/api/message-resource#create-a-message-resource
 * @see https://www.twilio.com/docs/voice/api/call-resource#create-a-call-resource
 */
export function twilioProvider(options: TwilioOptions): ProviderPort {
  const { apiUrl, accountSid, authToken, secondAuthToken, receiptUrl, callFrom, timeoutMs } = options;
  const account = `${apiUrl}/2010-04-01/Accounts/${accountSid}`;
  const headers = { authorization: twilioAuthorization(options) };
  const authTokens = secondAuthToken === undefined ? [authToken] : [authToken, secondAuthToken];
  const contentSids = options.contentSids ?? {};
  const [firstLanguage, ...otherLanguages] = Object.keys(contentSids);
  const callback: Record<string, string> = receiptUrl === null ? {} : { StatusCallback: receiptUrl };

  /** null for a channel that is not set up. */
  function request(message: OutgoingMessage): { path: string; fields: Record<string, string> } | null {
    const { to, body, code, channel, locale, spoken, ttlSeconds } = message;
    if (channel === "voice") {
      if (callFrom === undefined) return null;
      const Twiml = spokenTwiml(spoken, locale);
      return {
        path: "Calls.json",
        fields: { To: to, From: callFrom, Twiml, Timeout: `${RING_SECONDS}`, ...callback },
      };
    }
    const common = {
      MessagingServiceSid: options.messagingServiceSid,
      ValidityPeriod: `${Math.min(ttlSeconds, MAX_VALIDITY_SECONDS)}`,
      ProvideFeedback: "true",
      ...callback,
    };
    if (channel === "sms") return { path: "Messages.json", fields: { To: to, Body: body, ...common } };
    if (firstLanguage === undefined) return null;
    const ContentSid = contentSids[closestTag([firstLanguage, ...otherLanguages], locale)] ?? "";
    const ContentVariables = JSON.stringify({ "1": code });
    return {
      path: "Messages.json",
      fields: { To: `whatsapp:${to}`, ContentSid, ContentVariables, ...common },
    };
  }

  return {
    name: "twilio",
    channels: [
      "sms",
      ...(callFrom === undefined ? [] : (["voice"] as const)),
      ...(firstLanguage === undefined ? [] : (["whatsapp"] as const)),
    ],
    countries: null,

    async send(message): Promise<DeliveryResult> {
      const asked = request(message);
      if (!asked) {
        return { kind: "refused", cause: `twilio has no ${message.channel}`, judgement: "not_this_route" };
      }
      const body = new URLSearchParams(asked.fields);
      const answer = await postForDelivery(`${account}/${asked.path}`, timeoutMs, { headers, body });
      if (answer.kind !== "answered") return answer;
      const { sid, status, code, error_code: reason, price, price_unit: unit } = answer.body;
      if (answer.status !== 201 || typeof sid !== "string") {
        const known = loggableErrorCode(code);
        return readRefusal(answer.status, twilioJudgement(known), errorCodeSuffix(known));
      }
      if (DEAD_STATES.includes(String(status)))
        return deadFromTheStart(String(status), loggableErrorCode(reason));
      return {
        kind: "accepted",
        messageId: sid,
        costMicros: statedMicros(price, unit, options.currency),
      };
    },

    readReceipt: (hook) => readTwilioReceipt(hook, authTokens),

    /** @see https://www.twilio.com/docs/messaging/api/message-feedback-resource */
    async feedback(messageId, channel, verified): Promise<FeedbackResult> {
      if (channel === "voice") return { kind: "deaf" };
      const url = `${account}/Messages/${encodeURIComponent(messageId)}/Feedback.json`;
      const body = new URLSearchParams({ Outcome: verified ? "confirmed" : "unconfirmed" });
      return feedbackResult(await postForDelivery(url, timeoutMs, { headers, body }));
    },
  };
}

/**
 * Reads a message that was created and has ended already. Without a code it was refused on this way: its state says that
 * nothing arrives.
 */
function deadFromTheStart(state: string, code: string | null): DeliveryResult {
  const cause = `twilio ${state}${errorCodeSuffix(code)}`;
  const judgement = twilioJudgement(code) ?? "not_this_route";
  return judgement === "unknown"
    ? { kind: "unknown", cause, connectionLost: false }
    : { kind: "refused", cause, judgement };
}

/** The `Authorization` header of an account: by its API key where there is one, else by its main token. */
export function twilioAuthorization({
  accountSid,
  authToken,
  apiKey,
}: Pick<TwilioOptions, "accountSid" | "authToken" | "apiKey">): string {
  const [user, password] = apiKey === undefined ? [accountSid, authToken] : [apiKey.sid, apiKey.secret];
  return `Basic ${btoa(`${user}:${password}`)}`;
}

/**
 * The instructions for a call that says the same thing twice, slowly.
 *
 * @param spoken digits apart, once
 * @param locale BCP 47; a language without a voice is read in English
 * @see https://www.twilio.com/docs/voice/twiml/say
 */
function spokenTwiml(spoken: string, locale: string): string {
  const language = closestTag(VOICE_LANGUAGES, locale);
  const say = `<Say voice="Google.${language}-Standard-A" language="${language}">${slowSpeech(spoken)}</Say>`;
  return `<Response><Pause length="1"/>${say}<Pause length="2"/>${say}</Response>`;
}
