import { mergeTables, policyOf, readSettings } from "../../scripts/lib/settings.ts";
import { parsePolicy } from "../../src/config/config.ts";
import type { Level, LevelReading } from "../../src/domain/admission/exposure.ts";
import type { RouteOverride } from "../../src/domain/delivery/route-overrides.ts";
import type { Ban, OperatorBan } from "../../src/domain/monitor/ban.ts";
import type { History, QuarterTally } from "../../src/domain/monitor/history.ts";
import type { Incident } from "../../src/domain/monitor/incident.ts";
import type { MonitorMemory } from "../../src/domain/monitor/monitor-memory.ts";
import type { Pause } from "../../src/domain/monitor/pause.ts";
import type { PostureControls } from "../../src/domain/monitor/posture.ts";
import type { Counts, Dimension, MinuteTally, Tally } from "../../src/domain/monitor/tally.ts";
import type { Policy } from "../../src/domain/policy.ts";
import type { AdminDeps } from "../../src/http/admin.ts";
import { ofDimensions } from "../../src/memory/memory-counters.ts";
import type { DeadLetter, OperatorAction } from "../../src/ports/records.ts";
import type { Unavailable } from "../../src/ports/result.ts";

/** At the beginning of a minute. */
/** A level of which nothing was ever taken. */
const untouchedReading = (level: Level): LevelReading => ({
  level,
  unverified: 0,
  verified: 0,
  verifiedEarlier: 0,
  messages: 0,
  earned: 0,
  past: { unverified: 0, verified: 0 },
});

export const NOW = 1_900_000_020_000;
export const HOUR = 3_600_000;
export const DOWN: Unavailable = { kind: "unavailable", cause: "down for the test" };

/** Everything an operator can see and change, in memory. */
export interface World {
  nowMs: number;
  cron: PostureControls | null;
  operator: PostureControls | null;
  cronBlocks: readonly Ban[];
  operatorBlocks: readonly OperatorBan[];
  operatorRoutes: readonly RouteOverride[];
  operatorPauses: readonly Pause[];
  faults: string[];
  actions: OperatorAction[];
  incidents: Incident[];
  letters: DeadLetter[];
  queued: { queue: string; body: string }[];
  minutes: MinuteTally[];
  quarters: QuarterTally[];
  totals: Tally;
  memory: MonitorMemory | null;
  history: History | null;
  spent: number[];
  claimed: Set<string>;
  counted: unknown[];
  logged: { fact: string; evidence: Record<string, unknown> }[];
  /** Parts that do not answer. */
  down: Set<"control" | "writes" | "records" | "counters" | "watch" | "budgets" | "queues" | "operators">;
  /** Tags of the numbers that providers refused for good. */
  refusedNumbers: Set<string>;
}

export function makeWorld(over: Partial<World> = {}): World {
  return {
    nowMs: NOW,
    cron: null,
    operator: null,
    cronBlocks: [],
    operatorBlocks: [],
    operatorRoutes: [],
    operatorPauses: [],
    faults: [],
    actions: [],
    incidents: [],
    letters: [],
    queued: [],
    minutes: [],
    quarters: [],
    totals: new Map(),
    memory: null,
    history: null,
    spent: [1_500_000, 7_000_000, 90_000_000],
    claimed: new Set(),
    counted: [],
    logged: [],
    down: new Set(),
    refusedNumbers: new Set(),
    ...over,
  };
}

const parsed = parsePolicy(mergeTables(policyOf(await readSettings()), { money: { currency: "EUR" } }));

/** Development's policy, in euros. */
export const POLICY: Policy = parsed.ok ? parsed.value : refuse(parsed.faults);

function refuse(faults: string[]): never {
  throw new Error(faults.join("\n"));
}

