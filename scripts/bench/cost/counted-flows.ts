/**
 * The product's own flows on counted stores: the Upstash adapters over the local protocol, and queues, sessions and logs that
 * count. The clock is the machine's, so that what lives in Redis lives as long as it will.
 */
import { randomBytes, randomUUID } from "node:crypto";
import { openUpstash } from "../../../src/adapters/upstash/upstash-client.ts";
import { upstashInsightCache } from "../../../src/adapters/upstash/upstash-insight-cache.ts";
import { upstashStore } from "../../../src/adapters/upstash/upstash-store.ts";
import { upstashTagMigration } from "../../../src/adapters/upstash/upstash-tag-migration.ts";
import { parsePolicy } from "../../../src/config/config.ts";
import type { LedgerEvent } from "../../../src/domain/ledger/event.ts";
import { NO_REFUSAL_SAMPLES, takeRefusalSample } from "../../../src/domain/ledger/refusals.ts";
import { receiveReceiptHook } from "../../../src/flows/delivery/receive-receipt-hook.ts";
import { resend } from "../../../src/flows/verification/resend.ts";
import { send } from "../../../src/flows/verification/send.ts";
import { verify } from "../../../src/flows/verification/verify.ts";
import { memoryControl } from "../../../src/memory/memory-control.ts";
import { memoryDeviceTokens } from "../../../src/memory/memory-device-tokens.ts";
import { memoryHandles } from "../../../src/memory/memory-handles.ts";
import { memoryLedger } from "../../../src/memory/memory-ledger.ts";
import { memoryMonitorState } from "../../../src/memory/memory-monitor-state.ts";
import { memoryRecords } from "../../../src/memory/memory-records.ts";
import { memorySessionTokens } from "../../../src/memory/memory-session-tokens.ts";
import { memorySessions } from "../../../src/memory/memory-sessions.ts";
import { memoryVault } from "../../../src/memory/memory-vault.ts";
import type { ChallengeResult } from "../../../src/ports/admission.ts";
import type { ProviderPort, Receipt } from "../../../src/ports/delivery.ts";
import type { Deps } from "../../../src/ports/deps.ts";
import type { LocalRedis } from "../../dev/redis.ts";
import { serveLocally } from "../../dev/serve.ts";
import { makeUpstash } from "../../dev/upstash.ts";

/** Calls of one piece of work, with all that goes on behind its answer. */
export interface Calls {
  /** HTTP requests to Upstash. */
  requests: number;
  /** Commands in them. */
  commands: number;
  /** Commands and the calls their scripts make; null on a Redis that does not count them. */
  withInner: number | null;
  /** Calls of session objects. */
  objectCalls: number;
  /** Messages put on queues. */
  messages: number;
  /** Lines of the log. */
  lines: number;
  /** The ledger's events, message by message. */
  events: LedgerEvent[][];
}

const TOKEN = "a-token-for-counting";
const COST_MICROS = 50_000;

/** The default policy, with one pretend provider. @param changes of top-level tables */
function policyOf(changes: object) {
  const policy = parsePolicy({
    countries: { allow: ["*"] },
    captcha: { hostnames: ["localhost"], site_key: "key" },
    proof: { issuer: "https://tollgate.example", audience: "counting" },
    message: { brand: "Counting" },
    delivery: { providers: ["sandbox"] },
    alerts: {
      owners: ["trigger_policy", "anomaly_response", "provider_escalation"].map((role) => ({
        role,
        name: "Nobody",
        channels: ["webhook"],
      })),
    },
    ...changes,
  });
  if (!policy.ok) throw new Error(policy.faults.join("\n"));
  return policy.value;
}

interface SentMessage {
  code: string;
  messageId: string;
}

/** A provider that takes every message. */
const takingProvider = (sent: SentMessage[]): ProviderPort => ({
  name: "sandbox",
  channels: ["sms"],
  countries: null,
  async send({ code }) {
    const messageId = randomUUID();
    sent.push({ code, messageId });
    return { kind: "accepted", messageId, costMicros: null };
  },
  readReceipt: async ({ body }) => ({
    kind: "receipts",
    receipts: JSON.parse(new TextDecoder().decode(body)) as Receipt[],
  }),
});

