import {
  budgetOf,
  type Level,
  type LevelReading,
  oldestReadSlot,
  oldestSlotOf,
  PAST_FADES_ABOVE_HUNDREDTHS,
  slotOf,
} from "../domain/admission/exposure.ts";
import { EARNED_SECONDS, reservationSeconds } from "../domain/admission/lifetimes.ts";
import { creditedWeight, type Reservation, weightIn } from "../domain/admission/reservation.ts";
import type { SpendMeter } from "../domain/delivery/money.ts";
import type { BudgetsPort, ReservationRequest, ReservationResult } from "../ports/admission.ts";

interface Slot {
  unverified: number;
  verified: number;
  messages: number;
}

interface Account {
  slots: Map<number, Slot>;
  earned: number;
  earnedAtMs: number;
  /** What has left the window, fading. */
  past: { unverified: number; verified: number };
}

interface MemoryBudgets extends Pick<BudgetsPort, "read" | "spend"> {
  readings(keys: readonly Level[]): LevelReading[];
  totals(meters: readonly SpendMeter[]): number[];
  /** Takes from every level and meter, or from none. */
  reserve(
    request: Omit<ReservationRequest, "limitDraws">,
  ): Exclude<ReservationResult, { kind: "unavailable" }>;
  /** Gives back what was taken for a message that never left; nothing, if the reservation never came about. */
  release(reservation: Reservation): void;
  /** Credits a verification; the units of the other reservations come back too, and earn nothing. */
  credit(reservation: Reservation, others?: readonly Reservation[]): void;
}

