import type { Deps } from "../../ports/deps.ts";
import type { AdmissionTrail, NumberLookup, RequestSummary } from "./facts.ts";

export type AdmissionNeeds = Pick<Deps, "insights" | "log" | "defer">;

/** Logs the steps of an admission, each reason of the verdict with its evidence. */
export function logAdmission(
  deps: AdmissionNeeds,
  { correlationId, flow, phone }: RequestSummary,
  { carriedOver, storeFailure, lookup, verdict }: AdmissionTrail,
): void {
  const { log } = deps;
  if (!carriedOver) log("not_carried_over", { correlation_id: correlationId });
  if (storeFailure !== null) log("store_unavailable", { correlation_id: correlationId, cause: storeFailure });
  if (lookup !== null) logAndRememberLookup(deps, correlationId, lookup);
  if (verdict === null) return;
  log("verdict", {
    correlation_id: correlationId,
    flow,
    country: phone?.country ?? null,
    block: phone?.block ?? null,
    action: verdict.action,
    recorded: verdict.recorded,
    pool: verdict.pool,
    reasons: JSON.stringify(verdict.reasons),
  });
}

/** Logs a number lookup, and remembers an answer for as long as it counts. */
export function logAndRememberLookup(
  { insights, log, defer }: AdmissionNeeds,
  correlationId: string,
  lookup: NumberLookup,
): void {
  if (lookup.kind === "skipped") {
    log("lookup_skipped", { correlation_id: correlationId, cause: lookup.cause });
  } else if (lookup.kind === "failed") {
    const { source, cause } = lookup;
    log("lookup_failed", { correlation_id: correlationId, source, cause });
  } else {
    const { source, numberTag, insight, costMicros, rememberSeconds } = lookup;
    log("lookup_answered", {
      correlation_id: correlationId,
      source,
      cost_micros: costMicros,
      line_type: insight.lineType,
      reachable: insight.reachable,
      pumping_risk: insight.pumpingRisk,
      sim_swapped_hours_ago: insight.simSwappedHoursAgo,
    });
    defer(insights.remember(numberTag, insight, rememberSeconds), correlationId);
  }
}
