/**
 * Who gets a message: all signals of one request in, one verdict with its reasons out. The order is the policy:
 *
 * 1. blocked sources are denied;
 * 2. people we know (the number verified, or the device verified this number) pay from their own small purse and are asked
 *    for nothing more;
 * 3. strangers are stopped where a range or a source is shut (one who passes a fresh challenge goes through now and then, to
 *    see whether it converts),
 *    and in an emergency where nobody ever verified;
 * 4. a stranger passes when the first budgets all have room, after a fresh challenge if the source is odd, or where people
 *    challenge its range, network or address;
 * 5. with the first budgets used up, an address that has earned verifications stands for its next stranger;
 * 6. others must pass a fresh challenge and pay from a second, smaller purse; who was turned away and comes back finds a
 *    third; odd sources have no part in either;
 * 7. then another channel or factor that the flow permits, which does instead of a challenge too; then no.
 *
 * Every reason carries its evidence for the operator. A rule in `record_only` is reported and has no effect.
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
import type { SourceFinding } from "./source.ts";

export interface Verdict {
  action: VerdictAction;
  /** Whose purse pays when the action is `allow`. */
  pool: Pool;
  /** The levels the message draws on, in that purse. */
  levels: LevelReading[];
  /** Factors the flow permits instead, when the action is `step_up` or `challenge`. */
  factors: readonly string[];
  reasons: VerdictReason[];
  /** What the verdict would have been with every rule counted. */
  recorded: VerdictAction;
  /** Rules in record-only mode that it met. */
  uncounted: UncountedRule[];
}

export interface Signals {
  weight: number;
  source: SourceFinding[];
  readings: LevelReadings;
  numberKnown: boolean;
  /** The request comes from a device that verified this very number. */
  ownDevice: boolean;
  /** The challenge this request brought: none or not needed, an ordinary one, or one solved after we demanded it. */
  challenge: "none" | "ordinary" | "fresh";
  /** A fresh challenge that policy or posture demands of every stranger. */
  challengeDemanded: "policy" | "posture" | null;
  distinctNumbers: number;
  /** This number was asked for and turned away, and `exposure.returned.after_seconds` have passed. */
  returned: boolean;
  /**
   * Too many wrong codes in a row: how long to wait (0 when not). Strangers' are counted apart from those of the owner's own
   * device.
   */
  failedAttemptsWaitSeconds: number;
  /** Factors the flow permits. */
  factors: readonly string[];
  /** Its range, network or address is shut; `probe`: this one may go through to see whether it converts. */
  block: { subject: string; by: string; probe: boolean } | null;
  /** People challenge its range, network or address. */
  challenged: { subject: string; by: string } | null;
  /** What the posture makes of prefixes in which nobody ever verified. */
  unknownRanges: "as_usual" | "challenge" | "stop";
}

const SOURCE_IS_ODD = ["tor", "hosting_network", "country_mismatch"];

