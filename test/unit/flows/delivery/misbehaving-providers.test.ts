import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { afterEach, describe, expect, test } from "vitest";
import { twilioProvider } from "../../../../src/adapters/twilio/twilio-provider.ts";
import { send } from "../../../../src/flows/verification/send.ts";
import { callerOf, deliveryWorld, requestOf, roomyPolicy } from "../../../support/delivery-world.ts";
import { type Behaviour, json, openRudeServer, page, type RudeServer } from "../../../support/rude-server.ts";

const STRICT = JSON.parse(readFileSync("scripts/policies/strict.json", "utf8"));
const REQUESTS = 60;
const IMPATIENCE_MS = 150;

let open: RudeServer[] = [];
afterEach(async () => {
  await Promise.all(open.map((server) => server.close()));
  open = [];
});

/** A provider's service: what it answers, and whether the message has left all the same. */
interface Service {
  name: string;
  delivers: boolean;
  answer: Behaviour;
}

const ACCEPTS: Service = {
  name: "is well",
  delivers: true,
  answer: json(201, { sid: "SM1", status: "queued" }),
};

/** Each takes a message or does not, and says something else, or nothing. */
const MISBEHAVING: Service[] = [
  { name: "delivers and answers 500", delivers: true, answer: page(500) },
  { name: "delivers and answers 503", delivers: true, answer: json(503, { code: 20503 }) },
  { name: "delivers and answers 429 without its documented body", delivers: true, answer: page(429) },
  { name: "delivers behind a gateway that answers 502", delivers: true, answer: page(502) },
  { name: "delivers and closes the connection", delivers: true, answer: { kind: "drop" } },
  { name: "delivers and says nothing", delivers: true, answer: { kind: "hang" } },
  { name: "delivers and breaks off", delivers: true, answer: { kind: "cut", status: 201, body: '{"sid":' } },
  { name: "delivers and answers without an id", delivers: true, answer: json(201, { status: "queued" }) },
  {
    name: "stops everything as fraud",
    delivers: false,
    answer: json(201, { sid: "SM1", status: "failed", error_code: 30450 }),
  },
  { name: "is another host by now, with a page", delivers: false, answer: page(404) },
  {
    name: "redirects elsewhere",
    delivers: false,
    answer: { kind: "answer", status: 302, body: "", headers: { location: "https://example.com/" } },
  },
  {
    name: "refuses every number",
    delivers: false,
    answer: json(400, { code: 21211, message: "no", status: 400 }),
  },
];

/** Sends to so many different people under the strict policy, the first provider being this one and the second one well. */
async function sendsBy(first: Service) {
  const policy = roomyPolicy(
    { providers: ["sandbox", "sandbox_b"], pin: { IN: "sandbox" }, refunds_per_minute: 20 },
    STRICT,
  );
  const world = deliveryWorld({ policy, seed: first.name });
  const received = new Map<string, number>();
  const providers = await Promise.all(
    [first, ACCEPTS].map(async ({ delivers, answer }) => {
      const server = await openRudeServer();
      open.push(server);
      server.behave(async ({ body }) => {
        const to = new URLSearchParams(body).get("To") ?? "";
        if (delivers) received.set(to, (received.get(to) ?? 0) + 1);
        return answer;
      });
      return twilioProvider({
        apiUrl: server.url,
        accountSid: `AC${"0".repeat(32)}`,
        authToken: randomBytes(16).toString("hex"),
        messagingServiceSid: `MG${"0".repeat(32)}`,
        receiptUrl: null,
        currency: "USD",
        timeoutMs: IMPATIENCE_MS,
      });
    }),
  );
  world.deps.providers = new Map(
    ["sandbox", "sandbox_b"].map((name, i) => [name, providers[i] as NonNullable<(typeof providers)[0]>]),
  );
  for (let i = 0; i < REQUESTS; i++) {
    await send(world.deps, requestOf(i * 1000), callerOf(i * 1000), `c${i}`);
    await world.settle();
  }
  return { received, world };
}

const sum = (received: ReadonlyMap<string, number>) => [...received.values()].reduce((a, b) => a + b, 0);

describe("under the strict policy a provider that", () => {
  const budget = STRICT.exposure.country.base as number;

  test("is well sends the budget of a country that verifies nobody, and no more", async () => {
    const { received } = await sendsBy(ACCEPTS);
    expect(sum(received)).toBe(budget);
  });

  test.each(MISBEHAVING)("$name sends at most its budget, and nobody gets two", async (service) => {
    const { received } = await sendsBy(service);
    expect(sum(received)).toBeLessThanOrEqual(budget);
    expect(Math.max(0, ...received.values())).toBeLessThanOrEqual(1);
    if (service.delivers) expect(sum(received), "it was asked at all").toBeGreaterThan(0);
  });
});