/** Keeps exposure budgets and spend meters in memory, by the rules of the adapter's scripts. */
export function memoryBudgets(nowMs: () => number): MemoryBudgets {
  const levels = new Map<string, Account>();
  const meters = new Map<string, number>();
  /** Reservations that were neither released nor credited; as many as there are messages unanswered. */
  const open = new Map<string, Reservation>();
  const isOpen = ({ atMs, taken }: Reservation) =>
    Math.floor(nowMs() / 1000) < Math.floor(atMs / 1000) + reservationSeconds(taken);
  /** Ids of open reservations by the level that counts their number. */
  const byPerson = new Map<string, Set<string>>();

  function read(level: Level, atMs: number): LevelReading {
    const none = { unverified: 0, verified: 0, verifiedEarlier: 0, messages: 0, earned: 0 };
    const reading = { level, ...none, past: { unverified: 0, verified: 0 } };
    const held = levels.get(level.key);
    if (!held) return reading;
    const [current, oldest] = [slotOf(atMs, level.windowSeconds), oldestReadSlot(level, atMs)];
    for (const [number, slot] of held.slots) {
      if (number < oldest) {
        reading.past.unverified += Math.max(0, slot.unverified);
        reading.past.verified += slot.verified;
        continue;
      }
      reading.unverified += slot.unverified;
      reading.verified += slot.verified;
      reading.messages += slot.messages;
      if (number < current) reading.verifiedEarlier += slot.verified;
    }
    if (held.earnedAtMs <= atMs - EARNED_SECONDS * 1000) held.earned = 0;
    reading.past.unverified += held.past.unverified;
    reading.past.verified += held.past.verified;
    // Nothing is learned where nobody verified.
    if (reading.past.verified === 0) reading.past.unverified = 0;
    return { ...reading, earned: held.earned };
  }

  function slot(key: string, number: number): Slot {
    const held = levels.get(key) ?? newAccount();
    levels.set(key, held);
    const found = held.slots.get(number) ?? { unverified: 0, verified: 0, messages: 0 };
    held.slots.set(number, found);
    return found;
  }

  function slotIfCounted(key: string, windowSeconds: number, atMs: number): Slot | null {
    const number = slotOf(atMs, windowSeconds);
    return number >= oldestSlotOf(nowMs(), windowSeconds) ? slot(key, number) : null;
  }

  const readings = (wanted: readonly Level[]) => wanted.map((level) => read(level, nowMs()));
  const totals = (run: readonly SpendMeter[]) =>
    run.map((meter) => meters.get(meterKey(meter, nowMs())) ?? 0);

  return {
    readings,
    totals,
    read: async (wanted, run) => ({ kind: "answered", readings: readings(wanted), totals: totals(run) }),

    reserve({ levels: wanted, reservation: hold, slowStart }) {
      const exposure = { slow_start: { start: slowStart.start / 100, factor: slowStart.factor } };
      for (const level of wanted) {
        const reading = read(level, hold.atMs);
        const full = level.maxMessages !== null && reading.messages >= level.maxMessages;
        if (full || reading.unverified + weightIn(hold, level.key) > budgetOf(reading, exposure)) {
          return { kind: "exhausted", level: level.key };
        }
      }
      for (const meter of hold.meters) {
        const total = (meters.get(meterKey(meter, hold.atMs)) ?? 0) + meter.amount;
        if (!meter.lifted && total > meter.cap) return { kind: "capped", meter };
      }
      open.set(hold.id, hold);
      if (hold.person !== undefined) openOf(hold.person).add(hold.id);
      for (const { key, windowSeconds, weight = hold.weight } of hold.taken) {
        dropStale(key, oldestSlotOf(hold.atMs, windowSeconds));
        const taken = slot(key, slotOf(hold.atMs, windowSeconds));
        taken.unverified += weight;
        taken.messages += 1;
      }
      const readings = hold.meters.map((meter) => {
        const total = (meters.get(meterKey(meter, hold.atMs)) ?? 0) + meter.amount;
        meters.set(meterKey(meter, hold.atMs), total);
        return { meter, total };
      });
      return { kind: "granted", meters: readings };
    },

    async spend(meter) {
      const key = meterKey(meter, nowMs());
      const total = (meters.get(key) ?? 0) + meter.amount;
      if (!meter.lifted && total > meter.cap) return { kind: "capped" };
      meters.set(key, total);
      return { kind: "granted", total };
    },

    release(hold) {
      if (!close(hold)) return;
      for (const { key, windowSeconds, weight = hold.weight } of hold.taken) {
        const counted = slotIfCounted(key, windowSeconds, hold.atMs);
        if (counted) {
          counted.unverified -= weight;
          counted.messages -= 1;
        }
      }
      for (const meter of hold.meters) {
        const key = meterKey(meter, hold.atMs);
        meters.set(key, (meters.get(key) ?? 0) - meter.amount);
      }
    },

    credit(hold, others = []) {
      const own = open.get(hold.id);
      const booked = own !== undefined && isOpen(own);
      const sameNumber = hold.person === undefined ? [] : [...openOf(hold.person)];
      const settled: Reservation[] = [];
      for (const id of new Set([hold.id, ...others.map((other) => other.id), ...sameNumber])) {
        const held = open.get(id);
        if (!held || !close(held)) continue;
        settled.push(held);
        for (const { key, windowSeconds, weight = held.weight, kept } of held.taken) {
          const counted = kept ? null : slotIfCounted(key, windowSeconds, held.atMs);
          if (counted) counted.unverified -= weight;
        }
      }
      if (!booked) return;
      const earned = [...hold.taken.filter(({ kept }) => !kept), ...hold.earns];
      for (const { key, windowSeconds } of earned) {
        slot(key, slotOf(nowMs(), windowSeconds)).verified += creditedWeight(key, hold, settled);
        const held = levels.get(key);
        if (held) Object.assign(held, { earned: held.earned + 1, earnedAtMs: nowMs() });
      }
    },
  };

  /** Adds the slots that left the window to the past, which fades by half when it has grown long. */
  function dropStale(key: string, oldest: number): void {
    const held = levels.get(key);
    if (!held) return;
    let dropped = false;
    for (const [number, { unverified, verified }] of held.slots) {
      if (number >= oldest) continue;
      held.slots.delete(number);
      held.past.unverified += Math.max(0, unverified);
      held.past.verified += verified;
      dropped = true;
    }
    const { past } = held;
    if (past.verified === 0) past.unverified = 0;
    if (!dropped || past.verified <= PAST_FADES_ABOVE_HUNDREDTHS) return;
    past.unverified = Math.floor(past.unverified / 2);
    past.verified = Math.floor(past.verified / 2);
  }

  function openOf(person: string): Set<string> {
    const ids = byPerson.get(person) ?? new Set<string>();
    byPerson.set(person, ids);
    return ids;
  }

  /** @returns false for a reservation that is not open */
  function close({ id, person }: Reservation): boolean {
    if (person !== undefined) {
      openOf(person).delete(id);
      if (openOf(person).size === 0) byPerson.delete(person);
    }
    const held = open.get(id);
    open.delete(id);
    return held !== undefined && isOpen(held);
  }
}

const newAccount = (): Account => ({
  slots: new Map(),
  earned: 0,
  earnedAtMs: 0,
  past: { unverified: 0, verified: 0 },
});

function meterKey({ scope, period }: SpendMeter, atMs: number): string {
  const digits = { minute: 16, hour: 13, day: 10, month: 7 }[period];
  return `${scope}:${new Date(atMs).toISOString().slice(0, digits)}`;
}
