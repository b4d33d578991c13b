import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { readOutboxMessage } from "../../src/adapters/cloudflare/queue-outbox.ts";
import { CUSTOMER_EVENT_TYPES, type CustomerEvent } from "../../src/domain/session/customer-event.ts";
import { consumeOutbox } from "../../src/flows/consumers/consume-outbox.ts";
import { settleReceipt } from "../../src/flows/delivery/settle-receipt.ts";
import { monitor } from "../../src/flows/monitor/monitor.ts";
import { OPERATOR_TOKEN, OUTSIDE, VIEWER_TOKEN } from "../support/addresses.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, eventually, from, makeService, wrong } from "../support/service.ts";

const PHONE = "+919876543210";
const SECRET = `whsec_${btoa("s".repeat(32))}`;
const HOOK = { EVENTS_WEBHOOK_URL: `${OUTSIDE.alerts}/hooks/customer`, EVENTS_WEBHOOK_SECRET: SECRET };
const ALL = { events: { types: [...CUSTOMER_EVENT_TYPES] } };

let queued: unknown[];

beforeEach(() => {
  queued = [];
  const { OUTBOX } = env;
  const sendBatch = OUTBOX.sendBatch.bind(OUTBOX);
  vi.spyOn(OUTBOX, "sendBatch").mockImplementation(async (messages, options) => {
    const all = [...messages];
    queued.push(...all.map(({ body }) => body));
    return sendBatch(all, options);
  });
  vi.spyOn(console, "log").mockImplementation(() => undefined);
});
afterEach(() => {
  vi.restoreAllMocks();
});

const events = (): CustomerEvent[] =>
  queued.flatMap((body) => {
    const read = readOutboxMessage(body);
    return read?.kind === "event" ? [read.event] : [];
  });
const typesIn = (told: readonly CustomerEvent[]) => told.map(({ type }) => type);
const told = (many: number) =>
  eventually(
    async () => events(),
    ({ length }) => length >= many,
  );
const bySequence = (all: readonly CustomerEvent[]) => all.toSorted((a, b) => a.sequence - b.sequence);

const objectOf = async ({ deps }: ReturnType<typeof makeService>, session: string) => {
  const claims = await deps.tokens.open(session);
  return env.SESSIONS.get(env.SESSIONS.idFromName(claims?.sessionId ?? ""));
};

test("a verification is told step by step, with sequences that put its events in order and ids that differ", async () => {
  const service = makeService({ ...ROOMY, ...ALL }, HOOK);
  const { body: sent } = await service.send({ phone: PHONE, flow: "login", reference: "order-9" });
  const code = await codeFor(PHONE);
  await told(1);
  await service.verify({ session: sent.session, code: wrong(code), reference: "order-9" });
  await told(2);
  await vi.waitFor(
    async () => {
      const answer = await service.verify({ session: sent.session, code, reference: "order-9" });
      expect(answer.status).toBe(200);
    },
    { timeout: 5000, interval: 300 },
  );
  const all = await told(3);
  expect(typesIn(bySequence(all))).toEqual([
    "verification.sent",
    "verification.attempt_failed",
    "verification.approved",
  ]);
  expect(new Set(all.map(({ id }) => id)).size).toBe(3);
  for (const event of all) {
    expect(event).toMatchObject({
      correlationId: sent.correlation_id,
      subject: { flow: "login", reference: "order-9", phoneHash: expect.stringMatching(/^v1,[\w-]{43}$/) },
    });
    expect(event.id).not.toContain(".");
  }
  expect(JSON.stringify(queued)).not.toContain(PHONE.slice(3));
});

test("the last wrong code locks, in this order though both are of the same moment", async () => {
  const service = makeService({ ...ROOMY, attempts: { max: 3, wait_seconds: [0] } }, HOOK);
  const { body: sent } = await service.send({ phone: PHONE });
  const code = wrong(await codeFor(PHONE));
  for (let i = 0; i < 3; i++) await service.verify({ session: sent.session, code });
  const all = bySequence(await told(4));
  expect(typesIn(all)).toEqual([...Array(3).fill("verification.attempt_failed"), "verification.locked"]);
  expect(all.map(({ facts }) => facts.attempts_left)).toEqual([2, 1, 0, undefined]);
});

test("a message's fate and the session's end reach the backend though neither brings the token", async () => {
  const service = makeService(ROOMY, HOOK);
  const { body: sent } = await service.send({ phone: PHONE, reference: "order-9" });
  const claims = await service.deps.tokens.open(sent.session);
  const owner = {
    sessionId: claims?.sessionId ?? "",
    sendIndex: 0,
    correlationId: sent.correlation_id,
    country: "IN",
    channel: "sms" as const,
    minute: Math.floor(Date.now() / 60_000),
    handedOverMs: Date.now(),
    session: null,
  };
  const receipt = {
    status: "undelivered",
    messageId: "m1",
    errorCode: "30005",
    atMs: null,
    costMicros: null,
  };
  const lost = receipt as unknown as Parameters<typeof settleReceipt>[2];
  await settleReceipt(service.deps, "sandbox", lost, owner);
  await settleReceipt(service.deps, "sandbox", lost, owner);
  await runInDurableObject(await objectOf(service, sent.session), (object) => object.alarm());
  const all = await told(2);
  expect(all.filter(({ type }) => type === "verification.undelivered")).toMatchObject([
    { subject: { reference: "order-9" }, facts: { error_code: "30005", message: 1 } },
  ]);
  expect(all.find(({ type }) => type === "verification.expired")).toMatchObject({
    id: `verification_expired:${sent.correlation_id}`,
    correlationId: sent.correlation_id,
    subject: { flow: "default", reference: "order-9", phoneHash: expect.stringMatching(/^v1,/) },
    facts: { wrong_codes: 0 },
  });
});

