import { createHmac } from "node:crypto";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { customerWebhook } from "../../../src/adapters/alerts/customer-webhook.ts";
import { queueOutbox, readOutboxMessage } from "../../../src/adapters/cloudflare/queue-outbox.ts";
import { parseConfig } from "../../../src/config/config.ts";
import { OWNER_ROLES } from "../../../src/domain/monitor/alerts.policy.ts";
import {
  CUSTOMER_EVENT_TYPES,
  type CustomerEvent,
  customerEvent,
} from "../../../src/domain/session/customer-event.ts";
import {
  consumeOutbox,
  keepOutboxDeadLetters,
  type OutboxConsumerDeps,
} from "../../../src/flows/consumers/consume-outbox.ts";
import { notifyCustomer } from "../../../src/flows/publish/notify-customer.ts";
import { memoryRecords } from "../../../src/memory/memory-records.ts";
import type { Deps } from "../../../src/ports/deps.ts";
import type { OutboxMessage } from "../../../src/ports/outbox.ts";
import type { DeadLetter } from "../../../src/ports/records.ts";
import { testBindings } from "../../support/bindings.ts";

const whsec = (fill: number) => `whsec_${Buffer.alloc(32, fill).toString("base64")}`;
const PHONE = "+919876543210";
const EVENT: CustomerEvent = customerEvent({
  type: "verification.attempt_failed",
  of: "c1:2",
  atMs: Date.UTC(2026, 6, 1, 12),
  nth: 97,
  correlationId: "c1",
  subject: { flow: "payment", reference: "transfer-17", phoneHash: "v1,abc" },
  facts: { attempts_left: 2 },
});

const POLICY = {
  countries: { allow: ["*"] },
  captcha: { hostnames: ["here"], site_key: "key" },
  proof: { issuer: "https://tollgate.example", audience: "tests" },
  message: { brand: "Tests" },
  delivery: { providers: ["sandbox"] },
  alerts: { owners: OWNER_ROLES.map((role) => ({ role, name: "Nobody", channels: ["slack"] })) },
};

let server: Server;
let url: string;
let answer = { status: 204, headers: {} as Record<string, string> };
const heard: { headers: IncomingHttpHeaders; body: string }[] = [];

