import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { afterEach, describe, expect, test, vi } from "vitest";
import type { SessionRules } from "../../src/domain/session/session.ts";

const RULES: SessionRules = {
  code: { length: 6, ttl_seconds: 180, session_seconds: 600 },
  attempts: { max: 5, wait_seconds: [0] },
  resend: { wait_seconds: [60, 120, 240], undelivered_wait_seconds: 60 },
  delivery: { channels: ["sms"], voice_after_messages: 3 },
};
const RIGHT = "right-digest";
const HOLD = { id: "hold", atMs: 0, weight: 100, taken: [], earns: [], meters: [] };
const PLACE = { asn: null, landline: false };
const RESEND = { channel: "sms" as const, fresh: { digest: "d", sealed: "s" }, hold: HOLD, asn: null };

function object() {
  return env.SESSIONS.get(env.SESSIONS.newUniqueId());
}

async function opened() {
  const session = object();
  await session.open(
    { correlationId: "c", channel: "sms", code: { digest: RIGHT, sealed: "sealed" }, hold: HOLD, ...PLACE },
    RULES,
  );
  return session;
}

function kinds(results: { kind: string }[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of results) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

afterEach(() => {
  vi.useRealTimers();
});

test("50 right codes in parallel give exactly one success", async () => {
  const session = await opened();
  const results = await Promise.all(Array.from({ length: 50 }, () => session.attempt(RIGHT, RULES)));
  expect(kinds(results)).toEqual({ verified: 1, gone: 49 });
});

test("200 wrong codes in parallel get five evaluations", async () => {
  const session = await opened();
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, i) => session.attempt(`wrong-${i}`, RULES)),
  );
  expect(kinds(results)).toEqual({ incorrect: 5, locked: 195 });
  expect(await session.attempt(RIGHT, RULES)).toMatchObject({ kind: "locked" });
});

test("with growing waits 200 wrong codes in parallel get one evaluation more than there are free ones", async () => {
  const session = await opened();
  const rules = { ...RULES, attempts: { max: 5, wait_seconds: [0, 2, 5, 10] } };
  const results = await Promise.all(
    Array.from({ length: 200 }, (_, i) => session.attempt(`wrong-${i}`, rules)),
  );
  expect(kinds(results)).toEqual({ incorrect: 2, wait: 198 });
});

test("an object evicted between attempts has lost neither its count nor its code", async () => {
  const session = await opened();
  for (let i = 0; i < 4; i++) {
    expect(await session.attempt("wrong", RULES)).toMatchObject({ attemptsLeft: 4 - i });
    await evictDurableObject(session);
  }
  expect(await session.attempt(RIGHT, RULES)).toMatchObject({ kind: "verified" });
  await evictDurableObject(session);
  expect(await session.attempt(RIGHT, RULES)).toMatchObject({ kind: "gone" });
});

test("a second open of the same session changes nothing", async () => {
  const session = await opened();
  await session.attempt("wrong", RULES);
  const view = await session.open(
    { correlationId: "other", channel: "sms", code: { digest: "other", sealed: "x" }, hold: HOLD, ...PLACE },
    RULES,
  );
  expect(view).toMatchObject({ correlationId: "c", attemptsLeft: 4, sends: 1 });
});

test("the alarm deletes everything a while after the session's end", async () => {
  const session = await opened();
  const alarmAtMs = await runInDurableObject(session, (_, state) => state.storage.getAlarm());
  expect(alarmAtMs).toBeGreaterThan(Date.now() + 600_000);
  expect(await runDurableObjectAlarm(session)).toBe(true);
  expect(await session.view(RULES)).toBeNull();
  expect(await session.attempt(RIGHT, RULES)).toMatchObject({ kind: "gone" });
  expect(await runInDurableObject(session, (_, state) => [...state.storage.kv.list()])).toEqual([]);
});

test("a session nobody opened writes nothing when it is asked", async () => {
  const session = object();
  expect(await session.view(RULES)).toBeNull();
  expect(await session.attempt(RIGHT, RULES)).toMatchObject({ kind: "gone" });
  expect(await session.resend(RESEND, RULES)).toMatchObject({ kind: "gone" });
  expect(await runInDurableObject(session, (_, state) => [...state.storage.kv.list()])).toEqual([]);
  expect(await runInDurableObject(session, (_, state) => state.storage.getAlarm())).toBeNull();
});