/** Tags as long as the real ones. */
const tagOf = (kind: string, value: string) =>
  Buffer.from(`${kind} ${value}`).toString("base64url").slice(-22);

/** Sessions that hand a delivery to the ledger with their end, as the objects do. */
function countedSessions(nowMs: () => number, called: () => void): Deps["sessions"] {
  const inner = memorySessions(nowMs);
  const counting = new Proxy(inner, {
    get(sessions, name: keyof typeof inner) {
      called();
      return sessions[name];
    },
  });
  return {
    open: (...args) => counting.open(...args),
    resend: (...args) => counting.resend(...args),
    settle: (...args) => counting.settle(...args),
    attempt: (...args) => counting.attempt(...args),
    attemptOnce: (...args) => counting.attemptOnce(...args),
    view: (...args) => counting.view(...args),
    cancel: (...args) => counting.cancel(...args),
    confirm: (...args) => counting.confirm(...args),
    forget: (...args) => counting.forget(...args),
    async receipt(id, sendIndex, receipt, carried) {
      const news = await counting.receipt(id, sendIndex, receipt);
      return news === true && carried ? "carried" : news;
    },
  };
}

/** The ports, on Upstash where Redis keeps something, and what they count. */
function countedPorts(redis: ReturnType<typeof openUpstash>, policy: Deps["policy"]) {
  const nowMs = () => Date.now();
  const counted = {
    sent: [] as SentMessage[],
    objectCalls: 0,
    messages: 0,
    lines: 0,
    events: [] as LedgerEvent[][],
  };
  const world: { challenge: ChallengeResult; deferred: Promise<unknown>[] } = {
    challenge: { kind: "passed", solvedAtMs: null, grade: "ordinary" },
    deferred: [],
  };
  const records = memoryRecords();
  const vault = memoryVault();
  let samples = NO_REFUSAL_SAMPLES;
  // What waits for others to be counted along is written with the next command, and never alone.
  const store = upstashStore(
    redis,
    { nowMs, pause: () => new Promise(() => undefined) },
    policy.failures.memory_seconds,
    { mayAsk: () => true },
  );
  const deps: Deps = {
    environment: "counting",
    policy,
    control: memoryControl(nowMs),
    handles: memoryHandles(nowMs),
    ...store,
    counters: {
      ...store.counters,
      async countSoon(updates) {
        void store.counters.countSoon(updates);
      },
    },
    adoption: upstashTagMigration(redis),
    insights: upstashInsightCache(redis),
    challenge: { verify: async () => world.challenge },
    sessions: countedSessions(nowMs, () => {
      counted.objectCalls += 1;
    }),
    keyIds: { session: [], pepper: [], encryption: [], proof: [] },
    devices: memoryDeviceTokens(nowMs),
    prices: [
      { country: "*", provider: "sandbox", channel: "sms", message_micros: COST_MICROS, dlt_micros: 0 },
    ],
    hosting: new Map(),
    tokens: memorySessionTokens(nowMs),
    vault: {
      ...vault,
      // Without spaces, as real seals are.
      sealForLedger: (of, text) => vault.sealForLedger(of.replaceAll(" ", "_"), text),
      unsealFromLedger: (of, sealed) => vault.unsealFromLedger(of.replaceAll(" ", "_"), sealed),
      newId: () => randomUUID(),
      uuidFrom: () => randomUUID(),
      randomBytes: (count) => randomBytes(count),
      tag: async (kind, value) => tagOf(kind, value),
      tags: async (kind, value) => [tagOf(kind, value)],
    },
    proofs: { sign: async () => "proof", publicKeys: () => ({ keys: [] }) },
    providers: new Map([["sandbox", takingProvider(counted.sent)]]),
    lookup: null,
    routes: { records: async () => new Map(), heard: () => undefined, write: async () => ({ kind: "done" }) },
    outbox: {
      async put(messages) {
        counted.messages += messages.length;
        return { kind: "done" };
      },
    },
    customer: null,
    events: {
      async put(events) {
        counted.messages += 1;
        counted.events.push([...events]);
      },
      samples(code) {
        const taken = takeRefusalSample(samples, code, Math.floor(nowMs() / 60_000));
        samples = taken ?? samples;
        return taken !== null;
      },
    },
    ledger: memoryLedger(records),
    monitorState: memoryMonitorState(nowMs),
    alerts: { raise: async () => undefined },
    records,
    log: () => {
      counted.lines += 1;
    },
    nowMs,
    random: Math.random,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
    defer: (work) => void world.deferred.push(work),
  };
  return { deps, counted, world };
}