export function decide(given: Signals, risk: RiskPolicy, exposure: ExposurePolicy): Verdict {
  const signals = { ...given, readings: withHistory(given.readings, exposure) };
  const judged = (counts: (rule: RiskRule) => boolean) => judge(signals, exposure, counts, risk);
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

function judge(
  signals: Signals,
  exposure: ExposurePolicy,
  counts: (rule: RiskRule) => boolean,
  risk: RiskPolicy,
): Omit<Verdict, "recorded" | "uncounted"> {
  const { readings, weight, block, challenged, challenge, factors } = signals;
  const reasons: VerdictReason[] = [];
  const say = (rule: RiskRule, evidence: VerdictReason["evidence"] = {}): boolean => {
    reasons.push({ rule, evidence, counted: counts(rule) });
    return counts(rule);
  };
  const allow = (pool: Pool, levels: LevelReading[]) => ({
    action: "allow" as const,
    pool,
    levels,
    factors: [],
    reasons,
  });
  const refuse = (action: VerdictAction) => ({
    action: action === "deny" && risk.decoy ? ("decoy" as const) : action,
    pool: "stranger" as const,
    levels: [],
    factors: action === "deny" ? [] : factors,
    reasons,
  });
  const full = (levels: readonly LevelReading[]) =>
    levels.filter((level) => !hasRoom(level, weight, exposure));
  const sayFull = (levels: readonly LevelReading[]) =>
    levels.map((level) => say("exposure", fullness(level, exposure))).some(Boolean);
  const orStepUp = () => refuse(factors.length > 0 ? "step_up" : "deny");

  const said = signals.source.map((found) => {
    const { finding, ...evidence } = found;
    return { finding, counted: say(finding, evidence) };
  });
  const has = (findings: readonly string[]) =>
    said.some(({ finding, counted }) => counted && findings.includes(finding));
  if (has(["blocked_source"])) return refuse("deny");

  if (signals.failedAttemptsWaitSeconds > 0) {
    if (say("failed_attempts", { wait_seconds: signals.failedAttemptsWaitSeconds })) return refuse("deny");
  }
  let ownPurseEmpty = false;
  if (signals.numberKnown || signals.ownDevice) {
    const used = full(readings.known);
    if (used.length === 0 || !sayFull(used)) return allow("known", readings.known);
    // Whoever used up a known number's purse is not let into the first strangers' one: it may be a bombed victim's.
    ownPurseEmpty = used.some(({ level }) => level.name === "number");
  }

  const shut = block !== null && say("blocked", { ...block });
  if (shut && !block.probe) return orStepUp();
  const prefix = readings.stranger.find(({ level }) => level.name === "prefix");
  const unknown = signals.unknownRanges !== "as_usual" && (prefix?.earned ?? 0) === 0;
  const unknownCounts = unknown && say("unknown_range", { prefix: prefix?.level.key ?? null });
  if (unknownCounts && signals.unknownRanges === "stop") return orStepUp();

  const odd = has(SOURCE_IS_ODD);
  const country = readings.stranger.find(({ level }) => level.name === "country");
  const withHistory = (country?.earned ?? 0) >= exposure.history_verified;
  const first = [
    ...readings.stranger.filter((reading) => !(odd && reading === country)),
    ...(withHistory ? [] : readings.unknown),
    ...(odd ? readings.odd : []),
  ];
  const wantsFresh = [
    odd || has(["listed_source"]) || unknownCounts || shut,
    challenged !== null && say("challenged", { ...challenged }),
    signals.distinctNumbers > risk.many_numbers && !isProven(readings, exposure)
      ? say("many_numbers", { distinct_numbers: signals.distinctNumbers })
      : false,
    signals.challengeDemanded === "posture" ? say("posture") : false,
    signals.challengeDemanded === "policy" ? say("challenge_policy") : false,
  ].some(Boolean);
  if (wantsFresh && challenge !== "fresh") return refuse("challenge");

  const usedUp = full(first);
  if (!ownPurseEmpty && (usedUp.length === 0 || !sayFull(usedUp))) return allow("stranger", first);
  if (odd) return orStepUp();
  if (!ownPurseEmpty && isProven(readings, exposure) && full(readings.proven).length === 0)
    return allow("proven", readings.proven);
  const known = signals.numberKnown || signals.ownDevice;
  const manyNumbers =
    signals.distinctNumbers > risk.many_numbers_challenged &&
    !known &&
    say("many_numbers", { distinct_numbers: signals.distinctNumbers });
  const purses = [
    ...(manyNumbers ? [] : ["challenged" as const]),
    ...(signals.returned ? ["returned" as const] : []),
  ];
  const purse = purses.find((pool) => {
    const usedUpToo = full(readings[pool]);
    return usedUpToo.length === 0 || !sayFull(usedUpToo);
  });
  if (purse === undefined) return orStepUp();
  return challenge === "fresh" ? allow(purse, readings[purse]) : refuse("challenge");
}

/** An address that earned verifications is evidence for its next stranger: thousands of honest people share a carrier's. */
export function isProven(readings: LevelReadings, exposure: ExposurePolicy): boolean {
  const address = readings.proven.find(({ level }) => level.name === "address");
  if (address === undefined) return false;
  const { verified, verified_ever } = exposure.proven;
  return address.verified >= verified * UNIT_HUNDREDTHS || address.earned >= verified_ever;
}

function fullness(reading: LevelReading, exposure: ExposurePolicy): VerdictReason["evidence"] {
  return {
    level: reading.level.key,
    unverified: reading.unverified / UNIT_HUNDREDTHS,
    budget: budgetOf(reading, exposure) / UNIT_HUNDREDTHS,
    messages: reading.messages,
  };
}
