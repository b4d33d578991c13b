import { minuteOf } from "../domain/kernel/time.ts";
import { type GroupedCounterUpdate, groupCounterUpdates } from "../domain/monitor/counter-updates.ts";
import { quarterOfMinute } from "../domain/monitor/history.ts";
import {
  MEMBERS_PER_QUARTER,
  MINUTE_COUNTERS_SECONDS,
  OUTCOME_CLAIM_SECONDS,
  QUARTER_MEMBERS_SECONDS,
} from "../domain/monitor/lifetimes.ts";
import {
  type CounterUpdate,
  type Counts,
  type Dimension,
  METRICS_PER_SUBJECT,
  maxSubjects,
  OTHER_SUBJECTS,
  type Tally,
  tallyKey,
} from "../domain/monitor/tally.ts";
import type { CountersPort } from "../ports/monitor.ts";
import { expiringMap } from "./expiring-map.ts";

/** Counters of one minute, or of all time. */
interface Counted {
  tally: Map<string, Counts>;
  /** How many subjects of each dimension are told apart. */
  subjects: Map<string, number>;
}

const nothingCounted = (): Counted => ({ tally: new Map(), subjects: new Map() });

/** Keeps the monitor's counters in memory, minute by minute, within the bounds of what one minute tells apart. */
export function memoryCounters(nowMs: () => number): CountersPort {
  const minutes = new Map<number, Counted>();
  const members = expiringMap<Set<string>>(nowMs);
  const outcomes = expiringMap<true>(nowMs);
  const totals = nothingCounted();

  function distinct(name: string, member: string): number {
    const seen = members.get(name) ?? new Set<string>();
    if (seen.size < MEMBERS_PER_QUARTER) {
      seen.add(member);
      members.set(name, seen, QUARTER_MEMBERS_SECONDS);
    }
    return seen.size;
  }

  function count(counted: Counted, { minute, dimension, subject, entries }: GroupedCounterUpdate): void {
    let key = tallyKey(dimension, subject);
    let apart = true;
    if (!counted.tally.has(key)) {
      const many = counted.subjects.get(dimension) ?? 0;
      if (many < maxSubjects(dimension, entries)) counted.subjects.set(dimension, many + 1);
      else [key, apart] = [tallyKey(dimension, OTHER_SUBJECTS), false];
    }
    const counts = counted.tally.get(key) ?? {};
    counted.tally.set(key, counts);
    for (const { metric, how } of entries) {
      const before = counts[metric];
      if (before === undefined && Object.keys(counts).length >= METRICS_PER_SUBJECT) continue;
      if ("add" in how) counts[metric] = (before ?? 0) + how.add;
      else if ("peak" in how) counts[metric] = Math.max(before ?? 0, how.peak);
      else if (apart) {
        const set = `${quarterOfMinute(Number(minute))} ${dimension} ${subject}`;
        counts[metric] = Math.max(before ?? 0, distinct(set, how.distinct));
      }
    }
  }

  function forgetOldMinutes(): void {
    const oldest = minuteOf(nowMs()) - MINUTE_COUNTERS_SECONDS / 60;
    for (const minute of minutes.keys()) if (minute < oldest) minutes.delete(minute);
  }

  function countAll(updates: readonly CounterUpdate[]): void {
    for (const [minute, changes] of groupCounterUpdates(updates)) {
      const counted = minute === "totals" ? totals : countedIn(minute);
      for (const change of changes) count(counted, change);
    }
  }

  function countedIn(minute: number): Counted {
    if (!minutes.has(minute)) forgetOldMinutes();
    const counted = minutes.get(minute) ?? nothingCounted();
    minutes.set(minute, counted);
    return counted;
  }

  return {
    async count(updates) {
      countAll(updates);
    },
    // Nothing is saved by waiting here.
    async countSoon(updates) {
      countAll(updates);
    },
    async window(minute, many, of) {
      const wanted = Array.from({ length: many }, (_, i) => minute - many + 1 + i);
      const tallyAt = (at: number): Tally => minutes.get(at)?.tally ?? new Map();
      return {
        kind: "answered",
        minutes: wanted.map((at) => ({
          minute: at,
          tally: of ? ofDimensions(tallyAt(at), of) : tallyAt(at),
        })),
      };
    },
    async totals() {
      return { kind: "answered", tally: totals.tally };
    },
    async claimOutcome(proofId, type) {
      const key = `${proofId} ${type}`;
      if (outcomes.get(key)) return false;
      outcomes.set(key, true, OUTCOME_CLAIM_SECONDS);
      return true;
    },
  };
}

/** The part of a tally that is of these dimensions. */
export const ofDimensions = (tally: Tally, wanted: readonly Dimension[]): Tally =>
  new Map([...tally].filter(([key]) => wanted.some((dimension) => key.startsWith(`${dimension} `))));
