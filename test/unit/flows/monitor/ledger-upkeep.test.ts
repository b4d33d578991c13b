import { describe, expect, test, vi } from "vitest";
import { ledgerBody } from "../../../../src/adapters/cloudflare/queue-ledger.ts";
import {
  EMPTY_EVENT_DETAILS,
  type LedgerEvent,
  type RefusalCount,
} from "../../../../src/domain/ledger/event.ts";
import { retentionCutoffs } from "../../../../src/domain/ledger/retention.ts";
import {
  consumeLedger,
  keepLedgerDeadLetters,
  type LedgerConsumerDeps,
} from "../../../../src/flows/consumers/consume-ledger.ts";
import type { QueueMessage } from "../../../../src/flows/consumers/settle-message.ts";
import { carryOverLedger } from "../../../../src/flows/monitor/carry-over-ledger.ts";
import { enforceRetention } from "../../../../src/flows/monitor/enforce-retention.ts";
import { recordRefusalCounts } from "../../../../src/flows/monitor/record-refusal-counts.ts";
import { memoryLedger } from "../../../../src/memory/memory-ledger.ts";
import { memoryRecords } from "../../../../src/memory/memory-records.ts";
import type { RetentionCutoffs, Swept, UpkeepRun } from "../../../../src/ports/ledger.ts";
import type { DeadLetter } from "../../../../src/ports/records.ts";
import { NOON_MS, roomyPolicy } from "../../../support/delivery-world.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const NOTHING: Swept = {
  kind: "swept",
  numbers: 0,
  addresses: 0,
  events: 0,
  refusals: 0,
  letters: 0,
  more: false,
};

const { kind: _, ...EMPTY_REPORT } = NOTHING;

const event = (id: string): LedgerEvent => ({
  ...EMPTY_EVENT_DETAILS,
  id,
  kind: "verified",
  atMs: NOON_MS - 5000,
});

function message(id: string, body: unknown, attempts = 1) {
  const settled: string[] = [];
  const handed: QueueMessage & { settled: string[] } = {
    id,
    body,
    attempts,
    settled,
    ack: () => settled.push("ack"),
    retry: (options) => settled.push(`retry ${options?.delaySeconds}`),
  };
  return handed;
}

/** A database that refuses any write with one of these events in it. */
function consumer(refuses: readonly string[] = [], recordsAway = false) {
  const kept = new Set<string>();
  const letters: DeadLetter[] = [];
  const deps: LedgerConsumerDeps = {
    ledger: {
      ...memoryLedger(memoryRecords()),
      async write(events) {
        if (events.some(({ id }) => refuses.includes(id))) {
          return { kind: "unavailable", cause: "D1 refused a write" };
        }
        for (const { id } of events) kept.add(id);
        return { kind: "done" };
      },
    },
    records: {
      async bury(letter: DeadLetter) {
        if (recordsAway) return { kind: "unavailable", cause: "D1 refused a write" };
        letters.push(letter);
        return { kind: "done" };
      },
    } as LedgerConsumerDeps["records"],
    readForLedger: (body) =>
      typeof body === "object" && body !== null && "ledger" in body ? (body.ledger as LedgerEvent[]) : null,
    random: () => 0,
    log: () => undefined,
    nowMs: () => NOON_MS,
  };
  return { deps, kept, letters };
}

describe("The ledger's consumer", () => {
  test("acknowledges what is written", async () => {
    const { deps, kept } = consumer();
    const batch = [
      message("1", ledgerBody([event("a"), event("b")])),
      message("2", ledgerBody([event("c")])),
    ];
    await consumeLedger(deps, batch);
    expect([...kept]).toEqual(["a", "b", "c"]);
    expect(batch.map(({ settled }) => settled)).toEqual([["ack"], ["ack"]]);
  });

  test("lets one message that cannot be written hold up no other", async () => {
    const { deps, kept } = consumer(["bad"]);
    const batch = ["a", "bad", "c"].map((id) => message(id, ledgerBody([event(id)])));
    await consumeLedger(deps, batch);
    expect([...kept]).toEqual(["a", "c"]);
    expect(batch.map(({ settled }) => settled)).toEqual([["ack"], ["retry 5"], ["ack"]]);
  });

  test("loses nothing while the database is away, and waits longer each time", async () => {
    const { deps } = consumer(["a"]);
    const [early, late] = [
      message("1", ledgerBody([event("a")])),
      message("1", ledgerBody([event("a")]), 30),
    ];
    await consumeLedger(deps, [early]);
    await consumeLedger(deps, [late]);
    expect([early.settled, late.settled]).toEqual([["retry 5"], ["retry 3600"]]);
  });

  test("lays what is no event among the dead letters", async () => {
    const { deps, letters } = consumer();
    const stray = message("1", { something: "else" });
    await consumeLedger(deps, [stray]);
    expect(stray.settled).toEqual(["ack"]);
    expect(letters).toMatchObject([{ id: "1", queue: "ledger", body: '{"something":"else"}' }]);
  });

  test("lays down what the queue gave up, as old as its events, and keeps it until that has happened", async () => {
    const given = message("1", ledgerBody([event("a")]));
    const { deps, letters } = consumer();
    await keepLedgerDeadLetters(deps, [given]);
    expect(letters).toMatchObject([{ id: "1", queue: "ledger", atMs: NOON_MS - 5000 }]);
    const again = message("1", ledgerBody([event("a")]));
    await keepLedgerDeadLetters(consumer([], true).deps, [again]);
    expect(again.settled).toEqual(["retry 60"]);
  });
});

