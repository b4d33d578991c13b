import { generateKeyPairSync, randomBytes, randomUUID } from "node:crypto";
import { expect } from "vitest";
import { msg91Provider } from "../../../src/adapters/providers/msg91-provider.ts";
import { sandboxProvider } from "../../../src/adapters/providers/sandbox-provider.ts";
import { startMessagingProvider } from "../../../src/adapters/providers/startmessaging-provider.ts";
import { webhookProvider } from "../../../src/adapters/providers/webhook-provider.ts";
import { twilioProvider } from "../../../src/adapters/twilio/twilio-provider.ts";
import { vonageProvider } from "../../../src/adapters/vonage/vonage-provider.ts";
import type { OutgoingMessage, ProviderPort } from "../../../src/ports/delivery.ts";
import { type Behaviour, json } from "../../support/rude-server.ts";

/** For services that answer: long enough for a busy machine. */
const PATIENCE_MS = 8000;

/** For services that do not. */
export const IMPATIENCE_MS = 300;

export const newSecret = () => `whsec_${randomBytes(32).toString("base64")}`;

export const TWILIO = {
  accountSid: `AC${"0123456789abcdef".repeat(2)}`,
  authToken: randomBytes(16).toString("hex"),
  messagingServiceSid: `MG${"fedcba9876543210".repeat(2)}`,
  receiptUrl: null,
  currency: "USD",
};

const VONAGE = {
  applicationId: randomUUID(),
  privateKey: generateKeyPairSync("rsa", {
    modulusLength: 2048,
    publicKeyEncoding: { type: "spki", format: "pem" },
    privateKeyEncoding: { type: "pkcs8", format: "pem" },
  }).privateKey,
  apiKey: "abcd1234",
  apiSecret: randomBytes(16).toString("hex"),
  signatureSecrets: [],
  smsSignature: "sha256" as const,
  from: "+15550100",
  receiptUrl: null,
  currency: "EUR",
  nowMs: () => Date.now(),
};

export const STARTMESSAGING = {
  apiKey: `sm_live_${randomBytes(16).toString("hex")}`,
  templateIds: { en: "1107160000000000001", hi: "1107160000000000002" },
  brand: "Café",
};

export const MSG91 = {
  authKey: randomBytes(16).toString("hex"),
  service: "flow" as const,
  templateIds: { en: "64b1f0a1d6fc0512340000aa", hi: "64b1f0a1d6fc0512340000bb" },
  codeVariable: "OTP",
  receiptKeys: [randomBytes(16).toString("hex")],
};

export const WEBHOOK = { name: "webhook", secrets: [newSecret(), newSecret()] };

export const SANDBOX = { name: "sandbox", receiptSecret: newSecret() };

/** A message nobody has sent yet; its text is not plain ASCII, as brands are not. */
export const messageTo = (to = "+919876543210"): OutgoingMessage => ({
  to,
  country: "IN",
  body: "491827 is your Café ✓ code.\n\n@app.example.com #491827",
  code: "491827",
  spoken: "Your Café code is: 4, 9, 1, 8, 2, 7.",
  locale: "en",
  dlt: null,
  channel: "sms",
  ttlSeconds: 180,
  correlationId: randomUUID(),
  idempotencyKey: `${randomUUID()}.0`,
});

const twilioAt = (apiUrl: string, timeoutMs = PATIENCE_MS) =>
  twilioProvider({ ...TWILIO, apiUrl, timeoutMs });

export const sandboxAt = (baseUrl: string, timeoutMs = PATIENCE_MS) =>
  sandboxProvider({ ...SANDBOX, baseUrl, timeoutMs });

export const webhookAt = (url: string, timeoutMs = PATIENCE_MS) =>
  webhookProvider({ ...WEBHOOK, url, timeoutMs, channels: ["sms", "whatsapp"], countries: null });

export const startMessagingAt = (apiUrl: string, timeoutMs = PATIENCE_MS) =>
  startMessagingProvider({ ...STARTMESSAGING, apiUrl, timeoutMs });

