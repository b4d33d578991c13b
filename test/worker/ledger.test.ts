import { runDurableObjectAlarm } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { EMPTY_EVENT_DETAILS, type LedgerRow } from "../../src/domain/ledger/event.ts";
import worker from "../../src/worker.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, from, makeService, wrong } from "../support/service.ts";

const PHONE = "+919876543210";
const IP = "198.51.100.77";
const TABLES = [
  "verifications",
  "ledger",
  "ledger_numbers",
  "ledger_addresses",
  "refusals",
  "ledger_upkeep",
  "dead_letters",
  "incidents",
  "operator_actions",
];

let lines: string[];

beforeEach(async () => {
  for (const table of TABLES) await env.DB.prepare(`DELETE FROM ${table}`).run();
  lines = [];
  vi.spyOn(console, "log").mockImplementation((line) => {
    lines.push(String(line));
  });
});
afterEach(() => {
  vi.restoreAllMocks();
});

type Service = ReturnType<typeof makeService>;

async function rows({ deps }: Service): Promise<LedgerRow[]> {
  const page = await deps.ledger.page({ fromMs: 0, toMs: Date.now() * 2, country: null }, null, 1000);
  if (page.kind === "unavailable") throw new Error(page.cause);
  return page.rows;
}

/** The queue hands over after a second. */
const arrived = (service: Service, kind: string, many = 1) =>
  vi.waitFor(
    async () => {
      const found = (await rows(service)).filter((row) => row.kind === kind);
      expect(found.length).toBeGreaterThanOrEqual(many);
      return found;
    },
    { timeout: 10_000, interval: 200 },
  );

/** Everything the database holds, as text. */
async function dump(): Promise<string> {
  const tables = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{
    name: string;
  }>();
  const names = tables.results.map(({ name }) => name).filter((name) => !name.startsWith("_cf"));
  expect(names).toEqual(expect.arrayContaining(TABLES));
  const held = await Promise.all(names.map((name) => env.DB.prepare(`SELECT * FROM "${name}"`).all()));
  return JSON.stringify(held.map(({ results }) => results));
}

const cron = (scheduledTime: number) =>
  worker.scheduled(
    { cron: "* * * * *", scheduledTime, noRetry: () => undefined } as ScheduledController,
    env,
  );

test("a verification is told from its request to its proof, and no log line and no table holds a number, a code or an address", async () => {
  const service = makeService();
  const sent = await service.send({ phone: PHONE, flow: "login" }, from(IP));
  expect(sent.status).toBe(202);
  const code = await codeFor(PHONE);
  await service.verify({ session: sent.body.session, code: wrong(code) }, from(IP));
  await vi.waitFor(
    async () => {
      const answer = await service.verify({ session: sent.body.session, code }, from(IP));
      expect(answer.status).toBe(200);
    },
    { timeout: 5000, interval: 300 },
  );
  await arrived(service, "verified");
  await arrived(service, "attempt_failed");

  const story = await service.deps.ledger.story(sent.body.correlation_id);
  expect(story.kind === "answered" && story.rows.map(({ kind }) => kind)).toEqual(
    expect.arrayContaining(["requested", "sent", "attempt_failed", "verified"]),
  );
  const [message] = await arrived(service, "sent");
  expect(message).toMatchObject({ verified: true, flow: "login", country: "IN", subnet: "198.51.100.0/24" });
  const { vault } = service.deps;
  expect(await vault.unsealFromLedger(message?.id ?? "", message?.sealedNumber ?? "")).toBe(PHONE);
  expect(await vault.unsealFromLedger(message?.id ?? "", message?.sealedAddress ?? "")).toBe(IP);

  await cron(Date.now() + 60_000);
  const held = (await dump()) + lines.join("\n");
  for (const secret of [PHONE, PHONE.slice(1), PHONE.slice(3), IP, `"${code}"`, sent.body.session]) {
    expect(held).not.toContain(secret);
  }
});

test("a flood of refusals leaves a few rows, and its exact count", async () => {
  const service = makeService({ ...ROOMY, countries: { allow: ["BD"] } });
  const FLOOD = 400;
  for (let i = 0; i < FLOOD; i += 100) {
    const answers = await Promise.all(
      Array.from({ length: 100 }, (_, n) => service.send({ phone: `+9198765${10_000 + i + n}` })),
    );
    expect(answers.every(({ status }) => status === 422)).toBe(true);
  }
  const refused = await arrived(service, "refused");
  expect(refused.length).toBeLessThanOrEqual(10);
  expect(refused[0]).toMatchObject({ code: "country_not_served", block: "+91987651", numberTag: null });

  const nextMinute = (Math.floor(Date.now() / 60_000) + 1) * 60_000;
  const window = { fromMs: nextMinute - 120_000, toMs: nextMinute, country: null };
  const counted = async () => {
    await cron(nextMinute);
    const read = await service.deps.ledger.refusals(window);
    if (read.kind === "unavailable") throw new Error(read.cause);
    return read.counts
      .filter(({ dimension, subject }) => dimension === "code" && subject === "country_not_served")
      .reduce((sum, { count }) => sum + count, 0);
  };
  // The counters are written behind the answers: a later run corrects what an earlier one saw.
  await vi.waitFor(async () => expect(await counted()).toBe(FLOOD), { timeout: 15_000, interval: 300 });
  expect(await counted()).toBe(FLOOD);
  expect((await dump()).includes("+919876510")).toBe(false);
});

test("a session that ends without its code has expired, once, whenever its alarm rings", async () => {
  const service = makeService();
  const sent = await service.send({ phone: PHONE });
  const claims = await service.deps.tokens.open(sent.body.session);
  const object = env.SESSIONS.get(env.SESSIONS.idFromName(claims?.sessionId ?? ""));
  expect(await runDurableObjectAlarm(object)).toBe(true);
  const [expired] = await arrived(service, "expired");
  expect(expired).toMatchObject({
    id: `expired.${sent.body.correlation_id}`,
    correlationId: sent.body.correlation_id,
    messageId: expect.any(String),
  });
});

test("an event that is told twice is one row", async () => {
  const service = makeService();
  const sent = await service.send({ phone: PHONE });
  const story = async () => {
    const told = await service.deps.ledger.story(sent.body.correlation_id);
    return told.kind === "answered" ? told.rows : [];
  };
  await arrived(service, "sent");
  const before = await story();
  const again = before.map(({ verified: _, ...event }) => event);
  await service.deps.events.put(again);
  const marker = { ...EMPTY_EVENT_DETAILS, id: "locked.marker", kind: "locked" as const, atMs: Date.now() };
  await service.deps.events.put([...again, marker]);
  await arrived(service, "locked");
  expect(await story()).toEqual(before);
});

test("an operator's hand is in the ledger, and a queue nobody knows is an error", async () => {
  const service = makeService();
  const action = { id: "a1", atMs: 5, who: "dana", what: "posture set", why: "attack", details: {} };
  await service.deps.records.writeAction(action);
  expect(await rows(service)).toMatchObject([
    { kind: "operator_action", code: "posture set", reasons: "dana" },
  ]);
  const batch = { queue: "someone-elses", messages: [] } as unknown as MessageBatch;
  await expect(worker.queue(batch, env)).rejects.toThrow("unknown queue");
});
