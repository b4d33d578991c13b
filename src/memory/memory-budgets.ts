import {
  budgetOf,
  type Level,
  type LevelReading,
  oldestSlotOf,
  slotOf,
} from "../domain/admission/exposure.ts";
import { EARNED_SECONDS } from "../domain/admission/lifetimes.ts";
import type { SpendMeter } from "../domain/delivery/money.ts";
import type { BudgetsPort } from "../ports/admission.ts";

interface Slot {
  unverified: number;
  verified: number;
  messages: number;
}

interface Account {
  slots: Map<number, Slot>;
  earned: number;
  earnedAtMs: number;
}

/** Keeps exposure budgets and spend meters in memory, by the rules of the adapter's scripts. */
export function memoryBudgets(
  nowMs: () => number,
): BudgetsPort & { readings(keys: readonly Level[]): LevelReading[] } {
  const levels = new Map<string, Account>();
  const meters = new Map<string, number>();
  /** Reservations that were neither released nor credited; as many as there are messages unanswered. */
  const open = new Set<string>();

  function read(level: Level, atMs: number): LevelReading {
    const reading = { level, unverified: 0, verified: 0, verifiedEarlier: 0, messages: 0, earned: 0 };
    const held = levels.get(level.key);
    if (!held) return reading;
    const [current, oldest] = [slotOf(atMs, level.windowSeconds), oldestSlotOf(atMs, level.windowSeconds)];
    for (const [number, slot] of held.slots) {
      if (number < oldest) {
        held.slots.delete(number);
        continue;
      }
      reading.unverified += slot.unverified;
      reading.verified += slot.verified;
      reading.messages += slot.messages;
      if (number < current) reading.verifiedEarlier += slot.verified;
    }
    if (held.earnedAtMs <= atMs - EARNED_SECONDS * 1000) held.earned = 0;
    return { ...reading, earned: held.earned };
  }

  function slot(key: string, number: number): Slot {
    const held = levels.get(key) ?? { slots: new Map<number, Slot>(), earned: 0, earnedAtMs: 0 };
    levels.set(key, held);
    const found = held.slots.get(number) ?? { unverified: 0, verified: 0, messages: 0 };
    held.slots.set(number, found);
    return found;
  }

  function slotIfCounted(key: string, windowSeconds: number, atMs: number): Slot | null {
    const number = slotOf(atMs, windowSeconds);
    return number >= oldestSlotOf(nowMs(), windowSeconds) ? slot(key, number) : null;
  }

  return {
    readings: (wanted) => wanted.map((level) => read(level, nowMs())),

    async read(wanted, run) {
      return {
        kind: "answered",
        readings: wanted.map((level) => read(level, nowMs())),
        totals: run.map((meter) => meters.get(meterKey(meter, nowMs())) ?? 0),
      };
    },

    async reserve({ levels: wanted, reservation: hold, slowStart }) {
      const exposure = { slow_start: { start: slowStart.start / 100, factor: slowStart.factor } };
      for (const level of wanted) {
        const reading = read(level, hold.atMs);
        const full = level.maxMessages !== null && reading.messages >= level.maxMessages;
        if (full || reading.unverified + hold.weight > budgetOf(reading, exposure)) {
          return { kind: "exhausted", level: level.key };
        }
      }
      for (const meter of hold.meters) {
        const total = (meters.get(meterKey(meter, hold.atMs)) ?? 0) + meter.amount;
        if (!meter.lifted && total > meter.cap) return { kind: "capped", meter };
      }
      open.add(hold.id);
      for (const { key, windowSeconds } of hold.taken) {
        const taken = slot(key, slotOf(hold.atMs, windowSeconds));
        taken.unverified += hold.weight;
        taken.messages += 1;
      }
      const totals = hold.meters.map((meter) => {
        const total = (meters.get(meterKey(meter, hold.atMs)) ?? 0) + meter.amount;
        meters.set(meterKey(meter, hold.atMs), total);
        return { meter, total };
      });
      return { kind: "granted", meters: totals };
    },

    async spend(meter) {
      const key = meterKey(meter, nowMs());
      const total = (meters.get(key) ?? 0) + meter.amount;
      if (!meter.lifted && total > meter.cap) return { kind: "capped" };
      meters.set(key, total);
      return { kind: "granted", total };
    },

    async release({ id, taken, weight, meters: run, atMs }) {
      if (!open.delete(id)) return;
      for (const { key, windowSeconds } of taken) {
        const counted = slotIfCounted(key, windowSeconds, atMs);
        if (counted) {
          counted.unverified -= weight;
          counted.messages -= 1;
        }
      }
      for (const meter of run) {
        const key = meterKey(meter, atMs);
        meters.set(key, (meters.get(key) ?? 0) - meter.amount);
      }
    },

    async credit(hold, others = []) {
      const { taken, earns, weight } = hold;
      const isOpen = open.has(hold.id);
      for (const held of [hold, ...others]) {
        if (!open.delete(held.id)) continue;
        for (const { key, windowSeconds } of held.taken) {
          const counted = slotIfCounted(key, windowSeconds, held.atMs);
          if (counted) counted.unverified -= held.weight;
        }
      }
      if (!isOpen) return;
      for (const { key, windowSeconds } of [...taken, ...earns]) {
        slot(key, slotOf(nowMs(), windowSeconds)).verified += weight;
        const held = levels.get(key);
        if (held) Object.assign(held, { earned: held.earned + 1, earnedAtMs: nowMs() });
      }
    },
  };
}

function meterKey({ scope, period }: SpendMeter, atMs: number): string {
  const digits = { minute: 16, hour: 13, day: 10, month: 7 }[period];
  return `${scope}:${new Date(atMs).toISOString().slice(0, digits)}`;
}
