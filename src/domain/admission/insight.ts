/**
 * What a source knows of a number beyond its digits, and what that makes of a verdict. A lookup costs a tenth of a message
 * and more, so it is asked for only where its answer could change something: about strangers who are about to get a message
 * on thin evidence. People we know, and whoever is refused anyway, are never asked about.
 */

import type { NumberPolicy } from "../kernel/phone.policy.ts";
import type { Posture } from "../kernel/posture.ts";
import { HOUR_SECONDS } from "../kernel/time.ts";
import type { LevelName, Pool } from "./exposure.ts";
import type { LookupPolicy } from "./lookup.policy.ts";
import { isRecordOnly, stopKindOf, withoutStoppedAnyway } from "./record-only.ts";
import type { RiskPolicy } from "./risk.policy.ts";
import type { VerdictReason } from "./risk.ts";
import type { Verdict } from "./verdict.ts";

/** What is known of a number beyond its digits; null where the source does not say. */
export interface NumberInsight {
  lineType: "mobile" | "fixed_line" | "voip" | "premium_rate" | "toll_free" | "other" | null;
  reachable: boolean | null;
  ported: boolean | null;
  roaming: boolean | null;
  /** The vendor's own risk of SMS pumping, 0 to 100. */
  pumpingRisk: number | null;
  /** Hours since the SIM was last changed, as exact as the vendor says. */
  simSwappedHoursAgo: number | null;
  costMicros: number | null;
}

/** Purses that only thin evidence opens. */
const THIN_PURSES: readonly Pool[] = ["challenged", "returned"];

/** Levels that a message draws on because its source is odd, or its destination has no history. */
const THIN_LEVELS: readonly LevelName[] = ["odd", "unknown"];

/** Whether an answer about the number could change the verdict and is worth its price. */
export function isLookupWorthwhile({ action, pool, levels }: Verdict, posture: Posture): boolean {
  if (action !== "allow" || pool === "known") return false;
  const thin = THIN_PURSES.includes(pool) || levels.some(({ level }) => THIN_LEVELS.includes(level.name));
  return thin || posture !== "normal";
}

/** What an insight speaks for. `step_up` is about what passes: a phone that is off, a SIM that is new. */
export interface InsightJudgement {
  action: "deny" | "step_up";
  evidence: VerdictReason["evidence"];
}

/**
 * What an insight says against a message, the gravest first; null when nothing.
 *
 * A phone that cannot be reached is offered another factor and not just refused: the message would be paid for and read by
 * nobody in the code's few minutes, but a person whose phone is off has an e-mail address, and a range without people has
 * none.
 */
export function judgeInsight(
  { lineType, pumpingRisk, reachable, simSwappedHoursAgo }: NumberInsight,
  { max_pumping_risk, sim_swap_hours }: Pick<LookupPolicy, "max_pumping_risk" | "sim_swap_hours">,
  { refuse_types }: NumberPolicy,
): InsightJudgement | null {
  if (lineType !== null && lineType !== "other" && refuse_types.includes(lineType)) {
    return { action: "deny", evidence: { line_type: lineType } };
  }
  if (pumpingRisk !== null && pumpingRisk >= max_pumping_risk) {
    return { action: "deny", evidence: { pumping_risk: pumpingRisk } };
  }
  // A source that tells no date says the whole period it was asked for, which is these very hours.
  if (simSwappedHoursAgo !== null && simSwappedHoursAgo <= sim_swap_hours) {
    return { action: "step_up", evidence: { sim_swapped_hours_ago: simSwappedHoursAgo } };
  }
  return reachable === false ? { action: "step_up", evidence: { reachable } } : null;
}

/** An answer that spoke of something passing is asked for again after this long. */
const PASSING_SECONDS = HOUR_SECONDS;

/** How long an answer counts, by what was made of it. */
export const insightTtlSeconds = (
  judged: InsightJudgement | null,
  { memory_seconds }: LookupPolicy,
): number => (judged?.action === "step_up" ? Math.min(PASSING_SECONDS, memory_seconds) : memory_seconds);

/**
 * The verdict on a message that was let through, after the insight.
 *
 * @param factors what the flow permits instead of the message; without any, a step up is a no
 */
export function verdictAfterInsight(
  verdict: Verdict,
  { action, evidence }: InsightJudgement,
  factors: readonly string[],
  risk: Pick<RiskPolicy, "record_only" | "record_all" | "decoy">,
): Verdict {
  const denied = action === "deny" || factors.length === 0;
  const refusal = denied ? (risk.decoy ? "decoy" : "deny") : "step_up";
  const counted = !isRecordOnly("number_insight", risk);
  const reasons = [...verdict.reasons, { rule: "number_insight" as const, evidence, counted }];
  // Rules before this one may have refused it, had they counted.
  const recorded = verdict.recorded === "allow" ? refusal : verdict.recorded;
  if (!counted) {
    const uncounted = [...verdict.uncounted, { rule: "number_insight" as const, would: stopKindOf(refusal) }];
    return { ...verdict, reasons, recorded, uncounted };
  }
  return {
    action: refusal,
    pool: "stranger",
    levels: [],
    factors: denied ? [] : factors,
    reasons,
    recorded,
    uncounted: withoutStoppedAnyway(verdict.uncounted, refusal),
  };
}
