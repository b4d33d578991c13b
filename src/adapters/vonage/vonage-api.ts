/** The shared part of Vonage's APIs: the account's settings, an application's token, and the codes of errors. */
import { importPKCS8, SignJWT } from "jose";
import type { DeliveryResult } from "../../ports/delivery.ts";
import { errorCodeSuffix, readRefusal } from "../providers/provider-http.ts";
import { vonageMessagesJudgement } from "./vonage-codes.ts";
import type { SignatureSecret, SmsSignatureMethod } from "./vonage-signature.ts";

export interface VonageApplication {
  applicationId: string;
  /** PKCS #8 PEM as the dashboard hands it out (`BEGIN PRIVATE KEY`). */
  privateKey: string;
}

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
  /** Secrets that webhooks may be signed with; the old and the new one while a secret is exchanged. */
  signatureSecrets: readonly SignatureSecret[];
  /** The account's setting for the SMS API ("Signed webhooks" in the dashboard). */
  smsSignature: SmsSignatureMethod;
  /** Sender id or number of SMS. */
  from: string;
  /** Caller id of calls, E.164, a number of the application. Without it there are no calls. */
  callFrom?: string | undefined;
  /** Without it there is no WhatsApp. */
  whatsApp?: WhatsAppSender | undefined;
  /** The https address of receipts; null where no address can be reached from outside. */
  receiptUrl: string | null;
  /** ISO 4217, of the price table. Vonage states euros: with another currency no stated price is taken. */
  currency: string;
  timeoutMs: number;
  nowMs(): number;
}

/** The currency of Vonage's bills, and of prices for which it states none. */
export const VONAGE_CURRENCY = "EUR";

/** Vonage takes up to a day; this is what its own clients use. */
const TTL_SECONDS = 900;

/**
 * Makes the `Authorization` header of an application: a JWT by RS256, a new one for each request.
 *
 * @returns null when the key does not sign: then every request would be refused, and none is made
 * @see https://developer.vonage.com/en/getting-started/concepts/authentication#json-web-tokens
 */
export function vonageBearer(
  { applicationId, privateKey }: VonageApplication,
  nowMs: () => number,
): () => Promise<string | null> {
  let key: Promise<CryptoKey> | undefined;
  return async () => {
    const nowSeconds = Math.floor(nowMs() / 1000);
    try {
      key ??= importPKCS8(privateKey, "RS256");
      const token = await new SignJWT({ application_id: applicationId })
        .setProtectedHeader({ alg: "RS256", typ: "JWT" })
        .setJti(crypto.randomUUID())
        .setIssuedAt(nowSeconds)
        .setExpirationTime(nowSeconds + TTL_SECONDS)
        .sign(await key);
      return `Bearer ${token}`;
    } catch {
      return null;
    }
  };
}

/**
 * The code of a problem: in the fragment of its type, or its title. Anything longer than a code is dropped, so that no
 * number gets into a log.
 */
export function vonageProblemCode(problem: { type?: unknown; title?: unknown }): string | null {
  const [, fragment = ""] = String(problem.type).split("#");
  return [fragment, String(problem.title)].find((text) => /^\d{1,5}$/.test(text)) ?? null;
}

/** Reads an answer of the Messages or Voice API that is no acceptance. */
export function readVonageRefusal(status: number, body: Record<string, unknown>): DeliveryResult {
  const code = vonageProblemCode(body);
  const [, name = ""] = String(body.type).split("#");
  const judgement = vonageMessagesJudgement(code) ?? vonageMessagesJudgement(name);
  return readRefusal(status, judgement, errorCodeSuffix(code));
}