beforeAll(async () => {
  server = createServer(async (request, response) => {
    let body = "";
    for await (const chunk of request) body += chunk;
    heard.push({ headers: request.headers, body });
    response.writeHead(answer.status, answer.headers).end();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hook`;
});
afterAll(() => server.close());
beforeEach(() => {
  heard.length = 0;
  answer = { status: 204, headers: {} };
});

test("the official library accepts an event, with either secret while they are exchanged, and not one that was changed", async () => {
  await customerWebhook({ url, secrets: [whsec(1), whsec(2)] }).tell(EVENT);
  const [call] = heard;
  const headers = call?.headers as Record<string, string>;
  for (const fill of [1, 2]) {
    expect(new Webhook(whsec(fill)).verify(call?.body ?? "", headers)).toEqual({
      type: "verification.attempt_failed",
      timestamp: "2026-07-01T12:00:00.000Z",
      data: {
        sequence: Date.UTC(2026, 6, 1, 12) * 1000 + 397,
        correlation_id: "c1",
        flow: "payment",
        reference: "transfer-17",
        phone_hash: "v1,abc",
        attempts_left: 2,
      },
    });
  }
  expect(headers["webhook-id"]).toBe(EVENT.id);
  expect(() => new Webhook(whsec(3)).verify(call?.body ?? "", headers)).toThrow();
  expect(() => new Webhook(whsec(1)).verify(`${call?.body} `, headers)).toThrow();
});

test("a backend that knows the secret finds its user's number by the hash, and nobody else does", async () => {
  const expected = createHmac("sha256", Buffer.alloc(32, 1)).update(PHONE).digest("base64url");
  expect(await customerWebhook({ url, secrets: [whsec(1)] }).hashPhone(PHONE)).toBe(`v1,${expected}`);
  expect(await customerWebhook({ url, secrets: [whsec(2)] }).hashPhone(PHONE)).not.toBe(`v1,${expected}`);
});

test.each([
  [200, { kind: "told" }],
  [503, { kind: "failed", retryable: true }],
  [404, { kind: "failed", retryable: true }],
  [410, { kind: "failed", retryable: false }],
  [302, { kind: "failed", retryable: true }],
])("an answer of %i is %j", async (status, outcome) => {
  answer = { status, headers: {} };
  expect(await customerWebhook({ url, secrets: [whsec(1)] }).tell(EVENT)).toMatchObject(outcome);
});

test("what is queued says whose it is by hash and reference, holds no number, and is a letter where no queue takes it", async () => {
  const queued: OutboxMessage[] = [];
  const queue = {
    async sendBatch(messages: Iterable<{ body: OutboxMessage }>) {
      queued.push(...[...messages].map(({ body }) => body));
    },
  } as unknown as Queue;
  const about = { flow: "payment", reference: "transfer-17", phone: PHONE };
  const failed = { of: "c1:3", correlationId: "c1", about, facts: { attempts_left: 3 } };
  const locked = { of: "c1", correlationId: "c1", about };
  const deps = {
    policy: { events: { types: CUSTOMER_EVENT_TYPES } } as unknown as Deps["policy"],
    customer: customerWebhook({ url, secrets: [whsec(1)] }),
    outbox: queueOutbox(queue),
    records: memoryRecords(),
    log: () => undefined,
    nowMs: () => EVENT.atMs,
  };
  await notifyCustomer(deps, "verification.attempt_failed", failed);
  expect(queued).toMatchObject([
    { kind: "event", event: { id: "verification_attempt_failed:c1:3", facts: { attempts_left: 3 } } },
  ]);
  expect(JSON.stringify(queued)).not.toContain(PHONE.slice(1));
  expect(readOutboxMessage(queued[0])).toEqual(queued[0]);
  const away = { put: async () => ({ kind: "unavailable" as const, cause: "the queue does not take it" }) };
  await notifyCustomer({ ...deps, outbox: away }, "verification.locked", locked);
  const letters = await deps.records.deadLetters(10);
  expect(letters).toMatchObject({ letters: [{ id: "verification_locked:c1", queue: "customer" }] });
  await notifyCustomer({ ...deps, customer: null }, "verification.attempt_failed", failed);
  const policy = { events: { types: ["verification.locked"] } } as unknown as Deps["policy"];
  await notifyCustomer({ ...deps, policy }, "verification.attempt_failed", failed);
  expect(queued).toHaveLength(1);
});

function worker(customer: OutboxConsumerDeps["customer"]) {
  const letters: DeadLetter[] = [];
  const deps = {
    customer,
    readForProvider: readOutboxMessage,
    alertQueue: { read: () => null },
    records: {
      async bury(letter: DeadLetter) {
        letters.push(letter);
        return { kind: "done" };
      },
    },
    random: () => 0,
    nowMs: () => EVENT.atMs,
    log: () => undefined,
  } as unknown as OutboxConsumerDeps;
  const settled: unknown[] = [];
  const message = (attempts: number) => ({
    id: "m1",
    body: { kind: "event", event: EVENT },
    attempts,
    ack: () => settled.push("ack"),
    retry: (options?: { delaySeconds?: number }) => settled.push(options?.delaySeconds),
  });
  return { deps, letters, settled, message };
}

test("a backend that is away is tried for about a day, and then the event lies among the dead letters", async () => {
  answer = { status: 503, headers: {} };
  const { deps, letters, settled, message } = worker(customerWebhook({ url, secrets: [whsec(1)] }));
  for (let attempts = 1; attempts <= 8; attempts++) await consumeOutbox(deps, [message(attempts)]);
  const waits = settled.slice(0, -1) as number[];
  expect(settled.at(-1)).toBe("ack");
  expect(waits).toEqual(waits.toSorted((a, b) => a - b));
  expect(waits.reduce((sum, wait) => sum + wait, 0)).toBeGreaterThan(24 * 3600);
  expect(Math.max(...waits)).toBeLessThanOrEqual(43_200);
  expect(letters).toMatchObject([{ id: "m1", queue: "customer" }]);
  expect(new Set(heard.map(({ headers }) => headers["webhook-id"])).size).toBe(1);
});

test("what the queue gave up lies under the customer's name", async () => {
  const { deps, letters, message } = worker(null);
  await keepOutboxDeadLetters(deps, [message(9)]);
  expect(letters).toMatchObject([{ queue: "customer" }]);
});

test.each([
  [
    { EVENTS_WEBHOOK_URL: "https://example.com" },
    "EVENTS_WEBHOOK_SECRET: and EVENTS_WEBHOOK_URL belong together",
  ],
  [{ EVENTS_WEBHOOK_SECRET: whsec(1) }, "EVENTS_WEBHOOK_SECRET: and EVENTS_WEBHOOK_URL belong together"],
  [{ EVENTS_WEBHOOK_URL: "http://example.com" }, "EVENTS_WEBHOOK_URL: must be https"],
  [{ EVENTS_WEBHOOK_SECRET: "secret" }, "EVENTS_WEBHOOK_SECRET: "],
])("settings that cannot work are refused by name: %j", (settings, fault) => {
  const config = parseConfig({ ...testBindings(), POLICY, ...settings });
  expect(config.ok ? [] : config.faults.join("\n")).toContain(fault);
});
