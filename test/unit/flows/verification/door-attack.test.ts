/** An attack through a door leaves no more messages than through `/v1/send`, under the shipped budgets. */
import { describe, expect, test } from "vitest";
import { deliverCode } from "../../../../src/flows/verification/deliver-code.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { startVerification } from "../../../../src/flows/verification/start-verification.ts";
import type { Caller } from "../../../../src/ports/admission.ts";
import { type DeliveryWorld, deliveryWorld, roomyPolicy } from "../../../support/delivery-world.ts";

const flows = { default: {}, quiet: { verified: "unknown" } };
/** The shipped budgets and limits, over a policy that stops nobody before them. */
const strict = () => roomyPolicy({ providers: ["sandbox"] }, { exposure: {}, limits: {}, risk: {}, flows });

const key = { keyId: "k", flows: ["*"], skipCaptcha: true, maxPerMinute: 6000 };
const server = (ip: string | null): Caller => ({ ip, asn: null, country: null, server: key });
const NOTHING = {
  region: undefined,
  locale: undefined,
  reference: undefined,
  userId: undefined,
  captchaToken: undefined,
  deviceToken: undefined,
  deviceId: undefined,
  idempotencyKey: undefined,
};

type Ask = (world: DeliveryWorld, phone: string, n: number, ip: string | null) => Promise<unknown>;

const DOORS: Record<string, Ask> = {
  send: ({ deps }, phone, n, ip) =>
    send(deps, { ...NOTHING, phone, flow: "default", channel: "sms" }, server(ip), `send-${n}`),
  twilio: ({ deps }, phone, n, ip) =>
    startVerification(
      deps,
      {
        ...NOTHING,
        scope: "twilio VA",
        phone,
        flow: "default",
        channel: "sms",
        creates: { max: 5, window_seconds: 600 },
        whilePending: "resend",
      },
      server(ip),
      `twilio-${n}`,
    ),
  vonage: ({ deps }, phone, n) =>
    startVerification(
      deps,
      {
        ...NOTHING,
        scope: "vonage",
        phone,
        flow: "default",
        channel: "sms",
        creates: null,
        whilePending: "conflict",
      },
      server(null),
      `vonage-${n}`,
    ),
  deliver: ({ deps }, phone, n, ip) => deliver(deps, phone, n, ip, "default"),
  "deliver of a flow that nobody reports": ({ deps }, phone, n, ip) => deliver(deps, phone, n, ip, "quiet"),
};

const deliver = (deps: DeliveryWorld["deps"], phone: string, n: number, ip: string | null, flow: string) =>
  deliverCode(
    deps,
    { ...NOTHING, scope: "gateway", phone, flow, channel: "sms", givenCode: String(100_000 + n) },
    server(ip),
    `deliver-${n}`,
  );

/** Numbers of an attack: many of one range, of one country, and of several. */
const AIMS: Record<string, (n: number) => string> = {
  "one number": () => "+919876500000",
  "one range": (n) => `+9198765${String(n % 10_000).padStart(5, "0")}`,
  "one country": (n) => `+91${9_000_000_000 + n * 7_654_321}`,
  "three countries": (n) =>
    [
      `+91${9_000_000_000 + n * 7_654_321}`,
      `+4915${1_000_000_00 + n * 76_543}`,
      `+44791${1_000_000 + n * 7_919}`,
    ][n % 3] ?? "",
};

async function attack(door: string, aim: string): Promise<number> {
  const world = deliveryWorld({ policy: strict(), pass: async () => undefined });
  for (let n = 0; n < 300; n++) {
    await DOORS[door]?.(world, AIMS[aim]?.(n) ?? "", n, `198.51.${n >> 8}.${n & 255}`);
    await world.settle();
    world.advance(61_000);
  }
  return world.providers.reduce((sum, { taken }) => sum + taken.length, 0);
}

describe.each(Object.keys(AIMS))("an attack on %s, an address each, nobody answering", (aim) => {
  test("leaves no more messages through any door than through /v1/send", async () => {
    const bySend = await attack("send", aim);
    expect(bySend).toBeGreaterThan(0);
    for (const door of Object.keys(DOORS)) {
      expect(await attack(door, aim), `${door}, against ${bySend}`).toBeLessThanOrEqual(bySend);
    }
  });
});
