/**
 * Number lookups: the knowledge of a paid source about a number, and its effect on the verdict. A lookup costs a tenth of a
 * message and more, so it is made only where its result could change something: for strangers who are about to get a message
 * on thin evidence. Known people, and requests that are refused anyway, are never looked up.
 */

import type { Channel } from "../kernel/channel.ts";
import type { NumberPolicy } from "../kernel/phone.policy.ts";
import { refusesType } from "../kernel/phone.ts";
import type { Posture } from "../kernel/posture.ts";
import { HOUR_SECONDS } from "../kernel/time.ts";
import type { BudgetPool, ExposureScope } from "./exposure.ts";
import type { LookupPolicy } from "./lookup.policy.ts";
import { isRecordOnly, stoppingActionOf, withoutStoppedAnyway } from "./record-only.ts";
import type { RiskPolicy } from "./risk.policy.ts";
import type { VerdictReason } from "./risk.ts";
import type { Verdict } from "./verdict.ts";

/** The result of a number lookup; null where the source does not say. */
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

/** Pools that pay for strangers on thin evidence. */
const THIN_POOLS: readonly BudgetPool[] = ["challenged", "returned"];

/** Levels that a message draws on because its source is suspicious, or its destination has no history. */
const THIN_LEVELS: readonly ExposureScope[] = ["odd", "unknown"];

/** True where a lookup could change the verdict and is worth its price. */
export function isLookupWorthwhile({ action, pool, levels }: Verdict, posture: Posture): boolean {
  if (action !== "allow" || pool === "known") return false;
  const thin = THIN_POOLS.includes(pool) || levels.some(({ level }) => THIN_LEVELS.includes(level.name));
  return thin || posture !== "normal";
}

/** The refusal that an insight asks for. `step_up` is for conditions that pass: a phone that is off, a SIM that is new. */
export interface InsightJudgement {
  action: "deny" | "step_up";
  evidence: VerdictReason["evidence"];
}

/**
 * The gravest objection of an insight to a message; null for none.
 *
 * For a phone that cannot be reached another factor is offered: its message would be paid for and not read within the code's
 * few minutes, but a person whose phone is off has an e-mail address, and a range without people has none.
 */
export function judgeInsight(
  { lineType, pumpingRisk, reachable, simSwappedHoursAgo }: NumberInsight,
  { max_pumping_risk, sim_swap_hours }: Pick<LookupPolicy, "max_pumping_risk" | "sim_swap_hours">,
  numbers: NumberPolicy,
  channel: Channel,
): InsightJudgement | null {
  if (lineType !== null && lineType !== "other" && refusesType(lineType, channel, numbers)) {
    return { action: "deny", evidence: { line_type: lineType } };
  }
  if (pumpingRisk !== null && pumpingRisk >= max_pumping_risk) {
    return { action: "deny", evidence: { pumping_risk: pumpingRisk } };
  }
  // A source that gives no date states the whole period it was asked about, which is these very hours.
  if (simSwappedHoursAgo !== null && simSwappedHoursAgo <= sim_swap_hours) {
    return { action: "step_up", evidence: { sim_swapped_hours_ago: simSwappedHoursAgo } };
  }
  return reachable === false ? { action: "step_up", evidence: { reachable } } : null;
}

/** A result about a condition that passes is kept for this long at most. */
const PASSING_SECONDS = HOUR_SECONDS;

/** Seconds for which a result is kept, by the judgement on it. */
export const insightTtlSeconds = (
  judged: InsightJudgement | null,
  { memory_seconds }: LookupPolicy,
): number => (judged?.action === "step_up" ? Math.min(PASSING_SECONDS, memory_seconds) : memory_seconds);

/**
 * The verdict on a message that was let through, after the insight.
 *
 * @param factors the flow permits instead of the message; without any, a step up becomes a denial
 */
export function verdictAfterInsight(
  verdict: Verdict,
  { action, evidence }: InsightJudgement,
  factors: readonly string[],
  risk: Pick<RiskPolicy, "record_only" | "record_all" | "decoy">,
): Verdict {
  const denied = action === "deny" || factors.length === 0;
  // Whoever gave a landline is told so, and can be called.
  const decoy = risk.decoy && evidence.line_type !== "fixed_line";
  const refusal = denied ? (decoy ? "decoy" : "deny") : "step_up";
  const counted = !isRecordOnly("number_insight", risk);
  const reasons = [...verdict.reasons, { rule: "number_insight" as const, evidence, counted }];
  // Rules before this one may have refused the message, had they counted.
  const recorded = verdict.recorded === "allow" ? refusal : verdict.recorded;
  if (!counted) {
    const uncounted = [
      ...verdict.uncounted,
      { rule: "number_insight" as const, would: stoppingActionOf(refusal) },
    ];
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
