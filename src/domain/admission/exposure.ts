/**
 * Exposure: the number of unanswered messages. A rate limit asks how much was sent; exposure asks how much was sent and not
 * verified, per destination and per source. A message takes a unit, a verification gives it back, and a budget allows
 * `base + gain x verified lately` unanswered units at once: a destination earns its room by converting, a stranger starts
 * small, an honest five-fold day pays for itself, and an attack stops itself after `base` messages, whatever addresses it
 * comes from. It is the linear boundary of a sequential test on the conversion rate (Wald 1945): with a gain of g a
 * destination whose strangers convert better than 1 / (1 + g) never runs out for long.
 */

import type { BudgetRule, ExposurePolicy } from "./exposure.policy.ts";

/** Units are counted in hundredths, so that a store with integers keeps them exactly. */
export const UNIT_HUNDREDTHS = 100;

/** A window is counted in this many slots; the oldest drops out as a whole. */
const SLOTS = 12;

export type ExposureScope =
  | "block"
  | "prefix"
  | "country"
  | "network"
  | "address"
  | "device"
  | "number"
  | "density"
  | "unknown"
  | "odd"
  | "odd_country"
  | "overall"
  | "day";

/**
 * The budget pool that pays for a message. `known` is the one of people on a device that verified their number, `named` that
 * of requests which name a number that verified before; nobody else's messages touch the first. `unreported` is the one of flows
 * whose verifications nobody reports, and the only one that these draw on.
 */
export type BudgetPool = "stranger" | "challenged" | "returned" | "proven" | "named" | "known" | "unreported";

/**
 * Pools, and levels that some messages draw on beside theirs: `person` bounds one number over all pools, `density` one range
 * over all strangers' pools, `growth` the money to freshly verified numbers; `settled` counts verifications of long-known
 * numbers, `taught` and `taught_own` the messages that teach gains, and they bound nothing.
 */
export type BudgetGroup =
  | BudgetPool
  | "suspicious"
  | "unknown"
  | "person"
  | "density"
  | "growth"
  | "settled"
  | "taught"
  | "taught_own";

/** One budget that a message draws on: that of a range, a country, a network, an address, ... in one pool. */
export interface Level {
  name: ExposureScope;
  /** `<pool>:<level>:<subject>`; subjects are ranges, countries, networks, or keyed hashes of addresses and numbers. */
  key: string;
  rule: BudgetRule;
  /** The rule's base in hundredths of a unit. */
  base: number;
  windowSeconds: number;
  /** Messages the level takes in its window at all, verified or not; null for any number. */
  maxMessages: number | null;
  /** Hundredths that this message takes of it: a unit where evidence is counted, its price where money is. */
  weight: number;
  /** A verification gives nothing back and earns nothing: the level bounds what leaves, answered or not. */
  kept: boolean;
  /** Verified units count at once, however few there were before. */
  quickStart: boolean;
  /** Reads only the slots from this time on; absent for the whole window. */
  sinceMs?: number;
}

/** The present state of one level, in hundredths of a unit. */
export interface LevelReading {
  level: Level;
  unverified: number;
  verified: number;
  /** The part of `verified` from earlier slots than the present one. */
  verifiedEarlier: number;
  messages: number;
  /** Verifications since the level was first seen; forgotten after 30 days without one. */
  earned: number;
  /** Units of earlier windows, fading: those that stayed unanswered, and those that were verified. */
  past: { unverified: number; verified: number };
}

/** All that is known of a request's levels, as `exposureLevels` names them. */
export type LevelReadings = Record<BudgetGroup, LevelReading[]>;

/** Past units fade by half when more than so many were verified: about a fortnight of a service of a hundred strangers a day. */
export const PAST_FADES_ABOVE_HUNDREDTHS = 1000 * UNIT_HUNDREDTHS;

/** The slot of a window that a time lies in, counted since 1970. */
export const slotOf = (nowMs: number, windowSeconds: number): number =>
  Math.floor(nowMs / ((windowSeconds * 1000) / SLOTS));

/** The oldest slot that still belongs to the window. */
export const oldestSlotOf = (nowMs: number, windowSeconds: number): number =>
  slotOf(nowMs, windowSeconds) - SLOTS + 1;

/** The oldest slot that is read of a level. */
export const oldestReadSlot = (
  { windowSeconds, sinceMs = 0 }: Pick<Level, "windowSeconds" | "sinceMs">,
  nowMs: number,
) => Math.max(oldestSlotOf(nowMs, windowSeconds), slotOf(sinceMs, windowSeconds));

const GROWS_WITH_HISTORY: readonly ExposureScope[] = [
  "prefix",
  "country",
  "odd_country",
  "network",
  "address",
];

/** Sums over countries: they weigh a message by its price, all others by one. */
export const SUM_LEVELS: readonly ExposureScope[] = ["overall", "day", "unknown", "odd"];

/**
 * A group's readings with every base that history has raised, and every gain that earlier days have taught.
 *
 * @param teachers the readings that gains are learned from
 */
