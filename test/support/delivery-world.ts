/** The real flows over ports in memory, with providers that count what they really took. */

import { type Random, seededRandom } from "../../scripts/lab/world/random.ts";
import { kvRouteRecords } from "../../src/adapters/cloudflare/kv-route-records.ts";
import { parsePolicy } from "../../src/config/config.ts";
import { OWNER_ROLES } from "../../src/domain/monitor/alerts.policy.ts";
import type { Policy } from "../../src/domain/policy.ts";
import type { SessionState } from "../../src/domain/session/session.ts";
import { receiveReceiptHook } from "../../src/flows/delivery/receive-receipt-hook.ts";
import { memoryControl } from "../../src/memory/memory-control.ts";
import { memoryDeviceTokens } from "../../src/memory/memory-device-tokens.ts";
import { memoryHandles } from "../../src/memory/memory-handles.ts";
import { memoryInsightCache } from "../../src/memory/memory-insight-cache.ts";
import { memoryLedger } from "../../src/memory/memory-ledger.ts";
import { memoryMonitorState } from "../../src/memory/memory-monitor-state.ts";
import { memoryRecords } from "../../src/memory/memory-records.ts";
import { memorySessionTokens } from "../../src/memory/memory-session-tokens.ts";
import { memorySessions } from "../../src/memory/memory-sessions.ts";
import { memoryStore } from "../../src/memory/memory-store.ts";
import { memoryVault } from "../../src/memory/memory-vault.ts";
import type { OutgoingMessage, ProviderPort, Receipt } from "../../src/ports/delivery.ts";
import type { Deps } from "../../src/ports/deps.ts";
import type { OutboxMessage } from "../../src/ports/outbox.ts";
import type { SessionsPort } from "../../src/ports/session.ts";

export const NOON_MS = Date.UTC(2026, 6, 1, 12);
export const COST_MICROS = 50_000;
const ROOM = { base: 1e6, gain: 0 };
const FREE = [{ max: 1e6, window_seconds: 3600 }];
const NO_CAP = { hour_micros: 1e15, day_micros: 1e15, month_micros: 1e15 };

/** A policy that stops nobody, for what comes after the decision. */
export function roomyPolicy(delivery: object = {}, rest: object = {}): Policy {
  const levels = ["block", "prefix", "country", "network", "address", "unknown", "odd", "overall"];
  const policy = parsePolicy({
    countries: { allow: ["*"] },
    challenge: "never",
    captcha: { hostnames: ["here"], site_key: "key" },
    proof: { issuer: "https://tollgate.example", audience: "tests" },
    message: { brand: "Tests" },
    delivery: {
      providers: ["sandbox", "sandbox_b", "sandbox_c"],
      refunds_per_minute: 1e6,
      ...delivery,
    },
    exposure: { block_density: 1e6, ...Object.fromEntries(levels.map((level) => [level, ROOM])) },
    limits: { service_per_minute: 1e6, number: FREE, ip: FREE, numbers_per_ip: FREE },
    money: { caps: NO_CAP },
    risk: { many_numbers: 1e6 },
    alerts: { owners: OWNER_ROLES.map((role) => ({ role, name: "Nobody", channels: ["slack"] })) },
    ...rest,
  });
  if (!policy.ok) throw new Error(policy.faults.join("\n"));
  return policy.value;
}

/** Sessions whose states can be looked at; a message that is settled twice, or never began, is an error. */
function watchedSessions(nowMs: () => number): SessionsPort & { states: ReadonlyMap<string, SessionState> } {
  const inner = memorySessions(nowMs);
  const states = new Map<string, SessionState>();
  const settled = new Set<string>();
  const look = (id: string) => {
    const state = inner.stateOf(id);
    if (state === undefined) states.delete(id);
    else states.set(id, state);
  };
  const thenLook = async <Result>(id: string, work: Promise<Result>): Promise<Result> => {
    const result = await work;
    look(id);
    return result;
  };
  return {
    states,
    cancel: (id) => thenLook(id, inner.cancel(id)),
    confirm: (id) => thenLook(id, inner.confirm(id)),
    forget: (id) => thenLook(id, inner.forget(id)),
    async open(id, command, rules) {
      if (states.has(id)) throw new Error("opened twice");
      return thenLook(id, inner.open(id, command, rules));
    },
    resend: (id, command, rules) => thenLook(id, inner.resend(id, command, rules)),
    receipt: (id, sendIndex, receipt) => thenLook(id, inner.receipt(id, sendIndex, receipt)),
    async settle(id, sendIndex, outcome) {
      const key = `${id} ${sendIndex}`;
      if (!states.get(id)?.sends[sendIndex] || settled.has(key)) {
        throw new Error("settled twice, or never begun");
      }
      settled.add(key);
      await thenLook(id, inner.settle(id, sendIndex, outcome));
    },
    attempt: (id, digest, rules) => thenLook(id, inner.attempt(id, digest, rules)),
    attemptOnce: (id, command, rules) => thenLook(id, inner.attemptOnce(id, command, rules)),
    view: (id, rules) => inner.view(id, rules),
  };
}

