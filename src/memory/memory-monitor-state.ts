import {
  type History,
  QUARTER_MINUTES,
  type QuarterTally,
  sameTimeQuarters,
} from "../domain/monitor/history.ts";
import { MONITOR_LOCK_MS, QUARTER_TALLY_SECONDS, RUN_LOST_CAUSE } from "../domain/monitor/lifetimes.ts";
import type { MonitorMemory } from "../domain/monitor/monitor-memory.ts";
import { keepBusiest, SUBJECTS_PER_QUARTER } from "../domain/monitor/tally.ts";
import type { MonitorStatePort } from "../ports/monitor.ts";

const QUARTERS_KEPT = Math.floor(QUARTER_TALLY_SECONDS / 60 / QUARTER_MINUTES);

/** Keeps in memory what the monitor remembers from run to run, with the lock that lets one run at a time have it. */
export function memoryMonitorState(nowMs: () => number): MonitorStatePort {
  let lockedUntilMs = 0;
  let memory: MonitorMemory | null = null;
  let history: History | null = null;
  const kept = new Map<number, QuarterTally>();
  const find = (wanted: readonly number[]) => wanted.flatMap((quarter) => kept.get(quarter) ?? []);
  return {
    async begin(atMs) {
      if (nowMs() < lockedUntilMs) return { kind: "busy" };
      lockedUntilMs = nowMs() + MONITOR_LOCK_MS;
      return { kind: "begun", memory, history, sameTime: find(sameTimeQuarters(atMs)) };
    },
    async end(made) {
      if (nowMs() >= lockedUntilMs) return { kind: "unavailable", cause: RUN_LOST_CAUSE };
      lockedUntilMs = 0;
      memory = made.memory;
      history = made.history ?? history;
      if (made.quarter !== null) {
        const { quarter, tally } = made.quarter;
        kept.set(quarter, { quarter, tally: keepBusiest(tally, SUBJECTS_PER_QUARTER) });
        for (const old of kept.keys()) if (old < quarter - QUARTERS_KEPT) kept.delete(old);
      }
      return { kind: "done" };
    },
    async look() {
      return { kind: "answered", memory, history };
    },
    async quarters(from, to) {
      const first = Math.max(from, to - QUARTERS_KEPT + 1);
      const wanted = Array.from({ length: Math.max(0, to - first + 1) }, (_, i) => first + i);
      return { kind: "answered", quarters: find(wanted) };
    },
  };
}
