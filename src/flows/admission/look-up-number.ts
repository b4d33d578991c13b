/**
 * Asks a source about a stranger's number before a message to it is paid for, where the answer could change the verdict and
 * the day's money for it lasts: first what was said lately, then the money, then the source. A source that fails or is slow
 * leaves the verdict as it is.
 */
import {
  insightTtlSeconds,
  isLookupWorthwhile,
  judgeInsight,
  type NumberInsight,
  verdictAfterInsight,
} from "../../domain/admission/insight.ts";
import type { RiskPolicy } from "../../domain/admission/risk.policy.ts";
import type { Verdict } from "../../domain/admission/verdict.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import type { Posture } from "../../domain/kernel/posture.ts";
import type { Deps } from "../../ports/deps.ts";
import type { LookupPort } from "../../ports/people.ts";

export interface LookupQuestion {
  correlationId: string;
  /** E.164. */
  e164: string;
  numberTag: string;
  posture: Posture;
  /** What the flow permits instead of a message. */
  factors: readonly string[];
  risk: RiskPolicy;
}

type Consulted = Pick<
  Deps,
  "policy" | "lookup" | "insights" | "budgets" | "vault" | "log" | "nowMs" | "defer"
>;

/** @returns the verdict after what is known of the number */
export async function lookUpNumber(
  deps: Consulted,
  question: LookupQuestion,
  verdict: Verdict,
): Promise<Verdict> {
  const { policy, lookup, insights, log, defer } = deps;
  const { correlationId, numberTag, factors, risk } = question;
  if (lookup === null || !isLookupWorthwhile(verdict, question.posture)) return verdict;
  const recalled = await insights.recall(numberTag);
  if (recalled !== null && "kind" in recalled) {
    log("lookup_skipped", { correlation_id: correlationId, cause: recalled.cause });
    return verdict;
  }
  const insight = recalled ?? (await lookUp(deps, lookup, question));
  if (insight === null) return verdict;
  const judged = judgeInsight(insight, policy.lookup, policy.numbers);
  if (recalled === null) {
    const seconds = insightTtlSeconds(judged, policy.lookup);
    defer(insights.remember(numberTag, insight, seconds), correlationId);
  }
  return judged === null ? verdict : verdictAfterInsight(verdict, judged, factors, risk);
}

/** One paid answer; null where there is none. What it took from the day stays taken: failed ones may be billed too. */
async function lookUp(
  { policy, budgets, vault, log, nowMs }: Consulted,
  lookup: LookupPort,
  { correlationId, e164 }: LookupQuestion,
): Promise<NumberInsight | null> {
  const { cost_micros: costMicros, day_cap_micros: cap } = policy.lookup;
  const day: SpendMeter = { scope: "spend:lookup", period: "day", amount: costMicros, cap, lifted: false };
  const hold = { id: vault.newId(), atMs: nowMs(), weight: 0, taken: [], earns: [], meters: [day] };
  const paid = await budgets.reserve({ levels: [], hold, slowStart: { start: 0, factor: 1 } });
  if (paid.kind !== "granted") {
    const cause = paid.kind === "unavailable" ? paid.cause : "cap of the day";
    log("lookup_skipped", { correlation_id: correlationId, cause });
    return null;
  }
  const answer = await lookup.lookup(e164);
  if (answer.kind === "unavailable") {
    log("lookup_failed", { correlation_id: correlationId, source: lookup.name, cause: answer.cause });
    return null;
  }
  const { kind, ...insight } = answer;
  log("lookup_answered", {
    correlation_id: correlationId,
    source: lookup.name,
    cost_micros: insight.costMicros ?? costMicros,
    line_type: insight.lineType,
    reachable: insight.reachable,
    pumping_risk: insight.pumpingRisk,
    sim_swapped_hours_ago: insight.simSwappedHoursAgo,
  });
  return insight;
}