export const msg91At = (apiUrl: string, timeoutMs = PATIENCE_MS, service: "flow" | "otp" = "flow") =>
  msg91Provider({ ...MSG91, service, apiUrl, timeoutMs });

const vonageAt = (api: "messages" | "sms") => (url: string, timeoutMs?: number) =>
  vonageProvider({ ...VONAGE, api, apiUrl: url, smsUrl: url, timeoutMs: timeoutMs ?? PATIENCE_MS });

/** A provider under test, and how its service speaks. */
export interface Contender {
  /** Of the provider, and of its way to send where it has two. */
  label: string;
  name: string;
  at(url: string, timeoutMs?: number): ProviderPort;
  accepted(id: string): Behaviour;
  acceptedWithoutId: Behaviour;
  /** An answer that looks like a success and is none; null where the service has no such thing. */
  errorInSuccess: Behaviour | null;
}

export const contenders: Contender[] = [
  {
    label: "sandbox",
    name: "sandbox",
    at: sandboxAt,
    accepted: (id) => json(202, { message_id: id }),
    acceptedWithoutId: json(202, {}),
    errorInSuccess: null,
  },
  {
    label: "webhook",
    name: "webhook",
    at: webhookAt,
    accepted: (id) => json(200, { message_id: id }),
    acceptedWithoutId: json(200, { message_id: "" }),
    errorInSuccess: null,
  },
  {
    label: "startmessaging",
    name: "startmessaging",
    at: startMessagingAt,
    accepted: (id) =>
      json(201, { success: true, statusCode: 201, data: { messageId: id, status: "queued" } }),
    acceptedWithoutId: json(201, { success: true, data: { status: "queued" } }),
    errorInSuccess: json(201, { success: false, data: { messageId: "3763646c3058373530393938" } }),
  },
  ...(["flow", "otp"] as const).map((service) => ({
    label: `msg91 ${service}`,
    name: "msg91",
    at: (url: string, timeoutMs?: number) => msg91At(url, timeoutMs, service),
    accepted: (id: string) => json(200, { type: "success", message: id }),
    acceptedWithoutId: json(200, { type: "success", message: "otp_sent_successfully" }),
    errorInSuccess: json(200, { type: "error", message: "Invalid authkey" }),
  })),
  {
    label: "twilio",
    name: "twilio",
    at: twilioAt,
    accepted: (id) => json(201, { sid: id, status: "queued", error_code: null }),
    acceptedWithoutId: json(201, { status: "queued" }),
    errorInSuccess: json(201, { sid: "SM1", status: "failed", error_code: 30007 }),
  },
  {
    label: "vonage messages",
    name: "vonage",
    at: vonageAt("messages"),
    accepted: (id) => json(202, { message_uuid: id }),
    acceptedWithoutId: json(202, {}),
    errorInSuccess: null,
  },
  {
    label: "vonage sms",
    name: "vonage",
    at: vonageAt("sms"),
    accepted: (id) => json(200, { "message-count": "1", messages: [{ status: "0", "message-id": id }] }),
    acceptedWithoutId: json(200, { "message-count": "1", messages: [{ status: "0" }] }),
    errorInSuccess: json(200, {
      "message-count": "1",
      messages: [{ status: "4", "error-text": "Bad Credentials" }],
    }),
  },
];

const SECRETS = [
  TWILIO.authToken,
  VONAGE.apiSecret,
  STARTMESSAGING.apiKey,
  MSG91.authKey,
  ...MSG91.receiptKeys,
  SANDBOX.receiptSecret,
  ...WEBHOOK.secrets,
];

/** What an answer would say to get the most into a log. */
export const everythingOf = (message: OutgoingMessage): string =>
  `To ${message.to} Body ${message.body} Tokens ${SECRETS.join(" ")}`;

/** What no result may repeat: it goes into the log. */
export function expectNoSecrets(result: object, message: OutgoingMessage): void {
  const text = JSON.stringify(result);
  for (const secret of [message.to.slice(1), message.code, ...SECRETS]) expect(text).not.toContain(secret);
}
