/**
 * Exposure: how much is out there unanswered. A rate limit asks how much was sent; exposure asks how much was sent and
 * not verified, per destination and per source. A message takes a unit, a verification gives it back, and what may be
 * out at once is `base + gain x verified lately`: a destination earns its room by converting, a stranger starts small,
 * an honest five-fold day pays for itself, and an attack stops itself after `base` messages, whatever addresses it
 * comes from. It is the linear boundary of a sequential test on the conversion rate (Wald 1945): with a gain of g a
 * destination whose strangers convert better than 1 / (1 + g) never runs out for long.
 */

import type { BudgetRule, ExposurePolicy } from "./exposure.policy.ts";

/** Units are counted in hundredths, so that a store with integers keeps them exactly. */
export const UNIT_HUNDREDTHS = 100;

/** A window is counted in this many slots; the oldest falls out whole. */
const SLOTS = 12;

export type LevelName =
  | "block"
  | "prefix"
  | "country"
  | "network"
  | "address"
  | "device"
  | "number"
  | "unknown"
  | "odd"
  | "odd_country"
  | "overall";

/** Whose purse a message is paid from. */
export type Pool = "stranger" | "challenged" | "returned" | "proven" | "known";

/** Purses, and the levels that some strangers draw on beside theirs. */
export type BudgetGroup = Pool | "suspicious" | "unknown";

/** One budget that a message draws on. */
export interface Level {
  name: LevelName;
  /** `<pool>:<level>:<subject>`; subjects are ranges, countries, networks, or keyed hashes of addresses and numbers. */
  key: string;
  rule: BudgetRule;
  /** The rule's base in hundredths. */
  base: number;
  windowSeconds: number;
  /** Messages the level takes in its window at all, or null. */
  maxMessages: number | null;
}

/** What is known of one level now. Units are hundredths. */
export interface LevelReading {
  level: Level;
  unverified: number;
  verified: number;
  /** The part of `verified` from earlier slots than the present one. */
  verifiedEarlier: number;
  messages: number;
  /** Verifications since the level was first seen, forgotten after 30 days without one. */
  earned: number;
}

/** All that is known of a request's levels, as `allLevels` names them. */
export type LevelReadings = Record<BudgetGroup, LevelReading[]>;

export const slotOf = (nowMs: number, windowSeconds: number): number =>
  Math.floor(nowMs / ((windowSeconds * 1000) / SLOTS));

/** The oldest slot that still counts. */
export const oldestSlotOf = (nowMs: number, windowSeconds: number): number =>
  slotOf(nowMs, windowSeconds) - SLOTS + 1;

const GROWS_WITH_HISTORY: readonly LevelName[] = ["prefix", "country", "odd_country", "network", "address"];

/** The readings with every base that history has raised. */
export function withHistory(readings: LevelReadings, { seasoned: rule }: ExposurePolicy): LevelReadings {
  const season = (reading: LevelReading): LevelReading => {
    const { level, earned } = reading;
    const more = Math.min(rule.most, Math.floor(earned / rule.verified_per_unit));
    return { ...reading, level: { ...level, base: level.base + more * UNIT_HUNDREDTHS } };
  };
  const grows = ({ level }: LevelReading) =>
    level.key.startsWith("stranger:") && GROWS_WITH_HISTORY.includes(level.name);
  const entries = Object.entries(readings).map(([drawn, list]) => [
    drawn,
    list.map((reading) => (grows(reading) ? season(reading) : reading)),
  ]);
  return Object.fromEntries(entries);
}

/** Units that may be out at this level now (hundredths). */
export function budgetOf(reading: LevelReading, { slow_start }: Pick<ExposurePolicy, "slow_start">): number {
  const { start, factor } = slow_start;
  const counted = Math.min(reading.verified, start * UNIT_HUNDREDTHS + factor * reading.verifiedEarlier);
  return reading.level.base + Math.floor(reading.level.rule.gain * counted);
}

/** True when a message of this weight (hundredths) still fits. */
export function hasRoom(reading: LevelReading, weight: number, policy: ExposurePolicy): boolean {
  const { maxMessages } = reading.level;
  if (maxMessages !== null && reading.messages >= maxMessages) return false;
  return reading.unverified + weight <= budgetOf(reading, policy);
}

/** The level as it counts for a record-only rule: it takes what comes and refuses nothing. */
export const withoutBound = (level: Level): Level => ({
  ...level,
  base: Number.MAX_SAFE_INTEGER,
  maxMessages: null,
});

/** What a message weighs (hundredths): an expensive destination uses up its room sooner. */
export function weightOf(costMicros: number, policy: ExposurePolicy): number {
  const times = costMicros / policy.reference_price_micros;
  return Math.round(Math.min(policy.max_weight, Math.max(1, times)) * UNIT_HUNDREDTHS);
}
