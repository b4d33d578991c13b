import { randomBytes, randomUUID } from "node:crypto";
import { expect } from "vitest";
import { sandboxProvider } from "../../src/adapters/provider-sandbox.ts";
import { twilioProvider } from "../../src/adapters/provider-twilio.ts";
import type { DeliveryResult, OutgoingMessage, ProviderPort } from "../../src/ports.ts";
import { type Behaviour, json } from "../support/rude-server.ts";

/** For services that answer: long enough for a busy machine. */
const PATIENCE_MS = 8000;

/** For services that do not. */
export const IMPATIENCE_MS = 300;

export const TWILIO = {
  accountSid: `AC${"0123456789abcdef".repeat(2)}`,
  authToken: randomBytes(16).toString("hex"),
  messagingServiceSid: `MG${"fedcba9876543210".repeat(2)}`,
  validitySeconds: 180,
};

/** A message nobody has sent yet; its text is not plain ASCII, as brands are not. */
export const messageTo = (to = "+919876543210"): OutgoingMessage => ({
  to,
  country: "IN",
  body: "491827 is your Café ✓ code.\n\n@app.example.com #491827",
  code: "491827",
  spoken: "4, 9, 1, 8, 2, 7",
  locale: "en",
  channel: "sms",
  ttlSeconds: 180,
  correlationId: randomUUID(),
  idempotencyKey: `${randomUUID()}.0`,
});

export const twilioAt = (apiUrl: string, timeoutMs = PATIENCE_MS) =>
  twilioProvider({ ...TWILIO, apiUrl, timeoutMs });

export const sandboxAt = (url: string, timeoutMs = PATIENCE_MS) => sandboxProvider(url, timeoutMs);

/** A provider under test, and how its service says yes. */
export interface Contender {
  name: string;
  at(url: string, timeoutMs?: number): ProviderPort;
  accepted(id: string): Behaviour;
  acceptedWithoutId: Behaviour;
}

export const contenders: Contender[] = [
  {
    name: "sandbox",
    at: sandboxAt,
    accepted: (id) => json(202, { message_id: id }),
    acceptedWithoutId: json(202, {}),
  },
  {
    name: "twilio",
    at: twilioAt,
    accepted: (id) => json(201, { sid: id, status: "queued", error_code: null }),
    acceptedWithoutId: json(201, { status: "queued" }),
  },
];

/** What no result may repeat: it goes into the log. */
export function expectNoSecrets(result: DeliveryResult, message: OutgoingMessage): void {
  const text = JSON.stringify(result);
  const [code = ""] = message.body.split(" ");
  for (const secret of [message.to.slice(1), code, TWILIO.authToken]) expect(text).not.toContain(secret);
}