/** The parts the operators' flows use, over a world; every other part of the service is absent. */
export function depsOver(world: World) {
  const isDown = (part: World["down"] extends Set<infer P> ? P : never) => world.down.has(part);
  const write = async (change: () => void) => {
    if (isDown("writes")) return DOWN;
    change();
    return { kind: "done" as const };
  };
  const deps = {
    policy: POLICY,
    environment: "development",
    prices: [],
    nowMs: () => world.nowMs,
    log: (fact: string, evidence: Record<string, unknown>) => world.logged.push({ fact, evidence }),
    vault: {
      newId: () => crypto.randomUUID(),
      tag: async (kind: string, value: string) =>
        `${kind}-${value}`
          .replaceAll(/[^\w-]/g, "_")
          .padEnd(27, "x")
          .slice(0, 27),
      tags: async (kind: string, value: string) => [`${kind} ${value}`],
    },
    marks: {
      liftRefusals: async (tags: readonly string[]) =>
        tags.filter((tag) => world.refusedNumbers.delete(tag)).length,
    },
    control: {
      documents: async () =>
        isDown("control")
          ? DOWN
          : {
              cron: world.cron,
              operator: world.operator,
              cronBlocks: world.cronBlocks,
              operatorBlocks: world.operatorBlocks,
              operatorRoutes: world.operatorRoutes,
              operatorPauses: world.operatorPauses,
              faults: world.faults,
            },
      writeCron: (document: PostureControls | null) => write(() => Object.assign(world, { cron: document })),
      writeOperator: (document: PostureControls | null) =>
        write(() => Object.assign(world, { operator: document })),
      writeCronBlocks: (blocks: readonly Ban[]) => write(() => Object.assign(world, { cronBlocks: blocks })),
      writeOperatorBlocks: (blocks: readonly OperatorBan[]) =>
        write(() => Object.assign(world, { operatorBlocks: blocks })),
      writeOperatorRoutes: (routes: readonly RouteOverride[]) =>
        write(() => Object.assign(world, { operatorRoutes: routes })),
      writeOperatorPauses: (pauses: readonly Pause[]) =>
        write(() => Object.assign(world, { operatorPauses: pauses })),
    },
    counters: {
      count: async (bookings: unknown) => void world.counted.push(bookings),
      window: async (minute: number, minutes: number, of?: readonly Dimension[]) =>
        isDown("counters")
          ? DOWN
          : {
              kind: "answered",
              minutes: Array.from({ length: minutes }, (_, i) => {
                const at = minute - minutes + 1 + i;
                const tally = world.minutes.find((one) => one.minute === at)?.tally ?? new Map();
                return { minute: at, tally: of ? ofDimensions(tally, of) : tally };
              }),
            },
      totals: async () => (isDown("counters") ? DOWN : { kind: "answered", tally: world.totals }),
      claimOutcome: async (proofId: string, type: string) => {
        if (isDown("counters")) return DOWN;
        const key = `${proofId} ${type}`;
        const isNew = !world.claimed.has(key);
        world.claimed.add(key);
        return isNew;
      },
    },
    monitorState: {
      look: async () =>
        isDown("watch") ? DOWN : { kind: "answered", memory: world.memory, history: world.history },
      quarters: async (from: number, to: number) =>
        isDown("watch")
          ? DOWN
          : {
              kind: "answered",
              quarters: world.quarters.filter(({ quarter }) => quarter >= from && quarter <= to),
            },
    },
    budgets: {
      read: async (levels: readonly Level[]) =>
        isDown("budgets")
          ? DOWN
          : { kind: "answered", readings: levels.map(untouchedReading), totals: world.spent },
    },
    records: {
      writeAction: async (action: OperatorAction) => {
        if (isDown("records")) return DOWN;
        world.actions.unshift(action);
        return { kind: "done" };
      },
      actions: async (limit: number) =>
        isDown("records") ? DOWN : { kind: "answered", actions: world.actions.slice(0, limit) },
      incidents: async (limit: number) =>
        isDown("records") ? DOWN : { kind: "answered", incidents: world.incidents.slice(0, limit) },
      incident: async (id: string) =>
        isDown("records") ? DOWN : (world.incidents.find((one) => one.id === id) ?? null),
      deadLetters: async (limit: number) =>
        isDown("records") ? DOWN : { kind: "answered", letters: world.letters.slice(0, limit) },
      bury: async (letter: DeadLetter) => {
        world.letters.push(letter);
        return { kind: "done" };
      },
      exhume: async (id: string) => {
        const found = world.letters.find((letter) => letter.id === id) ?? null;
        world.letters = world.letters.filter((letter) => letter !== found);
        return found;
      },
    },
    queues: {
      put: async (queue: string, body: string) => {
        if (isDown("queues")) return DOWN;
        world.queued.push({ queue, body });
        return { kind: "done" };
      },
    },
    operators: {
      identify: async (headers: Headers) => {
        if (isDown("operators")) return DOWN;
        const token = headers.get("authorization")?.replace("Bearer ", "");
        if (token === "ada" || token === "bob") return { kind: "operator", who: token, role: "operator" };
        if (token === "eve") return { kind: "operator", who: "eve", role: "viewer" };
        return { kind: "refused", cause: "no such token" };
      },
    },
  };
  return deps as unknown as AdminDeps;
}

export const minuteTally = (minute: number, counts: Record<string, Counts>): MinuteTally => ({
  minute,
  tally: new Map(Object.entries(counts)),
});

export function document(over: Partial<PostureControls> = {}): PostureControls {
  return {
    posture: "emergency",
    since_ms: NOW - HOUR,
    until_ms: NOW + HOUR,
    by: "cron",
    why: "3 % of those due",
    healthy_since_ms: null,
    ...over,
  };
}

export function incident(over: Partial<Incident> = {}): Incident {
  return {
    id: "inc-1",
    openedAtMs: NOW - HOUR,
    lastSeenAtMs: NOW - 60_000,
    closedAtMs: null,
    severity: "emergency",
    posture: "emergency",
    findings: [
      {
        kind: "conversion_collapse",
        subject: "prefix +2348012",
        severity: "emergency",
        says: "Nobody of 14 answered in +2348012, where 7 in 10 do.",
        evidence: { sent: 14, verified: 0 },
        block: true,
      },
    ],
    timeline: [{ atMs: NOW - HOUR, by: "cron", what: "opened" }],
    sent: 40,
    verified: 1,
    spentMicros: 4_000_000,
    unansweredMicros: 3_900_000,
    refused: 200,
    ...over,
  };
}

export function memory(over: Partial<MonitorMemory> = {}): MonitorMemory {
  const base = {
    lastRunMs: NOW - 30_000,
    lastFailure: "",
    foldedTo: 0,
    incident: null,
    told: {},
    hour: { hour: Math.floor(NOW / HOUR), sent: 3, heldBack: 2 },
    blocked: {},
    countedTo: 0,
  };
  return { ...base, ...over } as MonitorMemory;
}