test("20 resends in parallel begin one message", async () => {
  vi.useFakeTimers({ toFake: ["Date"] });
  vi.setSystemTime(1_800_000_000_000);
  const session = await opened();
  vi.setSystemTime(1_800_000_061_000);
  const results = await Promise.all(Array.from({ length: 20 }, () => session.resend(RESEND, RULES)));
  expect(kinds(results)).toEqual({ send: 1, wait: 19 });
});

describe("a queue that is away at a session's end", () => {
  async function ended() {
    const session = await opened();
    await session.settle(0, { status: "accepted", provider: "sandbox", messageId: "m" });
    await runInDurableObject(session, (instance) => {
      const away = async () => {
        throw new Error("Queue is overloaded");
      };
      Object.assign(instance, { env: { OUTBOX: { sendBatch: away } } });
    });
    return session;
  }
  const left = (session: Awaited<ReturnType<typeof ended>>) =>
    runInDurableObject(session, async (_, { storage }) => ({
      alarmMs: await storage.getAlarm(),
      keys: (await storage.list()).size,
    }));

  test("is asked again ten minutes later: the platform gives an alarm up after six failures", async () => {
    const session = await ended();
    await runDurableObjectAlarm(session);
    const { alarmMs, keys } = await left(session);
    expect((alarmMs ?? 0) - Date.now()).toBeGreaterThan(9 * 60_000);
    expect((alarmMs ?? 0) - Date.now()).toBeLessThanOrEqual(10 * 60_000);
    expect(keys).toBe(1);
  });

  test("does not keep the session for longer than six hours", async () => {
    const session = await ended();
    vi.useFakeTimers({ toFake: ["Date"] });
    vi.setSystemTime(Date.now() + 6 * 3_600_000 + 600_000);
    await runDurableObjectAlarm(session);
    expect(await left(session)).toEqual({ alarmMs: null, keys: 0 });
  });
});

describe("A delivery that a session carries", () => {
  const RECEIPT = { status: "delivered", messageId: "m" } as const;
  const CARRIED = { atMs: 1_800_000_000_000, provider: "p", messageId: "m", country: "IN", code: null };
  const DELIVERED = {
    id: "delivered.c.0",
    atMs: CARRIED.atMs,
    receipt: "delivered",
    country: "IN",
    messageId: "m",
  };

  async function settled() {
    const session = await opened();
    await session.settle(0, { status: "accepted", provider: "p", messageId: "m" });
    return session;
  }

  /** The ledger's messages that the session's end puts on the queue. */
  async function ended(session: Awaited<ReturnType<typeof settled>>) {
    const bodies: unknown[] = [];
    await evictDurableObject(session);
    await runInDurableObject(session, (instance) => {
      const send = async (body: unknown) => void bodies.push(body);
      Object.assign(instance, { env: { OUTBOX: { sendBatch: async () => undefined }, LEDGER: { send } } });
    });
    await runDurableObjectAlarm(session);
    return bodies;
  }

  test("goes to the ledger with the expiry, in one message", async () => {
    const session = await settled();
    expect(await session.receipt(0, RECEIPT, CARRIED)).toBe("carried");
    expect(await session.receipt(0, RECEIPT, CARRIED), "again").toBe(false);
    expect(await ended(session)).toMatchObject([
      { ledger: [DELIVERED, { id: "expired.c", kind: "expired" }] },
    ]);
  });

  test("is told at once to a Worker that asks as those of before did, and to everybody once the session is over", async () => {
    const asked = await settled();
    expect(await asked.receipt(0, RECEIPT)).toBe(true);
    const over = await settled();
    await over.attempt(RIGHT, RULES);
    expect(await over.receipt(0, RECEIPT, CARRIED)).toBe(true);
  });

  test("goes with the right code, and once more with the verification when that had to be asked for again", async () => {
    const session = await settled();
    await session.receipt(0, RECEIPT, CARRIED);
    const command = { digest: RIGHT, key: "k", proofId: "proof" };
    expect(await session.attemptOnce(command, RULES)).toMatchObject({
      kind: "judged",
      result: { kind: "verified", receipts: [CARRIED] },
    });
    const again = await settled();
    await again.receipt(0, RECEIPT, CARRIED);
    await again.attemptOnce(command, RULES);
    // The answer was lost on the way, and with it everything that its Worker would have published; the client asks anew.
    expect(await again.attemptOnce({ ...command, proofId: "another" }, RULES)).toMatchObject({
      kind: "repeated",
    });
    expect(await ended(session)).toEqual([]);
    expect(await ended(again)).toMatchObject([
      { ledger: [DELIVERED, { id: "verified.c", kind: "verified" }] },
    ]);
  });
});
