/**
 * Exposure: how much is out there unanswered. A rate limit asks how much was sent; exposure asks how much was sent and
 * not verified, per destination and per source. A message takes a unit, a verification gives it back, and what may be
 * out at once is `base + gain x verified lately`: a destination earns its room by converting, a stranger starts small,
 * an honest five-fold day pays for itself, and an attack stops itself after `base` messages, whatever addresses it
 * comes from. It is the linear boundary of a sequential test on the conversion rate (Wald 1945): with a gain of g a
 * destination whose strangers convert better than 1 / (1 + g) never runs out for long.
 */
import type { Phone } from "./phone.ts";

/** Units are counted in hundredths, so that a store with integers keeps them exactly. */
export const UNIT = 100;

/** A window is counted in this many slots; the oldest falls out whole. */
const SLOTS = 12;

export interface BudgetRule {
  /** Units that may be out before anything was ever verified. */
  base: number;
  /** Units of room that one verified unit earns. */
  gain: number;
}

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
  | "overall";

export interface ExposurePolicy {
  /** Strangers: over this window, every level must have room. */
  window_seconds: number;
  block: BudgetRule;
  prefix: BudgetRule;
  country: BudgetRule;
  network: BudgetRule;
  address: BudgetRule;
  device: BudgetRule;
  /** All countries together that have verified less than `history_verified`. */
  unknown: BudgetRule;
  /** All requests together whose source does not fit their destination (hosting network, another country). */
  odd: BudgetRule;
  overall: BudgetRule;
  /** Messages to strangers one block may get in the window, verified or not: bought conversion stops here. */
  block_density: number;
  /** Verified units count towards room only up to `start + factor x` those of earlier slots: room doubles at most so fast. */
  slow_start: { start: number; factor: number };
  /** A message weighs its price over this one's, from 1 up to `max_weight`. */
  reference_price_micros: number;
  max_weight: number;
  /** Verifications ever (with gaps under 30 days) that give a country a history. */
  history_verified: number;
  /** Verifications in the window that make an address evidence for its next stranger. */
  proven_verified: number;
  /** Strangers who passed a fresh challenge while the first budgets were used up: a second, smaller purse. */
  challenged: { window_seconds: number; block: BudgetRule; country: BudgetRule; overall: BudgetRule };
  /** People who verified before, so that a stolen known number is no hole either. */
  known: { window_seconds: number; number: BudgetRule; device: BudgetRule; country: BudgetRule };
}

/** Whose purse a message is paid from. */
export type Pool = "stranger" | "challenged" | "proven" | "known";

/** One budget that a message draws on. */
export interface Level {
  name: LevelName;
  /** `<pool>:<level>:<subject>`; subjects are ranges, countries, networks, or keyed hashes of addresses and numbers. */
  key: string;
  rule: BudgetRule;
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

/** Where a message would go and come from; hashed where it names a person. */
export interface ExposureSubjects {
  phone: Phone;
  numberTag: string;
  addressTag: string;
  asn: number | null;
  /** Of a device token that we issued; null for clients without one. */
  deviceId: string | null;
}

export const slotOf = (nowMs: number, windowSeconds: number): number =>
  Math.floor(nowMs / ((windowSeconds * 1000) / SLOTS));

/** The oldest slot that still counts. */
export const oldestSlotOf = (nowMs: number, windowSeconds: number): number =>
  slotOf(nowMs, windowSeconds) - SLOTS + 1;

/** Every level any verdict could draw on: they are read together, in one round trip. */
export function allLevels(subjects: ExposureSubjects, policy: ExposurePolicy): Record<Pool | "odd" | "unknown", Level[]> {
  const { phone, numberTag, addressTag, asn, deviceId } = subjects;
  const { window_seconds: day, challenged, known } = policy;
  const level = (pool: Pool, name: LevelName, subject: string, rule: BudgetRule, windowSeconds: number): Level => ({
    name,
    key: `${pool}:${name}:${subject}`,
    rule,
    windowSeconds,
    maxMessages: pool === "stranger" && name === "block" ? policy.block_density : null,
  });
  const block = level("stranger", "block", phone.block, policy.block, day);
  const address = level("stranger", "address", addressTag, policy.address, day);
  return {
    stranger: [
      block,
      level("stranger", "prefix", phone.prefix, policy.prefix, day),
      level("stranger", "country", phone.country, policy.country, day),
      ...(asn === null ? [] : [level("stranger", "network", `AS${asn}`, policy.network, day)]),
      address,
      ...(deviceId === null ? [] : [level("stranger", "device", deviceId, policy.device, day)]),
      level("stranger", "overall", "all", policy.overall, day),
    ],
    proven: [block, address],
    challenged: [
      level("challenged", "block", phone.block, challenged.block, challenged.window_seconds),
      level("challenged", "country", phone.country, challenged.country, challenged.window_seconds),
      level("challenged", "overall", "all", challenged.overall, challenged.window_seconds),
    ],
    known: [
      level("known", "number", numberTag, known.number, known.window_seconds),
      ...(deviceId === null ? [] : [level("known", "device", deviceId, known.device, known.window_seconds)]),
      level("known", "country", phone.country, known.country, known.window_seconds),
    ],
    odd: [level("stranger", "odd", "all", policy.odd, day)],
    unknown: [level("stranger", "unknown", "all", policy.unknown, day)],
  };
}

/** Units that may be out at this level now (hundredths). */
export function budgetOf(reading: LevelReading, policy: ExposurePolicy): number {
  const { start, factor } = policy.slow_start;
  const counted = Math.min(reading.verified, start * UNIT + factor * reading.verifiedEarlier);
  const { base, gain } = reading.level.rule;
  return base * UNIT + Math.floor(gain * counted);
}

/** True when a message of this weight (hundredths) still fits. */
export function hasRoom(reading: LevelReading, weight: number, policy: ExposurePolicy): boolean {
  const { maxMessages } = reading.level;
  if (maxMessages !== null && reading.messages >= maxMessages) return false;
  return reading.unverified + weight <= budgetOf(reading, policy);
}

/** What a message weighs (hundredths): an expensive destination uses up its room sooner. */
export function weightOf(costMicros: number, policy: ExposurePolicy): number {
  const times = costMicros / policy.reference_price_micros;
  return Math.round(Math.min(policy.max_weight, Math.max(1, times)) * UNIT);
}

/** What one message took, kept with the session until the code comes back. */
export interface Hold {
  /** Level keys with the slot each was taken in. */
  taken: { key: string; slot: number; windowSeconds: number }[];
  /** Levels that only hear of the verification: what passes by the second purse still earns for the first. */
  earns: { key: string; windowSeconds: number }[];
  weight: number;
  /** What was put on each meter, by the store's key. */
  meters: { key: string; amount: number }[];
}
