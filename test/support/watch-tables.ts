/** Small hand-made counters for tests of the watch. */
import type { History } from "../../src/domain/monitor/history.ts";
import type { MonitorReadings } from "../../src/domain/monitor/monitor-view.ts";
import type { Counts, MinuteTally } from "../../src/domain/monitor/tally.ts";

export const T0 = 1_800_000_000_000;
export const MINUTE = 60_000;
export const DAY_MS = 86_400_000;

/** A window of 15 minutes up to `nowMs`; `at` gives the counters of the minute so many minutes ago. */
export const windowOf = (
  nowMs: number,
  at: (ago: number) => Readonly<Record<string, Counts>>,
  length = 15,
): MinuteTally[] =>
  Array.from({ length }, (_, i) => length - 1 - i).map((ago) => ({
    minute: Math.floor(nowMs / MINUTE) - ago,
    tally: new Map(Object.entries(at(ago))),
  }));

/** A week old, with these sums. */
export const historyOf = (subjects: Readonly<Record<string, Counts>>, nowMs = T0): History => ({
  quarter: Math.floor(nowMs / 900_000) - 2,
  sinceMs: nowMs - 7 * DAY_MS,
  subjects,
});

export const watched = (over: Partial<MonitorReadings> = {}): MonitorReadings => ({
  nowMs: T0,
  minutes: windowOf(T0, () => ({})),
  history: null,
  sameTime: [],
  lately: [],
  spent: null,
  planDayMicros: null,
  incident: null,
  ...over,
});
