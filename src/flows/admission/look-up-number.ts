/**
 * Asks a source about a stranger's number before a message to it is paid for, where the answer could change the verdict and
 * the day's money for it lasts: first the answers that are remembered, then the money, then the source. A source that fails
 * or is slow leaves the verdict as it is.
 */
import {
  insightTtlSeconds,
  isLookupWorthwhile,
  judgeInsight,
  verdictAfterInsight,
} from "../../domain/admission/insight.ts";
import type { RiskPolicy } from "../../domain/admission/risk.policy.ts";
import type { Verdict } from "../../domain/admission/verdict.ts";
import { CALL_TOO_EARLY } from "../../domain/delivery/early-call.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import type { Posture } from "../../domain/kernel/posture.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { Deps } from "../../ports/deps.ts";
import type { LookupPort } from "../../ports/people.ts";
import type { NumberLookup } from "../publish/facts.ts";
import type { AdmissionRequest } from "./request.ts";

export interface LookupQuestion {
  /** E.164. */
  e164: string;
  /** Keyed hash of the number. */
  numberTag: string;
  posture: Posture;
  /** Factors the flow permits instead of a message. */
  factors: readonly string[];
  risk: RiskPolicy;
  channel: Channel;
}

export type LookupNeeds = Pick<Deps, "policy" | "lookup" | "insights" | "budgets">;

/** @returns the verdict after what is known of the number, and the lookup where there was one to make */
export async function lookUpNumber(
  deps: LookupNeeds,
  question: LookupQuestion,
  verdict: Verdict,
): Promise<{ verdict: Verdict; lookup: NumberLookup | null }> {
  const { policy, lookup: source, insights } = deps;
  const { numberTag, posture, factors, risk, channel } = question;
  if (source === null || !isLookupWorthwhile(verdict, posture)) return { verdict, lookup: null };
  const recalled = await insights.recall(numberTag);
  if (recalled !== null && "kind" in recalled) {
    return { verdict, lookup: { kind: "skipped", cause: recalled.cause } };
  }
  const lookup = recalled === null ? await askSource(deps, source, question) : null;
  const insight = lookup?.kind === "answered" ? lookup.insight : recalled;
  if (insight === null) return { verdict, lookup };
  const judged = judgeInsight(insight, policy.lookup, policy.numbers, channel);
  return { verdict: judged === null ? verdict : verdictAfterInsight(verdict, judged, factors, risk), lookup };
}

/** Refuses an early call, unless a source that was asked about the number knows it for a landline; null for any other message. */
export async function refuseEarlyCall(
  { insights }: Pick<LookupNeeds, "insights">,
  { isEarlyCall, person }: Pick<AdmissionRequest, "isEarlyCall" | "person">,
): Promise<Refusal | null> {
  if (!isEarlyCall) return null;
  const known = await insights.recall(person.numberTag);
  return known !== null && "lineType" in known && known.lineType === "fixed_line" ? null : CALL_TOO_EARLY;
}

/** Pays for one answer. The price stays paid where the source fails: failed lookups may be billed too. */
async function askSource(
  { policy, budgets }: LookupNeeds,
  source: LookupPort,
  { e164, numberTag, channel }: LookupQuestion,
): Promise<NumberLookup> {
  const { cost_micros: costMicros, day_cap_micros: cap } = policy.lookup;
  const day: SpendMeter = { scope: "spend:lookup", period: "day", amount: costMicros, cap, lifted: false };
  const paid = await budgets.spend(day);
  if (paid.kind === "unavailable") return { kind: "skipped", cause: paid.cause };
  if (paid.kind === "capped") return { kind: "skipped", cause: "cap of the day" };
  const answer = await source.lookup(e164);
  if (answer.kind === "unavailable") return { kind: "failed", source: source.name, cause: answer.cause };
  const { kind: _, ...insight } = answer;
  const judged = judgeInsight(insight, policy.lookup, policy.numbers, channel);
  return {
    kind: "answered",
    source: source.name,
    numberTag,
    insight,
    costMicros: insight.costMicros ?? costMicros,
    rememberSeconds: insightTtlSeconds(judged, policy.lookup),
  };
}
