import { randomUUID } from "node:crypto";
import { expect, onTestFinished, vi } from "vitest";
import { type Level, type LevelReading, UNIT_HUNDREDTHS } from "../../../src/domain/admission/exposure.ts";
import type { Reservation } from "../../../src/domain/admission/reservation.ts";
import type { SpendMeter } from "../../../src/domain/delivery/money.ts";
import type { ReservationResult } from "../../../src/ports/admission.ts";
import type { Budgets } from "../../support/store-parts.ts";

export const HOUR = 3600;
export const DAY = 86_400;

/** A day's window is counted in slots of two hours. */
export const DAY_SLOT_MS = (DAY / 12) * 1000;

/** Wednesday noon, UTC, where a slot of a day begins. */
export const NOON_MS = Date.UTC(2026, 6, 1, 12);

/** Whatever was verified counts towards room at once. */
const AT_ONCE = { start: 1_000_000, factor: 0 };

/** A level nobody has drawn on, with room for `base` units and `gain` more for each verified one. */
export function levelOf(base: number, more: Partial<Level> & { gain?: number } = {}): Level {
  const { gain = 0, ...rest } = more;
  return {
    name: "block",
    key: `stranger:block:${randomUUID()}`,
    rule: { base, gain },
    base: base * UNIT_HUNDREDTHS,
    windowSeconds: DAY,
    maxMessages: null,
    weight: UNIT_HUNDREDTHS,
    kept: false,
    quickStart: false,
    ...rest,
  };
}

const slim = ({ key, windowSeconds }: Level) => ({ key, windowSeconds });

/** What one message of one unit takes from these levels at noon. */
export function holdOf(
  taken: readonly Level[],
  more: Partial<Omit<Reservation, "earns">> & { earns?: Level[] } = {},
): Reservation {
  const { earns = [], ...rest } = more;
  return {
    id: randomUUID(),
    atMs: NOON_MS,
    weight: UNIT_HUNDREDTHS,
    taken: taken.map(slim),
    meters: [],
    ...rest,
    earns: earns.map(slim),
  };
}

/** A meter nobody has run on. */
export const meterOf = (cap: number, more: Partial<SpendMeter> = {}): SpendMeter => ({
  scope: `spend:${randomUUID()}`,
  period: "day",
  amount: 1,
  cap,
  lifted: false,
  ...more,
});

/** Takes a hold from the levels that it was made for. */
export const reserve = (
  budgets: Budgets,
  levels: readonly Level[],
  hold: Reservation,
  slowStart = AT_ONCE,
): Promise<ReservationResult> => budgets.reserve({ levels, reservation: hold, slowStart });

/** How many messages of one unit a level still lets out, one after the other. */
export async function roomOf(
  budgets: Budgets,
  level: Level,
  atMs = NOON_MS,
  slowStart = AT_ONCE,
): Promise<number> {
  let count = 0;
  while ((await reserve(budgets, [level], holdOf([level], { atMs }), slowStart)).kind === "granted") count++;
  return count;
}

/** Reads levels of a store that must be there to answer. */
export async function read(budgets: Budgets, levels: readonly Level[]): Promise<LevelReading[]> {
  const answer = await budgets.read(levels, []);
  if (answer.kind === "unavailable") throw new Error(answer.cause);
  return answer.readings;
}

/** The readings of levels, in units, without the levels themselves. */
export async function unitsOf(budgets: Budgets, levels: readonly Level[]) {
  const readings = await read(budgets, levels);
  return readings.map(({ unverified, verified, verifiedEarlier, messages, earned }) => ({
    unverified: unverified / UNIT_HUNDREDTHS,
    verified: verified / UNIT_HUNDREDTHS,
    verifiedEarlier: verifiedEarlier / UNIT_HUNDREDTHS,
    messages,
    earned,
  }));
}

/** A reading in units: zero but for what is said. */
export const units = (some: Partial<Awaited<ReturnType<typeof unitsOf>>[number]> = {}) => ({
  unverified: 0,
  verified: 0,
  verifiedEarlier: 0,
  messages: 0,
  earned: 0,
  ...some,
});

/** What meters stand at, found out by running them on by nothing. */
export async function totalsOf(budgets: Budgets, meters: readonly SpendMeter[], atMs = NOON_MS) {
  const looking = meters.map((meter) => ({ ...meter, amount: 0, cap: Number.MAX_SAFE_INTEGER }));
  const answer = await reserve(budgets, [], holdOf([], { atMs, meters: looking }));
  expect(answer.kind).toBe("granted");
  return answer.kind === "granted" ? answer.meters.map(({ total }) => total) : [];
}

/** Lets clients wait: the Redis in memory takes seconds for 500 scripts. */
export function waitAsLongAsItTakes(): void {
  const spy = vi.spyOn(AbortSignal, "timeout").mockImplementation(() => new AbortController().signal);
  onTestFinished(() => spy.mockRestore());
}
