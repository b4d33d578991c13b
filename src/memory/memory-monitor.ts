/** The watch's stores in memory, on the lab's virtual clock: the same rules as in Redis and KV, without their failures. */

import {
  MEMBERS_PER_QUARTER,
  MEMBERS_SECONDS,
  MINUTE_SECONDS,
  OUTCOME_CLAIM_SECONDS,
  WATCH_LOCK_MS,
  WATCH_QUARTER_SECONDS,
} from "../adapters/keys.ts";
import { type Change, changesOf } from "../adapters/upstash/upstash-counters.ts";
import { RUN_LOST, sameTimeQuarters } from "../adapters/upstash/upstash-monitor-state.ts";
import { minuteOf } from "../domain/kernel/time.ts";
import type { ControlDocuments } from "../domain/monitor/effective-control.ts";
import { mergeControlDocuments, NO_CONTROL_DOCUMENTS } from "../domain/monitor/effective-control.ts";
import { type History, QUARTER_MINUTES, type QuarterTally, quarterOf } from "../domain/monitor/history.ts";
import type { Incident } from "../domain/monitor/incident.ts";
import type { MonitorMemory } from "../domain/monitor/monitor-memory.ts";
import {
  type Counts,
  type Dimension,
  keepBusiest,
  METRICS_PER_SUBJECT,
  OTHER_SUBJECTS,
  QUARTER_SUBJECTS,
  subjectsFor,
  type Tally,
  tallyKey,
} from "../domain/monitor/tally.ts";
import type { ControlPort } from "../ports/control.ts";
import type { CountersPort, MonitorStatePort } from "../ports/monitor.ts";
import type { DeadLetter, OperatorAction, RecordsPort } from "../ports/records.ts";

const QUARTERS_KEPT = Math.floor(WATCH_QUARTER_SECONDS / 60 / QUARTER_MINUTES);

/** The part of a tally that is of these dimensions. */
export const ofDimensions = (tally: Tally, wanted: readonly Dimension[]): Tally =>
  new Map([...tally].filter(([key]) => wanted.some((dimension) => key.startsWith(`${dimension} `))));

/** Counters of one minute, or of all time. */
interface Counted {
  tally: Map<string, Counts>;
  /** How many subjects of each dimension are told apart. */
  apart: Map<string, number>;
}

const nothingCounted = (): Counted => ({ tally: new Map(), apart: new Map() });

export function memoryCounters(nowMs: () => number): CountersPort {
  const minutes = new Map<number, Counted>();
  const members = new Map<string, { seen: Set<string>; endsAtMs: number }>();
  const outcomes = new Map<string, number>();
  const totals = nothingCounted();

  function distinct(name: string, member: string): number {
    const held = members.get(name);
    const kept = held && nowMs() < held.endsAtMs ? held : { seen: new Set<string>(), endsAtMs: 0 };
    if (kept.seen.size < MEMBERS_PER_QUARTER) {
      kept.seen.add(member);
      kept.endsAtMs = nowMs() + MEMBERS_SECONDS * 1000;
    }
    members.set(name, kept);
    return kept.seen.size;
  }

  function book(counted: Counted, { minute, dimension, subject, entries }: Change): void {
    let key = tallyKey(dimension, subject);
    let apart = true;
    if (!counted.tally.has(key)) {
      const many = counted.apart.get(dimension) ?? 0;
      if (many < subjectsFor(dimension, entries)) counted.apart.set(dimension, many + 1);
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
        const set = `${quarterOf(Number(minute))} ${dimension} ${subject}`;
        counts[metric] = Math.max(before ?? 0, distinct(set, how.distinct));
      }
    }
  }

  function forget(): void {
    const oldest = minuteOf(nowMs()) - MINUTE_SECONDS / 60;
    for (const minute of minutes.keys()) if (minute < oldest) minutes.delete(minute);
    for (const [name, { endsAtMs }] of members) if (nowMs() >= endsAtMs) members.delete(name);
  }

  return {
    async count(bookings) {
      for (const change of changesOf(bookings).values()) {
        const { minute } = change;
        if (minute === "totals") {
          book(totals, change);
          continue;
        }
        if (!minutes.has(minute)) forget();
        const counted = minutes.get(minute) ?? nothingCounted();
        minutes.set(minute, counted);
        book(counted, change);
      }
    },
    async window(minute, count, of) {
      const wanted = Array.from({ length: count }, (_, i) => minute - count + 1 + i);
      const tallyAt = (at: number) => minutes.get(at)?.tally ?? new Map();
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
      if (nowMs() < (outcomes.get(key) ?? 0)) return false;
      outcomes.set(key, nowMs() + OUTCOME_CLAIM_SECONDS * 1000);
      return true;
    },
  };
}