describe("The upkeep of refusal counts", () => {
  function upkeeper(counters: "up" | "down" = "up", database: "up" | "down" = "up") {
    const windows: [number, number][] = [];
    const written: RefusalCount[] = [];
    const state: { upkeep: UpkeepRun | null; database: string } = { upkeep: null, database };
    const deps: Parameters<typeof recordRefusalCounts>[0] = {
      counters: {
        count: async () => undefined,
        async window(minute: number, minutes: number) {
          windows.push([minute, minutes]);
          if (counters === "down") return { kind: "unavailable", cause: "Upstash is silent" };
          const tally = new Map([["overall all", { refused: 60_000, "refused:too_many_requests": 60_000 }]]);
          return { kind: "answered", minutes: [{ minute, tally }] };
        },
      } as unknown as Parameters<typeof recordRefusalCounts>[0]["counters"],
      ledger: {
        ...memoryLedger(memoryRecords()),
        upkeep: async () => state.upkeep,
        async keepUpkeep(_, upkeep) {
          state.upkeep = upkeep;
          return { kind: "done" };
        },
        async countRefusals(counts) {
          if (state.database === "down") return { kind: "unavailable", cause: "D1 refused a write" };
          written.push(...counts);
          return { kind: "done" };
        },
      },
      log: () => undefined,
    };
    return { deps, windows, written, state };
  }
  const last = NOON_MS / MINUTE - 1;

  test("writes the minutes that are over, the last ones once more, and not the running one", async () => {
    const { deps, windows, written } = upkeeper();
    await recordRefusalCounts(deps, NOON_MS);
    await recordRefusalCounts(deps, NOON_MS + MINUTE);
    expect(windows).toEqual([
      [last, 2],
      [last + 1, 3],
    ]);
    expect(written[0]).toEqual({ atMs: NOON_MS - MINUTE, dimension: "all", subject: "all", count: 60_000 });
  });

  test("catches up after an outage of either side, as far as the counters reach", async () => {
    const { deps, windows, state } = upkeeper("up", "down");
    state.upkeep = { atMs: NOON_MS - MINUTE, report: {} };
    await recordRefusalCounts(deps, NOON_MS + 10 * MINUTE);
    expect(state.upkeep).toEqual({ atMs: NOON_MS - MINUTE, report: {} });
    state.database = "up";
    await recordRefusalCounts(deps, NOON_MS + 11 * MINUTE);
    await recordRefusalCounts(deps, NOON_MS + 30 * HOUR);
    expect(windows.map(([, minutes]) => minutes)).toEqual([12, 13, 60]);

    const blind = upkeeper("down");
    await recordRefusalCounts(blind.deps, NOON_MS);
    expect(blind.state.upkeep).toBeNull();
  });
});

