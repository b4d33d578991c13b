/**
 * The verdict on one request: all its signals in, one action with its reasons out. The order of the rules is the policy:
 *
 * 1. Blocked sources are denied, and so is a number, device or user with too many wrong codes in a row.
 * 2. Known people (the number verified before, or the device verified this number) pay from their own small budget and are
 *    asked for nothing more.
 * 3. Strangers are stopped where their range, network or address is banned (one who passes a fresh challenge goes through now
 *    and then, to see whether it converts), and in an emergency in prefixes where nobody ever verified.
 * 4. A stranger passes while the strangers' budgets all have room; after a fresh challenge where the source is suspicious, an
 *    operator challenges the range, network or address, or the policy or the posture asks for it.
 * 5. When those budgets are used up, a suspicious source goes to step 7, and an address that has earned verifications vouches
 *    for its next stranger.
 * 6. All others must pass a fresh challenge and pay from a second, smaller budget; a stranger who was refused and comes back
 *    finds a third one.
 * 7. The last offer is another channel or factor that the flow permits; without one the request is denied.
 *
 * Every reason carries its evidence for the operator. A rule in record-only mode is reported and has no effect.
 */

import type { ExposurePolicy } from "./exposure.policy.ts";
import {
  budgetOf,
  hasRoom,
  type LevelReading,
  type LevelReadings,
  type Pool,
  UNIT_HUNDREDTHS,
  withHistory,
} from "./exposure.ts";
import { findUncountedRules, isRecordOnly } from "./record-only.ts";
import type { RiskPolicy } from "./risk.policy.ts";
import type { RiskRule, UncountedRule, VerdictAction, VerdictReason } from "./risk.ts";
import type { Signals } from "./signals.ts";

/** The decision on one request, with everything that follows from it. */
export interface Verdict {
  action: VerdictAction;
  /** The budget pool that pays when the action is `allow`. */
  pool: Pool;
  /** The levels of that pool that the message draws on. */
  levels: LevelReading[];
  /** Factors the flow permits instead, when the action is `step_up` or `challenge`. */
  factors: readonly string[];
  reasons: VerdictReason[];
  /** The action there would have been with every rule counted. */
  recorded: VerdictAction;
  /** Rules in record-only mode that the request met. */
  uncounted: UncountedRule[];
}

const SUSPICIOUS_SOURCES = ["tor", "hosting_network", "country_mismatch"];

/** A verdict as one judgement reaches it, before record-only rules are compared. */
type Judgement = Omit<Verdict, "recorded" | "uncounted">;

/** Decides on a request, and works out what rules in record-only mode would have changed. */
export function decide(given: Signals, risk: RiskPolicy, exposure: ExposurePolicy): Verdict {
  const signals = { ...given, readings: withHistory(given.readings, exposure) };
  const judged = (counts: (rule: RiskRule) => boolean) => judge(signals, { risk, exposure, counts });
  const counts = (rule: RiskRule) => !isRecordOnly(rule, risk);
  const ruled = judged(counts);
  const uncounted = findUncountedRules(ruled, (rule) => judged((one) => one === rule || counts(one)).action);
  const full = uncounted.length === 0 ? ruled : judged(() => true);
  const recorded = full.action;
  if (!risk.record_all) return { ...ruled, recorded, uncounted };
  // Whoever would have been refused draws on nothing; all others as if every rule counted.
  const free =
    recorded === "allow" ? full : { ...full, action: "allow" as const, pool: "known" as const, levels: [] };
  const reasons = full.reasons.map((reason) => ({ ...reason, counted: false }));
  return { ...free, reasons, recorded, uncounted };
}

/** One judgement under way. */
interface Judging {
  signals: Signals;
  risk: RiskPolicy;
  exposure: ExposurePolicy;
  /** The reasons so far. */
  reasons: VerdictReason[];
  /** Adds a reason. @returns true where its rule counts */
  note(rule: RiskRule, evidence?: VerdictReason["evidence"]): boolean;
}

interface JudgeRules {
  risk: RiskPolicy;
  exposure: ExposurePolicy;
  counts: (rule: RiskRule) => boolean;
}

/** Follows the seven steps that this file begins with, and stops at the first that settles the matter. */
function judge(signals: Signals, { risk, exposure, counts }: JudgeRules): Judgement {
  const { readings, block, challenge } = signals;
  const reasons: VerdictReason[] = [];
  const note: Judging["note"] = (rule, evidence = {}) => {
    reasons.push({ rule, evidence, counted: counts(rule) });
    return counts(rule);
  };
  const judging: Judging = { signals, risk, exposure, reasons, note };

  // 1. Blocked sources, and too many wrong codes.
  const source = noteSource(judging);
  if (source.blocked || noteFailedAttempts(judging)) return refuse(judging, "deny");

  // 2. Known people.
  const known = isKnown(signals);
  if (known && takes(judging, readings.known)) return allow(judging, "known", readings.known);
  // Whoever used up a known number's budget is not let into the strangers' first one: the number may be a bombed victim's.
  const numberSpent =
    known && fullLevels(judging, readings.known).some(({ level }) => level.name === "number");

  // 3. Bans, and prefixes in which nobody ever verified.
  const banned = block !== null && note("blocked", { ...block });
  if (banned && !block.probe) return stepUp(judging);
  const unknownRange = noteUnknownRange(judging);
  if (unknownRange && signals.unknownRanges === "stop") return stepUp(judging);

  // 4. The strangers' budgets, after a fresh challenge where one is demanded.
  const doubtful = source.suspicious || source.listed || unknownRange || banned;
  const demanded = noteChallengeDemands(judging) || doubtful;
  if (demanded && challenge !== "fresh") return refuse(judging, "challenge");
  const levels = levelsOfStranger(judging, source.suspicious);
  if (!numberSpent && takes(judging, levels)) return allow(judging, "stranger", levels);

  // 5. An address that vouches for its next stranger.
  if (source.suspicious) return stepUp(judging);
  const vouched = isProven(readings, exposure) && fullLevels(judging, readings.proven).length === 0;
  if (!numberSpent && vouched) return allow(judging, "proven", readings.proven);

  // 6. The second and the third budget, after a fresh challenge. Without room in them, step 7.
  const pool = poolsAfterChallenge(judging).find((name) => takes(judging, readings[name]));
  if (pool === undefined) return stepUp(judging);
  return challenge === "fresh" ? allow(judging, pool, readings[pool]) : refuse(judging, "challenge");
}