export function raiseByHistory(
  readings: readonly LevelReading[],
  policy: Pick<ExposurePolicy, "seasoned" | "learned_gain">,
  teachers: Teachers<LevelReading>,
): LevelReading[] {
  const { verified_per_unit, most } = policy.seasoned;
  return readings.map((reading) => {
    const { level, earned } = reading;
    const grows = level.key.startsWith("stranger:") && GROWS_WITH_HISTORY.includes(level.name);
    const more = grows ? Math.min(most, Math.floor(earned / verified_per_unit)) : 0;
    const rule = { ...level.rule, gain: learnedGain(level, teachers, policy.learned_gain) };
    return { ...reading, level: { ...level, rule, base: level.base + more * UNIT_HUNDREDTHS } };
  });
}

/** What gains are learned from: marked strangers and own devices (see `teacherOf`), and all strangers. */
export type Teachers<T> = Readonly<Record<"taught" | "taught_own" | "stranger", readonly T[]>>;

/**
 * The gain that earlier windows teach: where people honestly answer a share r of their messages, room must grow by (1 - r) / r
 * for each answer, and a little more for chance. Today's messages never teach, the rule's own gain is the least, and `most`
 * the most that is learned. Sums over countries learn from all countries, every other level from the number's own.
 *
 * Of strangers, those with a mark and all together must both say so: an attacker would have to raise both. The levels of own
 * devices learn from own devices alone, all others from whoever answers less.
 */
function learnedGain(
  { key, name, rule: { gain }, kept }: Level,
  { taught, taught_own, stranger }: Teachers<LevelReading>,
  { factor, least, most, least_verified }: ExposurePolicy["learned_gain"],
): number {
  if (gain === 0 || kept) return gain;
  const place = SUM_LEVELS.includes(name) ? "overall" : "country";
  const unansweredPerAnswer = (group: readonly LevelReading[]): number | null => {
    const past = group.find(({ level }) => level.name === place)?.past;
    if (past === undefined || past.verified < least_verified * UNIT_HUNDREDTHS) return null;
    return past.unverified / past.verified;
  };
  const [marked, all] = isOwn(key)
    ? [null, null]
    : [unansweredPerAnswer(taught), unansweredPerAnswer(stranger)];
  const strangers = marked === null || all === null ? null : Math.min(marked, all);
  const learned = [strangers, unansweredPerAnswer(taught_own)].filter((one) => one !== null);
  if (learned.length === 0) return gain;
  const lowest = key.startsWith("stranger:country:") ? Math.min(gain, least) : gain;
  return Math.max(lowest, Math.min(most, factor * Math.max(...learned)));
}

const isOwn = (key: string): boolean => key.startsWith("own:") || key.startsWith("known:device:");

/** The unanswered units (hundredths) that this level allows now. */
export function budgetOf(reading: LevelReading, { slow_start }: Pick<ExposurePolicy, "slow_start">): number {
  const { start, factor } = slow_start;
  const slowly = start * UNIT_HUNDREDTHS + factor * reading.verifiedEarlier;
  const counted = reading.level.quickStart ? reading.verified : Math.min(reading.verified, slowly);
  return reading.level.base + Math.floor(reading.level.rule.gain * counted);
}

/** True when the message still fits. */
export function hasRoom(reading: LevelReading, policy: Pick<ExposurePolicy, "slow_start">): boolean {
  const { maxMessages } = reading.level;
  if (maxMessages !== null && reading.messages >= maxMessages) return false;
  return reading.unverified + reading.level.weight <= budgetOf(reading, policy);
}

/** The level without its bounds, for a budget in record-only mode: it counts every message and refuses none. */
export const uncappedLevel = (level: Level): Level => ({
  ...level,
  base: Number.MAX_SAFE_INTEGER,
  maxMessages: null,
});

/** Hundredths that a message weighs in sums over countries, where an expensive destination uses up the room sooner. */
export function costWeight(
  costMicros: number,
  policy: Pick<ExposurePolicy, "reference_price_micros" | "max_weight">,
): number {
  const times = costMicros / policy.reference_price_micros;
  return Math.round(Math.min(policy.max_weight, Math.max(1, times)) * UNIT_HUNDREDTHS);
}

/** All of a request's readings with what history and earlier days make of them. */
export function raiseAllByHistory(readings: LevelReadings, policy: ExposurePolicy): LevelReadings {
  return Object.fromEntries(
    Object.entries(readings).map(([group, list]) => [group, raiseByHistory(list, policy, readings)]),
  ) as LevelReadings;
}

/**
 * The readings as they count for a number that has an unanswered message: the next one is still the same person, and weighs
 * nothing where people are counted. `person` bounds how many there may be.
 */
export function discountSamePerson(readings: LevelReadings): LevelReadings {
  const waits = readings.person.some(({ unverified }) => unverified > 0);
  if (!waits) return readings;
  const weightless = (reading: LevelReading): LevelReading =>
    COUNTS_PEOPLE.includes(reading.level.name)
      ? { ...reading, level: { ...reading.level, weight: 0 } }
      : reading;
  return Object.fromEntries(
    Object.entries(readings).map(([group, list]) => [group, list.map(weightless)]),
  ) as LevelReadings;
}

const COUNTS_PEOPLE: readonly ExposureScope[] = ["block", "prefix", "network", "address"];
