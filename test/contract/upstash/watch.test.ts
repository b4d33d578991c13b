import { describe, expect, test } from "vitest";
import { upstashMonitorState } from "../../../src/adapters/upstash/upstash-monitor-state.ts";
import type { History, QuarterTally } from "../../../src/domain/monitor/history.ts";
import { initialMonitorMemory, type MonitorMemory } from "../../../src/domain/monitor/monitor-memory.ts";
import type { Counts } from "../../../src/domain/monitor/tally.ts";
import { memoryMonitorState } from "../../../src/memory/memory-monitor-state.ts";
import type { MonitorStatePort } from "../../../src/ports/monitor.ts";
import { describeOnRedis } from "../support/support-redis.ts";

const NOW_MS = Date.UTC(2026, 6, 8, 12, 7);
const QUARTER = Math.floor(NOW_MS / 900_000);
const DAY = 96;

const MEMORY: MonitorMemory = {
  ...initialMonitorMemory(NOW_MS),
  lastFailure: "counters: no answer in 1000 ms",
  foldedTo: QUARTER - 2,
  incident: {
    id: "incident-1",
    openedAtMs: NOW_MS - 60_000,
    lastSeenAtMs: NOW_MS,
    closedAtMs: null,
    severity: "emergency",
    posture: "emergency",
    findings: [
      {
        kind: "conversion_collapse",
        subject: "prefix +91987",
        severity: "emergency",
        says: "12 sent, none verified",
        evidence: { sent: 12, verified: 0, since: null },
        block: true,
      },
    ],
    timeline: [{ atMs: NOW_MS, by: "cron", what: "opened" }],
    sent: 12,
    verified: 0,
    spentMicros: 84_000,
    unansweredMicros: 84_000,
    refused: 3,
  },
  told: { "attack prefix +91987": { atMs: NOW_MS, severity: "critical" } },
  blocked: { "range +91987": { times: 2, lastMs: NOW_MS } },
};

const HISTORY: History = {
  quarter: QUARTER - 2,
  sinceMs: NOW_MS - 86_400_000,
  subjects: { "overall all": { sent: 1020.5, verified: 714.25 }, "country IN": { sent: 900 } },
};

const quarterAt = (quarter: number, sent = 5): QuarterTally => ({
  quarter,
  tally: new Map<string, Counts>([["overall all", { sent, verified: 3 }]]),
});

const KEPT = { memory: MEMORY, history: null, quarter: null };