const allow = ({ reasons }: Judging, pool: Pool, levels: LevelReading[]): Judgement => ({
  action: "allow",
  pool,
  levels,
  factors: [],
  reasons,
});

const refuse = (
  { signals, risk, reasons }: Judging,
  action: "challenge" | "step_up" | "deny",
): Judgement => ({
  action: action === "deny" && risk.decoy ? "decoy" : action,
  pool: "stranger",
  levels: [],
  factors: action === "deny" ? [] : signals.factors,
  reasons,
});

/** Step 7: another channel or factor where the flow permits one, else a denial. */
const stepUp = (judging: Judging): Judgement =>
  refuse(judging, judging.signals.factors.length > 0 ? "step_up" : "deny");

const isKnown = ({ numberKnown, ownDevice }: Signals): boolean => numberKnown || ownDevice;

/** Notes each finding about the source, and tells which kinds of them count. */
function noteSource({ signals, note }: Judging): { blocked: boolean; listed: boolean; suspicious: boolean } {
  const counted = signals.source
    .map(({ finding, ...evidence }) => ({ finding, counts: note(finding, evidence) }))
    .flatMap(({ finding, counts }) => (counts ? finding : []));
  return {
    blocked: counted.includes("blocked_source"),
    listed: counted.includes("listed_source"),
    suspicious: counted.some((finding) => SUSPICIOUS_SOURCES.includes(finding)),
  };
}

const noteFailedAttempts = ({ signals, note }: Judging): boolean =>
  signals.failedAttemptsWaitSeconds > 0 &&
  note("failed_attempts", { wait_seconds: signals.failedAttemptsWaitSeconds });

function noteUnknownRange({ signals: { readings, unknownRanges }, note }: Judging): boolean {
  const prefix = readings.stranger.find(({ level }) => level.name === "prefix");
  const unknown = unknownRanges !== "as_usual" && (prefix?.earned ?? 0) === 0;
  return unknown && note("unknown_range", { prefix: prefix?.level.key ?? null });
}

/** Notes every demand for a fresh challenge; true where one of them counts. */
function noteChallengeDemands({ signals, risk, exposure, note }: Judging): boolean {
  const { challenged, distinctNumbers, readings, challengeDemanded } = signals;
  const manyNumbers = distinctNumbers > risk.many_numbers && !isProven(readings, exposure);
  return [
    challenged !== null && note("challenged", { ...challenged }),
    manyNumbers && note("many_numbers", { distinct_numbers: distinctNumbers }),
    challengeDemanded === "posture" && note("posture"),
    challengeDemanded === "policy" && note("challenge_policy"),
  ].some(Boolean);
}

/** The levels a stranger's message draws on: a suspicious source has its own budget in place of the country's. */
function levelsOfStranger({ signals: { readings }, exposure }: Judging, suspicious: boolean): LevelReading[] {
  const country = readings.stranger.find(({ level }) => level.name === "country");
  const hasHistory = (country?.earned ?? 0) >= exposure.history_verified;
  return [
    ...readings.stranger.filter((reading) => !(suspicious && reading === country)),
    ...(hasHistory ? [] : readings.unknown),
    ...(suspicious ? readings.suspicious : []),
  ];
}

/** The budgets behind a fresh challenge: the second one, and the third for a stranger who was refused and comes back. */
function poolsAfterChallenge({ signals, risk, note }: Judging): ("challenged" | "returned")[] {
  const manyNumbers =
    signals.distinctNumbers > risk.many_numbers_challenged &&
    !isKnown(signals) &&
    note("many_numbers", { distinct_numbers: signals.distinctNumbers });
  return [
    ...(manyNumbers ? [] : ["challenged" as const]),
    ...(signals.returned ? ["returned" as const] : []),
  ];
}

const fullLevels = ({ signals, exposure }: Judging, levels: readonly LevelReading[]): LevelReading[] =>
  levels.filter((level) => !hasRoom(level, signals.weight, exposure));

/** True where every level has room for the message, or where used-up budgets do not count. Notes each that is used up. */
function takes(judging: Judging, levels: readonly LevelReading[]): boolean {
  const full = fullLevels(judging, levels);
  const counted = full.map((level) => judging.note("exposure", usedUpEvidence(level, judging.exposure)));
  return !counted.some(Boolean);
}

function usedUpEvidence(reading: LevelReading, exposure: ExposurePolicy): VerdictReason["evidence"] {
  return {
    level: reading.level.key,
    unverified: reading.unverified / UNIT_HUNDREDTHS,
    budget: budgetOf(reading, exposure) / UNIT_HUNDREDTHS,
    messages: reading.messages,
  };
}

/** True for an address with enough verifications to vouch for its next stranger: thousands of people share a carrier's. */
export function isProven(readings: LevelReadings, exposure: ExposurePolicy): boolean {
  const address = readings.proven.find(({ level }) => level.name === "address");
  if (address === undefined) return false;
  const { verified, verified_ever } = exposure.proven;
  return address.verified >= verified * UNIT_HUNDREDTHS || address.earned >= verified_ever;
}
