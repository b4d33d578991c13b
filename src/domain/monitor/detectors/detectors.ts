import { MINUTE_MS } from "../../kernel/time.ts";
import { type Finding, SEVERITIES } from "../finding.ts";
import type { MonitorPolicy } from "../monitor.policy.ts";
import type { MonitorMemory } from "../monitor-memory.ts";
import { type MonitorReadings, type MonitorView, viewCounts } from "../monitor-view.ts";
import { detectConversionCollapses, detectLowConversion } from "./detect-conversion.ts";
import { detectProviderFraud } from "./detect-fraud.ts";
import { detectFailingDelivery, detectSpendOverPlan, detectSpendWithoutOutcomes } from "./detect-money.ts";
import { detectDenseNumbers, detectManyNumbers } from "./detect-sources.ts";
import { detectExhaustedBudgets, detectHighVolume, detectNewDestinations } from "./detect-volume.ts";

/** All findings of one run, the worst first. Each detector states how often it errs. */
export const detectFindingsFromReadings = (counts: MonitorReadings, policy: MonitorPolicy): Finding[] =>
  detectFindings(viewCounts(counts, policy));

/** All findings on counters that are already prepared, the worst first. */
export function detectFindings(view: MonitorView): Finding[] {
  const unanswered = [...detectLowConversion(view), ...detectConversionCollapses(view)];
  const findings = [
    ...unanswered,
    ...detectExhaustedBudgets(view, unanswered),
    ...detectManyNumbers(view),
    ...detectDenseNumbers(view),
    ...detectHighVolume(view),
    ...detectNewDestinations(view),
    ...detectSpendOverPlan(view),
    ...detectSpendWithoutOutcomes(view),
    ...detectFailingDelivery(view),
    ...detectProviderFraud(view),
  ];
  return findings.sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity));
}

/** The finding that the last run failed or that this run is late; null for neither. */
export function detectLateRun(
  memory: MonitorMemory | null,
  nowMs: number,
  policy: MonitorPolicy,
): Finding | null {
  if (memory === null) return null;
  const lateMinutes = Math.floor((nowMs - memory.lastRunMs) / MINUTE_MS);
  const late = lateMinutes >= policy.late_after_minutes;
  if (!late && memory.lastFailure === "") return null;
  return {
    kind: "watch_late",
    subject: "overall all",
    severity: "notice",
    says: late
      ? `the watch saw nothing for ${lateMinutes} minutes${memory.lastFailure && `: ${memory.lastFailure}`}`
      : `the last run of the watch failed: ${memory.lastFailure}`,
    evidence: { late_minutes: lateMinutes, last_run_ms: memory.lastRunMs, failure: memory.lastFailure },
    block: false,
  };
}
