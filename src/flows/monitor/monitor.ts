import { keyFindings } from "../../domain/access/key-age.ts";
import type { AlertingResult } from "../../domain/monitor/alerting.ts";
import { detectFindings, detectLateRun } from "../../domain/monitor/detectors/detectors.ts";
import type { Finding } from "../../domain/monitor/finding.ts";
import {
  DAY_QUARTERS,
  type QuarterPoint,
  type QuarterTally,
  updateDay,
} from "../../domain/monitor/history.ts";
import type { MonitorMemory } from "../../domain/monitor/monitor-memory.ts";
import { learnRoutes } from "../../domain/monitor/route-records.ts";
import type { Deps } from "../../ports/deps.ts";
import { actOnFindings, type MinuteActs } from "./act-on-findings.ts";
import { publishMinute, publishUnreadable } from "./publish-minute.ts";
import { type MinuteRead, readMinute } from "./read-minute.ts";

/**
 * Runs once a minute, one run at a time: reads the counters, judges them, acts on posture, bans and the incident, publishes
 * what changed, and remembers it. Counters that cannot be read change nothing: without them the monitor must neither declare
 * an attack nor end one. What cannot be written raises an alert, and the next run writes it.
 *
 * @param nowMs the time this run was scheduled for
 */
export async function monitor(deps: Deps, nowMs: number): Promise<void> {
  const begun = await deps.monitorState.begin(nowMs);
  if (begun.kind === "busy") return deps.log("monitor_busy", {});
  if (begun.kind === "unavailable") return publishUnreadable(deps, begun.cause, nowMs);

  const read = await readMinute(deps, begun, nowMs);
  if (read.kind === "unreadable") {
    await keepFailure(deps, read.memory, read.cause);
    return publishUnreadable(deps, read.cause, nowMs);
  }
  const findings = judgeMinute(deps, read);
  const acts = await actOnFindings(deps, read, findings);
  const alerting = await publishMinute(deps, read, findings, acts);
  const remembered = await rememberMinute(deps, read, acts, alerting);
  logMinute(deps, read, findings, { acts, alerting, remembered });
}

/** The run stays due: `lastRunMs` does not move, so that the next run finds itself late. */
const keepFailure = ({ monitorState }: Deps, memory: MonitorMemory, cause: string) =>
  monitorState.end({ memory: { ...memory, lastFailure: cause }, history: null, quarter: null });

function judgeMinute({ policy, keyIds }: Deps, { memory, view, nowMs }: MinuteRead): Finding[] {
  const late = detectLateRun(memory, nowMs, policy.monitor);
  return [...(late ? [late] : []), ...keyFindings(keyIds, nowMs, policy.keys), ...detectFindings(view)];
}

/**
 * Keeps the routes' records and the monitor's memory for the next run.
 *
 * @returns false when the memory could not be kept
 */
async function rememberMinute(
  deps: Deps,
  { nowMs, memory, quarter, view }: MinuteRead,
  { posture, bans, incident, refused }: MinuteActs,
  { told, hour }: AlertingResult,
): Promise<boolean> {
  await deps.routes.write(learnRoutes(view, deps.policy.delivery));
  const { after } = incident;
  const next: MonitorMemory = {
    ...memory,
    lastRunMs: nowMs,
    lastFailure: refused.join("; "),
    postureTold: posture.now,
    foldedTo: quarter?.quarter ?? memory.foldedTo,
    day: quarter ? await dayUpTo(deps, memory, quarter) : memory.day,
    incident: after.incident?.closedAtMs === null ? after.incident : null,
    countedTo: after.countedTo,
    settled: after.settled,
    told,
    hour,
    blocked: bans.remembered,
  };
  const ended = await deps.monitorState.end({
    memory: next,
    history: quarter ? view.history : null,
    quarter,
  });
  return ended.kind === "done";
}

/** The last day with its latest quarter; a memory without a day gets it once from the stored quarters. */
async function dayUpTo({ monitorState }: Deps, { day }: MonitorMemory, latest: QuarterTally) {
  if (day) return updateDay(day, latest);
  const read = await monitorState.quarters(latest.quarter - DAY_QUARTERS + 1, latest.quarter - 1);
  return read.kind === "answered"
    ? [...read.quarters, latest].reduce<QuarterPoint[]>(updateDay, [])
    : undefined;
}

function logMinute(
  { log }: Deps,
  { view }: MinuteRead,
  findings: readonly Finding[],
  { acts, alerting, remembered }: { acts: MinuteActs; alerting: AlertingResult; remembered: boolean },
): void {
  const { sent, verified, due, ratio } = view.reading;
  log("monitor", {
    sent,
    verified,
    due: Math.round(due * 10) / 10,
    ratio: ratio === null ? null : Math.round(ratio * 1000) / 1000,
    findings: findings.map(({ kind }) => kind).join(" "),
    decision: acts.posture.decision.kind,
    posture: acts.posture.now,
    blocked: acts.bans.changes.blocked.length,
    lifted: acts.bans.changes.lifted.length,
    alerts: alerting.alerts.length,
    remembered,
  });
}