/**
 * Opens the flows on a Redis, which is emptied first, and which has been written in this shape for long (see `packed-lua.ts`)
 * unless told otherwise.
 */
export async function openCountedFlows(redis: LocalRedis, changes: object = {}, shapeIsNew = false) {
  await redis.client.call("flushall");
  if (!shapeIsNew) await redis.client.call("set", "tg:packed-since", "1");
  const upstash = makeUpstash({ redis: redis.client, token: TOKEN });
  const server = await serveLocally(upstash.handle);
  const client = openUpstash({ UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: TOKEN });
  const { deps, counted, world } = countedPorts(client, policyOf(changes));

  const settle = async () => {
    while (world.deferred.length > 0) await Promise.all(world.deferred.splice(0));
  };
  /** Calls of all commands, those inside scripts too. */
  const redisCalls = async (): Promise<number | null> => {
    if (redis.kind === "memory") return null;
    const text = String(await redis.client.call("info", "commandstats"));
    const calls = [...text.matchAll(/cmdstat_([^:]+):calls=(\d+)/g)];
    return calls.reduce((sum, [, name, many]) => (name === "info" ? sum : sum + Number(many)), 0);
  };

  /** Counts the calls of some work. */
  async function count<T>(work: () => Promise<T>): Promise<{ calls: Calls; result: T }> {
    Object.assign(upstash.stats, { requests: 0, commands: 0, byName: {} });
    Object.assign(counted, { objectCalls: 0, messages: 0, lines: 0, events: [] });
    const before = await redisCalls();
    const result = await work();
    await settle();
    const after = await redisCalls();
    const { requests, commands } = upstash.stats;
    const withInner = before === null || after === null ? null : after - before;
    const { objectCalls, messages, lines, events } = counted;
    return { result, calls: { requests, commands, withInner, objectCalls, messages, lines, events } };
  }

  let people = Math.floor(Math.random() * 10_000);
  /** Somebody nobody has seen, at an address nobody has seen. */
  function stranger() {
    const i = people++;
    return {
      phone: `+9198${String(20_000_000 + i * 1013).slice(-8)}`,
      caller: { ip: `198.18.${(i >> 8) & 255}.${i & 255}`, asn: 45_609, country: "IN", server: null },
    };
  }
  type Person = ReturnType<typeof stranger>;
  const tokens = { captchaToken: "token", deviceToken: undefined, deviceId: undefined };

  return {
    world,
    deps,
    count,
    stranger,
    lastMessage: () => counted.sent.at(-1) ?? { code: "", messageId: "" },
    close: () => server.close(),
    send: ({ phone, caller }: Person, more: Partial<Parameters<typeof send>[1]> = {}) =>
      send(
        deps,
        {
          phone,
          region: undefined,
          flow: "signup",
          channel: "sms",
          locale: undefined,
          userId: undefined,
          reference: undefined,
          idempotencyKey: randomUUID(),
          ...tokens,
          ...more,
        },
        caller,
        randomUUID(),
      ),
    receipt(messageId: string) {
      const receipt = { messageId, status: "delivered", errorCode: null, costMicros: null, atMs: null };
      return receiveReceiptHook(deps, "sandbox", {
        method: "POST",
        url: "https://tollgate.example/v1/receipts/sandbox",
        headers: new Headers(),
        body: new TextEncoder().encode(JSON.stringify([receipt])),
      });
    },
    verify: (session: string, code: string, { caller }: Person) =>
      verify(deps, { session, code, reference: undefined }, caller),
    resend: (session: string, { caller }: Person) =>
      resend(deps, { session, phone: undefined, region: undefined, channel: "sms", ...tokens }, caller),
  };
}

export type CountedFlows = Awaited<ReturnType<typeof openCountedFlows>>;