export function memoryMonitorState(nowMs: () => number): MonitorStatePort {
  let lockedUntilMs = 0;
  let memory: MonitorMemory | null = null;
  let history: History | null = null;
  const kept = new Map<number, QuarterTally>();
  const find = (wanted: readonly number[]) => wanted.flatMap((quarter) => kept.get(quarter) ?? []);
  return {
    async begin(atMs) {
      if (nowMs() < lockedUntilMs) return { kind: "busy" };
      lockedUntilMs = nowMs() + WATCH_LOCK_MS;
      return { kind: "begun", memory, history, sameTime: find(sameTimeQuarters(atMs)) };
    },
    async end(made) {
      if (nowMs() >= lockedUntilMs) return { kind: "unavailable", cause: RUN_LOST };
      lockedUntilMs = 0;
      memory = made.memory;
      history = made.history ?? history;
      if (made.quarter !== null) {
        const { quarter, tally } = made.quarter;
        kept.set(quarter, { quarter, tally: keepBusiest(tally, QUARTER_SUBJECTS) });
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

/** Control documents without KV. `documents` answers always: nothing here can be unreadable. */
export function memoryControl(nowMs: () => number): ControlPort & { documents(): Promise<ControlDocuments> } {
  let held = NO_CONTROL_DOCUMENTS;
  const write = (part: Partial<ControlDocuments>) => {
    held = { ...held, ...part };
    return Promise.resolve({ kind: "done" } as const);
  };
  return {
    read: async () => mergeControlDocuments(held, nowMs()),
    documents: async () => held,
    writeCron: (cron) => write({ cron }),
    writeCronBlocks: (cronBlocks) => write({ cronBlocks }),
    writeOperator: (operator) => write({ operator }),
    writeOperatorBlocks: (operatorBlocks) => write({ operatorBlocks }),
    writeOperatorRoutes: (operatorRoutes) => write({ operatorRoutes }),
    writeOperatorPauses: (operatorPauses) => write({ operatorPauses }),
  };
}

/** Records for people, the newest first. */
export function memoryRecords(): RecordsPort {
  const incidents = new Map<string, Incident>();
  const actions: OperatorAction[] = [];
  const letters = new Map<string, DeadLetter>();
  return {
    async keepIncident(incident) {
      incidents.set(incident.id, incident);
      return { kind: "done" };
    },
    async incidents(limit) {
      const newest = [...incidents.values()].sort((a, b) => b.openedAtMs - a.openedAtMs);
      return { kind: "answered", incidents: newest.slice(0, limit) };
    },
    incident: async (id) => incidents.get(id) ?? null,
    async writeAction(action) {
      actions.unshift(action);
      return { kind: "done" };
    },
    async actions(limit) {
      return { kind: "answered", actions: actions.slice(0, limit) };
    },
    async bury(letter) {
      letters.set(letter.id, letter);
      return { kind: "done" };
    },
    async deadLetters(limit) {
      return { kind: "answered", letters: [...letters.values()].reverse().slice(0, limit) };
    },
    async exhume(id) {
      const letter = letters.get(id) ?? null;
      letters.delete(id);
      return letter;
    },
  };
}
