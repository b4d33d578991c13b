/**
 * Who gets a message: all signals of one request in, one verdict with its reasons out. The order is the policy:
 *
 * 1. blocked sources are denied;
 * 2. people we know (number or device that verified) pay from their own small purse and are asked for nothing more;
 * 3. a stranger passes when the first budgets all have room, after a fresh challenge if the source is odd;
 * 4. with the first budgets used up, a source that has earned verifications stands for its next stranger;
 * 5. others must pass a fresh challenge and pay from a second, smaller purse, which odd sources have no part in;
 * 6. then another channel or factor that the flow permits; then no.
 *
 * Every reason carries its evidence for the operator. A rule in `record_only` is reported and has no effect.
 */
import { budgetOf, type ExposurePolicy, hasRoom, type LevelReading, type Pool, UNIT } from "./exposure.ts";
import type { SourceFinding } from "./source.ts";

export type Action = "allow" | "challenge" | "step_up" | "deny" | "decoy";

export const RULES = [
  "blocked_source",
  "listed_source",
  "tor",
  "hosting_network",
  "country_mismatch",
  "many_numbers",
  "posture",
  "challenge_policy",
  "exposure",
  "failed_attempts",
  "lookup",
] as const;
export type Rule = (typeof RULES)[number];

/** One named reason with what it was seen in. */
export interface Reason {
  rule: Rule;
  evidence: Readonly<Record<string, string | number | boolean | null>>;
  /** false for a rule in record-only mode. */
  counted: boolean;
}

export interface Verdict {
  action: Action;
  /** Whose purse pays when the action is `allow`. */
  pool: Pool;
  /** The levels the message draws on, in that purse. */
  levels: LevelReading[];
  /** Factors the flow permits instead, when the action is `step_up`. */
  factors: readonly string[];
  reasons: Reason[];
  /** What the verdict would have been with every rule counted. */
  recorded: Action;
}

export interface RiskPolicy {
  /** Rules that are reported and have no effect. */
  record_only: readonly Rule[];
  /** Nothing is refused by risk at all; verdicts are logged as they would have been. */
  record_all: boolean;
  /** Distinct numbers per address and hour from which a fresh challenge is wanted. */
  many_numbers: number;
  /** Refused strangers get an answer that looks like a send. */
  decoy: boolean;
}

export interface Signals {
  weight: number;
  source: SourceFinding[];
  /** Readings by purse, as `allLevels` names them. */
  readings: Record<Pool | "odd" | "unknown", LevelReading[]>;
  numberKnown: boolean;
  deviceKnown: boolean;
  /** The challenge this request brought: none or not needed, an ordinary one, or one solved after we demanded it. */
  challenge: "none" | "ordinary" | "fresh";
  /** A fresh challenge that policy or posture demands of every stranger. */
  challengeDemanded: "policy" | "posture" | null;
  distinctNumbers: number;
  /** Strangers from here have failed too often at this number: until when (0 when not). */
  failedAttemptsWaitSeconds: number;
  /** Factors the flow permits. */
  factors: readonly string[];
}

const SOURCE_IS_ODD = ["tor", "hosting_network", "country_mismatch"];

export function decide(signals: Signals, risk: RiskPolicy, exposure: ExposurePolicy): Verdict {
  const ruled = judge(signals, exposure, (rule) => !risk.record_only.includes(rule), risk);
  const recorded = judge(signals, exposure, () => true, risk);
  if (!risk.record_all) return { ...ruled, recorded: recorded.action };
  const free = ruled.action === "allow" ? ruled : { ...ruled, action: "allow" as const, pool: "known" as const, levels: [] };
  return { ...free, reasons: ruled.reasons.map((reason) => ({ ...reason, counted: false })), recorded: recorded.action };
}

function judge(
  signals: Signals,
  exposure: ExposurePolicy,
  counts: (rule: Rule) => boolean,
  risk: RiskPolicy,
): Omit<Verdict, "recorded"> {
  const { readings, weight, challenge, factors } = signals;
  const reasons: Reason[] = [];
  const say = (rule: Rule, evidence: Reason["evidence"] = {}): boolean => {
    reasons.push({ rule, evidence, counted: counts(rule) });
    return counts(rule);
  };
  const allow = (pool: Pool, levels: LevelReading[]) => ({ action: "allow" as const, pool, levels, factors: [], reasons });
  const refuse = (action: Action) => ({
    action: action === "deny" && risk.decoy ? ("decoy" as const) : action,
    pool: "stranger" as const,
    levels: [],
    factors: action === "step_up" ? factors : [],
    reasons,
  });
  const full = (levels: readonly LevelReading[]) => levels.filter((level) => !hasRoom(level, weight, exposure));
  const sayFull = (levels: readonly LevelReading[]) =>
    levels.map((level) => say("exposure", fullness(level, exposure))).some(Boolean);
  const orStepUp = () => refuse(factors.length > 0 ? "step_up" : "deny");

  const said = signals.source.map((found) => {
    const { finding, ...evidence } = found;
    return { finding, counted: say(finding, evidence) };
  });
  const has = (findings: readonly string[]) => said.some(({ finding, counted }) => counted && findings.includes(finding));
  if (has(["blocked_source"])) return refuse("deny");

  if (signals.failedAttemptsWaitSeconds > 0 && !signals.deviceKnown) {
    if (say("failed_attempts", { wait_seconds: signals.failedAttemptsWaitSeconds })) return refuse("deny");
  }
  if (signals.numberKnown || signals.deviceKnown) {
    const used = full(readings.known);
    if (used.length === 0) return allow("known", readings.known);
    sayFull(used);
  }

  const odd = has(SOURCE_IS_ODD);
  const country = readings.stranger.find(({ level }) => level.name === "country");
  const withHistory = (country?.earned ?? 0) >= exposure.history_verified;
  const first = [
    ...readings.stranger,
    ...(withHistory ? [] : readings.unknown),
    ...(odd ? readings.odd : []),
  ];
  const wantsFresh = [
    odd || has(["listed_source"]),
    signals.distinctNumbers > risk.many_numbers && !isProven(readings, exposure)
      ? say("many_numbers", { distinct_numbers: signals.distinctNumbers })
      : false,
    signals.challengeDemanded === "posture" ? say("posture") : false,
    signals.challengeDemanded === "policy" ? say("challenge_policy") : false,
  ].some(Boolean);
  if (wantsFresh && challenge !== "fresh") return refuse("challenge");

  const usedUp = full(first);
  if (usedUp.length === 0 || !sayFull(usedUp)) return allow("stranger", first);
  if (odd) return orStepUp();
  if (isProven(readings, exposure) && full(readings.proven).length === 0) return allow("proven", readings.proven);
  const usedUpToo = full(readings.challenged);
  if (usedUpToo.length > 0) {
    sayFull(usedUpToo);
    return orStepUp();
  }
  return challenge === "fresh" ? allow("challenged", readings.challenged) : refuse("challenge");
}

/** An address that earned verifications is evidence for its next stranger: thousands of honest people share a carrier's. */
function isProven(readings: Signals["readings"], exposure: ExposurePolicy): boolean {
  const address = readings.proven.find(({ level }) => level.name === "address");
  return address !== undefined && address.verified >= exposure.proven_verified * UNIT;
}

function fullness(reading: LevelReading, exposure: ExposurePolicy): Reason["evidence"] {
  return {
    level: reading.level.key,
    unverified: reading.unverified / UNIT,
    budget: budgetOf(reading, exposure) / UNIT,
    messages: reading.messages,
  };
}