describe("Retention", () => {
  function sweeper(...answers: (Swept | { kind: "unavailable"; cause: string })[]) {
    const swept: RetentionCutoffs[] = [];
    const facts: [string, unknown][] = [];
    const state: { upkeep: UpkeepRun | null } = { upkeep: null };
    const deps: Parameters<typeof enforceRetention>[0] = {
      policy: roomyPolicy({}, { retention: { number_days: 7, ip_days: 3, events_days: 90 } }),
      ledger: {
        ...memoryLedger(memoryRecords()),
        upkeep: async (name) => (name === "retention" ? state.upkeep : null),
        async keepUpkeep(name, upkeep) {
          if (name === "retention") state.upkeep = upkeep;
          return { kind: "done" };
        },
        async sweep(limits) {
          swept.push(limits);
          return answers[swept.length - 1] ?? NOTHING;
        },
      },
      log: (fact, evidence) => facts.push([fact, evidence]),
    };
    return { deps, swept, facts, state };
  }

  test("runs once an hour, with the policy's days, and reports what it did", async () => {
    const { deps, swept, facts, state } = sweeper({ ...NOTHING, numbers: 12 });
    for (let minute = 0; minute <= 60; minute++) await enforceRetention(deps, NOON_MS + minute * MINUTE);
    expect(swept).toEqual([
      retentionCutoffs({ number_days: 7, ip_days: 3, events_days: 90 }, NOON_MS),
      retentionCutoffs({ number_days: 7, ip_days: 3, events_days: 90 }, NOON_MS + HOUR),
    ]);
    expect(facts[0]).toEqual([
      "retention",
      { numbers: 12, addresses: 0, events: 0, refusals: 0, letters: 0, more: false },
    ]);
    expect(state.upkeep?.atMs).toBe(NOON_MS + HOUR);
  });

  test("goes on every minute while there is more, and then waits for the hour", async () => {
    const more = { ...NOTHING, events: 2000, more: true };
    const { deps, swept } = sweeper(more, more, NOTHING);
    for (let minute = 0; minute < 60; minute++) await enforceRetention(deps, NOON_MS + minute * MINUTE);
    expect(swept).toHaveLength(3);
  });

  test("tries again the next minute after a failure", async () => {
    const { deps, swept } = sweeper({ kind: "unavailable", cause: "D1 refused a write" });
    await enforceRetention(deps, NOON_MS);
    await enforceRetention(deps, NOON_MS + MINUTE);
    expect(swept).toHaveLength(2);
  });

  test("does in one run what a minute of a busy service needs, and reports the sum of its steps", async () => {
    const more = { ...NOTHING, numbers: 1000, events: 2000, more: true };
    const { deps, swept, facts } = sweeper(...Array.from({ length: 25 }, () => more));
    for (let minute = 0; minute < 3; minute++) await enforceRetention(deps, NOON_MS + minute * MINUTE);
    expect(facts.map(([, report]) => report)).toEqual([
      { ...EMPTY_REPORT, numbers: 10_000, events: 20_000, more: true },
      { ...EMPTY_REPORT, numbers: 10_000, events: 20_000, more: true },
      { ...EMPTY_REPORT, numbers: 5000, events: 10_000, more: false },
    ]);
    // 5 million events a day are at most 3472 a minute, and so are their rows.
    expect(swept.slice(0, 10).length * 2000).toBeGreaterThan(3472);
  });

  test("removes the oldest verifications where more are kept than may be, however young, and says so once in six hours", async () => {
    const facts: [string, unknown][] = [];
    const ledger = memoryLedger(memoryRecords());
    const boundary = vi.spyOn(ledger, "boundary");
    const began = (n: number) => NOON_MS - 2 * HOUR + n;
    await ledger.write(
      Array.from({ length: 1500 }, (_, n) => ({
        ...event(`verified.c${n}`),
        correlationId: `c${n}`,
        atMs: began(n),
      })),
    );
    await ledger.countRefusals([{ atMs: began(0), dimension: "all", subject: "all", count: 3 }]);
    const deps = {
      ledger,
      policy: roomyPolicy({}, { retention: { max_rows: 1000 } }),
      log: (fact: string, evidence: unknown) => facts.push([fact, evidence]),
    };
    for (let hour = 0; hour < 6; hour++) await enforceRetention(deps, NOON_MS + hour * HOUR);
    const window = { fromMs: 0, toMs: NOON_MS, country: null };
    expect(await ledger.page(window, null, 1000)).toMatchObject({
      rows: [{ id: "verified.c499" }, ...Array(999).fill({})],
    });
    expect(await ledger.refusals(window)).toMatchObject({ counts: [{ count: 3 }] });
    expect(boundary).toHaveBeenCalledTimes(1);
    expect(facts.filter(([fact]) => fact === "ledger_full")).toEqual([
      ["ledger_full", { max_rows: 1000, kept_hours: 1 }],
    ]);
    await enforceRetention(deps, NOON_MS + 6 * HOUR);
    expect(boundary).toHaveBeenCalledTimes(2);
  });

  test("is 30, 30 and 400 days and 7 million verifications unless the policy says otherwise, and refuses what makes no sense", () => {
    expect(roomyPolicy().retention).toEqual({
      number_days: 30,
      ip_days: 30,
      events_days: 400,
      max_rows: 7_000_000,
    });
    expect(() => roomyPolicy({}, { retention: { number_days: 30, events_days: 10 } })).toThrow(
      /POLICY.retention/,
    );
  });
});

describe("The ledger's older rows", () => {
  test("move some thousands a minute, and a run that breaks off is gone on with by the next", async () => {
    const facts: [string, unknown][] = [];
    let older = 3500;
    let away = false;
    const deps = {
      ledger: {
        ...memoryLedger(memoryRecords()),
        async carryOver(limit: number) {
          if (away && older < 2000) return { kind: "unavailable" as const, cause: "D1 refused a write" };
          const events = Math.min(limit, older);
          older -= events;
          return { kind: "moved" as const, events, more: events > 0 };
        },
      },
      log: (fact: string, evidence: unknown) => facts.push([fact, evidence]),
    };
    away = true;
    await carryOverLedger(deps);
    away = false;
    for (let minute = 0; minute < 3; minute++) await carryOverLedger(deps);
    expect(older).toBe(0);
    expect(facts).toEqual([
      ["ledger_not_carried_over", { cause: "D1 refused a write", events: 1800 }],
      ["ledger_carried_over", { events: 1700 }],
    ]);
  });
});