/** A store that counts what was taken of its budgets and given back, by reservation. */
function watchedStore(nowMs: () => number, failureMemorySeconds: number) {
  const inner = memoryStore(nowMs, failureMemorySeconds);
  const granted = new Set<string>();
  const released = new Map<string, number>();
  const credited = new Set<string>();
  const store: typeof inner = {
    ...inner,
    budgets: {
      ...inner.budgets,
      async reserve(request) {
        const result = await inner.budgets.reserve(request);
        if (result.kind === "granted") granted.add(request.reservation.id);
        return result;
      },
    },
    admission: {
      ...inner.admission,
      async giveBack(taken) {
        const id = taken.reservation?.id;
        if (id !== undefined) released.set(id, (released.get(id) ?? 0) + 1);
        await inner.admission.giveBack(taken);
      },
    },
    verifications: {
      ...inner.verifications,
      async verified(code) {
        if (code.reservation !== null) credited.add(code.reservation.id);
        await inner.verifications.verified(code);
      },
    },
  };
  return { store, granted, released, credited };
}

/**
 * What a provider does with a message: takes it, refuses it (for now, or this number for good, or as fraud), answers nothing in time
 * (having sent it or not), or loses the connection (having sent it or not).
 */
export type Fate =
  | "accept"
  | "refuse"
  | "refuse_number"
  | "opt_out"
  | "fraud"
  | "silent"
  | "silent_sent"
  | "lost"
  | "lost_sent";

export interface StrictProvider extends ProviderPort {
  /** Every message it was asked to send, in order. */
  asked: OutgoingMessage[];
  /** Those it really sent, whatever it answered. */
  taken: { message: OutgoingMessage; messageId: string }[];
  fate: (message: OutgoingMessage) => Fate;
  /** Called when a message was sent and before that is answered. */
  beforeAnswer: (messageId: string, message: OutgoingMessage) => Promise<void>;
}

function strictProvider(name: string, pass: () => Promise<void>): StrictProvider {
  const keys = new Set<string>();
  const provider: StrictProvider = {
    name,
    channels: ["sms", "voice"],
    countries: null,
    asked: [],
    taken: [],
    fate: () => "accept",
    beforeAnswer: async () => undefined,
    async send(message) {
      if (keys.has(message.idempotencyKey)) throw new Error("the same message was handed over twice");
      keys.add(message.idempotencyKey);
      provider.asked.push(message);
      const fate = provider.fate(message);
      const messageId = `${name}-${provider.asked.length}`;
      await pass();
      if (fate === "refuse") return { kind: "refused", cause: "busy", judgement: "transient" };
      if (fate === "refuse_number") {
        return { kind: "refused", cause: "no such number", judgement: "not_this_number" };
      }
      if (fate === "opt_out") return { kind: "refused", cause: "said STOP", judgement: "opted_out" };
      if (fate === "fraud") return { kind: "refused", cause: "taken for pumping", judgement: "fraud" };
      if (fate === "accept" || fate.endsWith("_sent")) {
        provider.taken.push({ message, messageId });
        await provider.beforeAnswer(messageId, message);
        await pass();
      }
      if (fate === "accept") return { kind: "accepted", messageId, costMicros: null };
      return { kind: "unknown", cause: "no answer", connectionLost: fate.startsWith("lost") };
    },
    async readReceipt(hook) {
      if (hook.headers.get("signature") !== "good") return { kind: "forged", cause: "no signature" };
      return { kind: "receipts", receipts: JSON.parse(new TextDecoder().decode(hook.body)) };
    },
    feedback: async () => ({ kind: "told" }),
  };
  return provider;
}

/**
 * @param pass how long a provider takes; at once where absent
 */