test("what the policy leaves out is not queued, and without a backend nothing is, nor kept in the session", async () => {
  const some = makeService({ ...ROOMY, events: { types: ["verification.locked"] } }, HOOK);
  const none = makeService({ ...ROOMY, ...ALL });
  for (const service of [some, none]) {
    const { body: sent } = await service.send({ phone: PHONE });
    await service.verify({ session: sent.session, code: await codeFor(PHONE) });
    const claims = await service.deps.tokens.open(sent.session);
    const view = await service.deps.sessions.view(claims?.sessionId ?? "", service.deps.policy);
    expect(view?.customer ?? null).toBeNull();
  }
  await new Promise((resolve) => setTimeout(resolve, 200));
  expect(events()).toEqual([]);
});

test("an attack is suspected once, and the posture's change is told once, whoever set it", async () => {
  const service = makeService({ challenge: "emergency", ...ROOMY }, HOOK);
  const start = Date.now();
  vi.useFakeTimers({ toFake: ["Date"] });
  try {
    for (let i = 0; i < 40; i++) await service.send({ phone: `+9198765${43000 + i}` }, from(`192.0.2.${i}`));
    for (const minute of [3, 4, 5]) {
      vi.setSystemTime(start + minute * 60_000);
      await monitor(service.deps, start + minute * 60_000);
    }
    const all = events();
    expect(all.filter(({ type }) => type === "posture.changed")).toMatchObject([
      { correlationId: null, facts: { from: "normal", by: "cron" } },
    ]);
    const [first, ...more] = all.filter(({ type }) => type === "fraud.suspected");
    expect(first?.facts.incident).toMatchObject({
      severity: expect.any(String),
      findings: expect.any(Array),
    });
    expect(more.filter(({ facts }) => facts.incident !== null)).toEqual([]);
    const why = "for the test";
    const admin = { authorization: `Bearer ${OPERATOR_TOKEN}` };
    const set = { posture: "shutdown", for_seconds: 3600, why };
    expect((await service.call("PUT", "/admin/v1/posture", set, admin)).status).toBe(200);
    vi.setSystemTime(start + 6 * 60_000);
    await monitor(service.deps, start + 6 * 60_000);
    expect(
      events()
        .filter(({ type }) => type === "posture.changed")
        .at(-1),
    ).toMatchObject({
      facts: { to: "shutdown", by: "tests", why },
    });
  } finally {
    vi.useRealTimers();
    for (const key of ["emergency-mode", "cron-blocks", "operator-mode"]) await env.CONTROL.delete(key);
  }
});

test("an operator's test goes through the queue to the backend, is written down, and is for operators alone", async () => {
  const service = makeService(ROOMY, HOOK);
  const admin = (token: string) => ({ authorization: `Bearer ${token}` });
  const body = { why: "to see whether it arrives" };
  const path = "/admin/v1/webhooks/test";
  expect((await service.call("POST", path, body, admin(VIEWER_TOKEN))).status).toBe(403);
  const tested = await service.call("POST", path, body, admin(OPERATOR_TOKEN));
  expect(tested.status).toBe(200);
  expect(tested.body.notes.join(" ")).toContain("The queue has the event");
  const actions = await service.deps.records.actions(10);
  const written = expect.objectContaining({ what: "webhook tested", who: "tests", why: body.why });
  expect(actions.kind === "answered" && actions.actions).toContainEqual(written);

  const settled: string[] = [];
  const settle = (how: string) => () => {
    settled.push(how);
  };
  const message = { id: "q1", body: queued[0], attempts: 1, ack: settle("ack"), retry: settle("retry") };
  await consumeOutbox(service.deps, [message]);
  expect(settled).toEqual(["ack"]);
  const heard = await (await fetch(`${OUTSIDE.alerts}/hooks/customer`)).json();
  expect(heard).toMatchObject([{ body: { type: "test", data: { correlation_id: null } } }]);

  const settings = await service.call("GET", "/admin/v1/webhooks", undefined, admin(VIEWER_TOKEN));
  expect(settings.body).toMatchObject({ set_up: true, host: "localhost:8790", secrets: 1, given_up: 0 });
  expect(JSON.stringify(settings.body)).not.toMatch(/whsec_|hooks\/customer/);
  const bare = makeService(ROOMY);
  expect((await bare.call("POST", path, body, admin(OPERATOR_TOKEN))).status).toBe(404);
  expect((await bare.call("GET", "/admin/v1/webhooks", undefined, admin(VIEWER_TOKEN))).body).toMatchObject({
    set_up: false,
    host: null,
  });
});

test("a correlation id finds the whole story, in order, for viewers too", async () => {
  const service = makeService(ROOMY);
  const { body: sent } = await service.send({ phone: PHONE, flow: "login" });
  await service.verify({ session: sent.session, code: await codeFor(PHONE) });
  const look = (id: string) =>
    service.call("GET", `/admin/v1/trace/${id}`, undefined, { authorization: `Bearer ${VIEWER_TOKEN}` });
  await vi.waitFor(
    async () => {
      const { body } = await look(sent.correlation_id);
      expect(body.events?.map(({ kind }: { kind: string }) => kind)).toEqual([
        "requested",
        "sent",
        "verified",
        "feedback",
      ]);
      expect(body).toMatchObject({
        correlation_id: sent.correlation_id,
        session: { status: "verified", sends: 1 },
      });
      expect(JSON.stringify(body)).not.toContain(PHONE.slice(3));
    },
    { timeout: 10_000, interval: 200 },
  );
  expect((await look(crypto.randomUUID())).status).toBe(404);
  expect((await look("%27%20OR%201")).status).toBe(404);
});