/** What holds of every memory of the watch. `open` gives a handle of another isolate on an empty one. */
function remembersAsItShould(open: () => MonitorStatePort): void {
  test("the first run finds nothing, the next what the last one left", async () => {
    const watch = open();
    const nothing = { memory: null, history: null, sameTime: [] };
    expect(await watch.begin(NOW_MS)).toEqual({ kind: "begun", ...nothing });
    expect(await watch.end({ memory: MEMORY, history: HISTORY, quarter: null })).toEqual({ kind: "done" });
    const left = { memory: MEMORY, history: HISTORY };
    expect(await watch.look()).toEqual({ kind: "answered", ...left });
    expect(await watch.begin(NOW_MS + 60_000)).toEqual({ kind: "begun", ...left, sameTime: [] });
  });

  test("two runs at once: the second is told that it is busy, until the first one ends", async () => {
    const watch = open();
    await watch.begin(NOW_MS);
    expect(await watch.begin(NOW_MS)).toEqual({ kind: "busy" });
    await watch.end(KEPT);
    expect(await watch.begin(NOW_MS)).toMatchObject({ kind: "begun" });
  });

  test("a run that folded no quarter leaves the history as it was", async () => {
    const watch = open();
    await watch.begin(NOW_MS);
    await watch.end({ memory: MEMORY, history: HISTORY, quarter: null });
    await watch.begin(NOW_MS);
    await watch.end(KEPT);
    expect(await watch.look()).toMatchObject({ history: HISTORY });
  });

  test("the same time of day is this quarter and the one before it, on each of the past 7 days", async () => {
    const watch = open();
    const wanted = [7, 6, 3, 1].flatMap((days) => [QUARTER - days * DAY - 1, QUARTER - days * DAY]);
    const unwanted = [QUARTER, QUARTER - 1, QUARTER - DAY - 2, QUARTER - DAY + 1, QUARTER - 7 * DAY - 2];
    for (const quarter of [...unwanted, ...wanted].sort((a, b) => a - b)) {
      await watch.begin(NOW_MS);
      await watch.end({ memory: MEMORY, history: null, quarter: quarterAt(quarter) });
    }
    const begun = await watch.begin(NOW_MS);
    expect(begun).toMatchObject({ kind: "begun", sameTime: wanted.map((quarter) => quarterAt(quarter)) });
  });

  test("quarters are found from the first to the last, as far as they are kept", async () => {
    const watch = open();
    const kept = [QUARTER - 200, QUARTER - 100, QUARTER - 1];
    for (const quarter of kept) {
      await watch.begin(NOW_MS);
      await watch.end({ memory: MEMORY, history: null, quarter: quarterAt(quarter, quarter % 97) });
    }
    const find = (from: number, to: number) => watch.quarters(from, to);
    const all = kept.map((quarter) => quarterAt(quarter, quarter % 97));
    expect(await find(QUARTER - 200, QUARTER - 1)).toEqual({ kind: "answered", quarters: all });
    expect(await find(QUARTER - 199, QUARTER - 2)).toEqual({ kind: "answered", quarters: all.slice(1, 2) });
    expect(await find(0, QUARTER)).toEqual({ kind: "answered", quarters: all });
    expect(await find(QUARTER, QUARTER - 5)).toEqual({ kind: "answered", quarters: [] });
  });

  test("a quarter keeps its busiest ranges, and no single hundreds and addresses", async () => {
    const watch = open();
    const tally = new Map<string, Counts>([
      ["hundred +9198765432", { sent: 900 }],
      ["address tag", { sent: 900, numbers: 12 }],
      ...Array.from({ length: 300 }, (_, i): [string, Counts] => [`prefix +${i}`, { sent: i }]),
    ]);
    await watch.begin(NOW_MS);
    await watch.end({ memory: MEMORY, history: null, quarter: { quarter: QUARTER, tally } });
    const answer = await watch.quarters(QUARTER, QUARTER);
    const keys = answer.kind === "answered" ? [...(answer.quarters[0]?.tally.keys() ?? [])] : [];
    expect(keys).toHaveLength(200);
    expect(keys).toContain("prefix +299");
    expect(keys).not.toContain("prefix +99");
    expect(keys.every((key) => key.startsWith("prefix "))).toBe(true);
  });
}

describe("the lab's watch", () => {
  remembersAsItShould(() => memoryMonitorState(() => NOW_MS));

  test("a run that outlived its lock keeps nothing and lets the next one begin", async () => {
    let now = NOW_MS;
    const watch = memoryMonitorState(() => now);
    await watch.begin(now);
    now += 56_000;
    expect(await watch.end(KEPT)).toMatchObject({ kind: "unavailable" });
    expect(await watch.begin(now)).toMatchObject({ kind: "begun", memory: null });
  });
});