export function deliveryWorld({
  policy = roomyPolicy(),
  seed = "delivery",
  pass = async () => undefined,
}: {
  policy?: Policy;
  seed?: string;
  pass?: (random: Random) => Promise<void>;
} = {}) {
  const random = seededRandom(seed);
  const chance = random.fork("pass");
  const world = { nowMs: NOON_MS };
  const nowMs = () => world.nowMs;
  const { store, granted, released, credited } = watchedStore(nowMs, policy.failures.memory_seconds);
  const sessions = watchedSessions(nowMs);
  const deferred: Promise<unknown>[] = [];
  const facts: { fact: string; evidence: Record<string, string | number | boolean | null> }[] = [];
  const outbox: OutboxMessage[] = [];
  const log: Deps["log"] = (fact, evidence) => {
    facts.push({ fact, evidence });
  };
  const providers = new Map(
    policy.delivery.providers.map((name) => [name as string, strictProvider(name, () => pass(chance))]),
  );
  const kv = { get: async () => null, put: async () => undefined } as unknown as KVNamespace;
  const records = memoryRecords();
  const ledger = memoryLedger(records);
  const deps: Deps = {
    environment: "tests",
    policy,
    control: memoryControl(nowMs),
    ...store,
    challenge: { verify: async () => ({ kind: "passed", solvedAtMs: null, grade: "ordinary" }) },
    sessions,
    handles: memoryHandles(nowMs),
    adoption: { adopt: async () => undefined },
    keyIds: { session: [], pepper: [], encryption: [], proof: [] },
    devices: memoryDeviceTokens(nowMs),
    prices: policy.delivery.providers.flatMap((provider) =>
      (["sms", "voice"] as const).map((channel) => ({
        country: "*",
        provider,
        channel,
        message_micros: COST_MICROS,
        dlt_micros: 0,
      })),
    ),
    hosting: new Map(),
    lookup: null,
    insights: memoryInsightCache(nowMs),
    tokens: memorySessionTokens(nowMs),
    vault: { ...memoryVault(), randomBytes: (count) => new Uint8Array(count) },
    proofs: { sign: async () => "proof", publicKeys: () => ({ keys: [] }) },
    providers,
    routes: kvRouteRecords(kv, policy.delivery, nowMs, log),
    outbox: {
      async put(messages) {
        outbox.push(...messages);
        return { kind: "done" };
      },
    },
    customer: null,
    events: { put: async (events) => void (await ledger.write(events)), samples: () => false },
    ledger,
    monitorState: memoryMonitorState(nowMs),
    alerts: { raise: async () => undefined },
    records,
    log,
    nowMs,
    random: random.next,
    pause: async () => undefined,
    defer(work) {
      deferred.push(work);
    },
  };

  return {
    deps,
    sessions,
    facts,
    outbox,
    granted,
    released,
    credited,
    providers: [...providers.values()],
    get nowMs() {
      return world.nowMs;
    },
    advance(ms: number) {
      world.nowMs += ms;
    },
    /** Everything that goes on behind the answers is done, or failed loudly. */
    async settle() {
      while (deferred.length > 0) await Promise.all(deferred.splice(0));
    },
    /** A webhook call with good or bad signature. */
    hook: (provider: string, receipts: readonly Receipt[], signature = "good") =>
      receiveReceiptHook(deps, provider, {
        method: "POST",
        url: `https://tollgate.example/v1/receipts/${provider}`,
        headers: new Headers({ signature }),
        body: new TextEncoder().encode(JSON.stringify(receipts)),
      }),
    /** The states of a verification's sessions: one, or none where nothing was begun. */
    stateOf: (correlationId: string) =>
      [...sessions.states.values()].find((state) => state.correlationId === correlationId),
  };
}

export type DeliveryWorld = ReturnType<typeof deliveryWorld>;

export const receiptOf = (
  messageId: string,
  status: Receipt["status"],
  more: Partial<Receipt> = {},
): Receipt => ({ messageId, status, errorCode: null, costMicros: null, atMs: null, ...more });

/** A valid mobile number nobody else in the test has. */
export const phoneOf = (i: number): string => `+9198${String(10_000_000 + i * 7)}`;

export const requestOf = (i: number) => ({
  phone: phoneOf(i),
  region: undefined,
  flow: "signup",
  channel: "sms" as const,
  locale: undefined,
  captchaToken: undefined,
  deviceToken: undefined,
  deviceId: undefined,
  userId: undefined,
  reference: undefined,
  idempotencyKey: undefined,
});

export const callerOf = (i: number) => ({
  ip: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  asn: null,
  country: "IN",
  server: null,
});