describeOnRedis("the watch", (upstash) => {
  let facts: { fact: string; evidence: object }[] = [];
  const open = () => {
    facts = [];
    return upstashMonitorState(upstash().connect(), (fact, evidence) => facts.push({ fact, evidence }));
  };
  remembersAsItShould(open);

  test("of 20 isolates that begin at once, one has the run", async () => {
    const kinds = await Promise.all(
      Array.from({ length: 20 }, async () => (await open().begin(NOW_MS)).kind),
    );
    expect(kinds.filter((kind) => kind === "begun")).toHaveLength(1);
    expect(kinds.filter((kind) => kind === "busy")).toHaveLength(19);
  });

  test("who looks again reads the history only when a run has folded another quarter", async () => {
    const [watch, looking] = [open(), open()];
    const fold = async (quarter: number) => {
      await watch.begin(NOW_MS);
      const history = { ...HISTORY, quarter };
      await watch.end({ memory: { ...MEMORY, foldedTo: quarter }, history, quarter: null });
      return history;
    };
    const first = await fold(QUARTER - 2);
    expect(await looking.look()).toMatchObject({ history: first });
    upstash().countFromHere();
    expect(await looking.look()).toMatchObject({ history: first });
    expect(upstash().service.stats).toMatchObject({ requests: 1, byName: { get: 1 } });
    const next = await fold(QUARTER - 1);
    expect(await looking.look()).toMatchObject({ memory: { foldedTo: QUARTER - 1 }, history: next });
  });

  test("a run that lost its lock writes over nothing and frees nobody's run", async () => {
    const [slow, next] = [open(), open()];
    await slow.begin(NOW_MS);
    await upstash().connect().del("tg:watch:lock");
    await next.begin(NOW_MS);
    expect(await slow.end({ ...KEPT, history: HISTORY })).toEqual({
      kind: "unavailable",
      cause: "the run took too long and was given up",
    });
    expect(await open().look()).toEqual({ kind: "answered", memory: null, history: null });
    expect(await open().begin(NOW_MS)).toEqual({ kind: "busy" });
    expect(await next.end(KEPT)).toEqual({ kind: "done" });
  });

  test("a run that never began ends nothing", async () => {
    expect(await open().end(KEPT)).toMatchObject({ kind: "unavailable" });
    expect(await upstash().lives()).toEqual({});
  });

  const unreadable = ["{", '"text"', "7", "[]", '{"lastRunMs":"soon"}', "null", "{}"];

  test.for(unreadable)("a memory like %s is none: the watch starts afresh and says so", async (text) => {
    const raw = upstash().connect();
    const watch = open();
    await raw.set("tg:watch:memory", text);
    await raw.set("tg:watch:history", text);
    await raw.set(`tg:watch:quarter:${QUARTER - DAY}`, text === "{}" ? "[]" : text);
    const answer = await watch.begin(NOW_MS);
    expect(answer).toMatchObject({ kind: "begun", memory: null, history: null });
    if (answer.kind === "begun") expect(answer.sameTime).toEqual([]);
    if (text !== "null") {
      expect(facts).toEqual([
        { fact: "watch_unreadable", evidence: { what: "memory" } },
        { fact: "watch_unreadable", evidence: { what: "history" } },
        { fact: "watch_unreadable", evidence: { what: "quarter", quarter: QUARTER - DAY } },
      ]);
    }
    expect(await watch.end({ ...KEPT, history: HISTORY })).toEqual({ kind: "done" });
    expect(await watch.look()).toEqual({ kind: "answered", memory: MEMORY, history: HISTORY });
  });

  test("what a newer version remembers besides survives a run of this one", async () => {
    const watch = open();
    await upstash()
      .connect()
      .set("tg:watch:memory", { ...MEMORY, invented: 7 });
    expect(await watch.begin(NOW_MS)).toMatchObject({ memory: { ...MEMORY, invented: 7 } });
  });

  test("beginning is one request of four commands, ending one of one", async () => {
    const watch = open();
    await watch.begin(NOW_MS);
    expect(upstash().service.stats).toMatchObject({ requests: 1, commands: 4 });
    await watch.end({ memory: MEMORY, history: HISTORY, quarter: quarterAt(QUARTER) });
    expect(upstash().service.stats).toMatchObject({ requests: 2, commands: 5 });
  });

  test("everything ends by itself, and the lock before the next run is due", async () => {
    const watch = open();
    await watch.begin(NOW_MS);
    const lock = (await upstash().lives())["tg:watch:lock"] ?? 0;
    expect(lock).toBeGreaterThan(50);
    expect(lock).toBeLessThanOrEqual(55);
    await watch.end({ memory: MEMORY, history: HISTORY, quarter: quarterAt(QUARTER) });
    const about = (seconds: number) => expect.closeTo(seconds, -1.5);
    expect(await upstash().lives()).toEqual({
      "tg:watch:memory": about(30 * 86_400),
      "tg:watch:history": about(40 * 86_400),
      [`tg:watch:quarter:${QUARTER}`]: about(8 * 86_400 + 3600),
    });
  });

  test("every call is unavailable while Redis is down, and the run stays free", async () => {
    const watch = open();
    upstash().service.faults.down = true;
    const silence = { kind: "unavailable", cause: "error answer" };
    expect(await watch.begin(NOW_MS)).toEqual(silence);
    expect(await watch.end(KEPT)).toEqual(silence);
    expect(await watch.look()).toEqual(silence);
    expect(await watch.quarters(QUARTER - 1, QUARTER)).toEqual(silence);
    upstash().service.faults.down = false;
    expect(await watch.begin(NOW_MS)).toMatchObject({ kind: "begun" });
  });
});
