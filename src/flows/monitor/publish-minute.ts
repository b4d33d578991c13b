import { monitorFaultAlert } from "../../domain/monitor/alert-once.ts";
import { type AlertingResult, alertsFor } from "../../domain/monitor/alerting.ts";
import type { Finding } from "../../domain/monitor/finding.ts";
import { type MinuteTally, OVERALL_TALLY_KEY } from "../../domain/monitor/tally.ts";
import type { Deps } from "../../ports/deps.ts";
import { alertContext } from "../publish/alert-context.ts";
import { notifyAttackSuspected, notifyPosture } from "../publish/notify-customer-of-attack.ts";
import { recordEvent } from "../publish/record-event.ts";
import type { MinuteActs } from "./act-on-findings.ts";
import type { MinuteRead } from "./read-minute.ts";

/** Publishes one run: the posture to the ledger, posture and attack to the customer's backend, alerts to people. */
export async function publishMinute(
  deps: Deps,
  read: MinuteRead,
  findings: readonly Finding[],
  acts: MinuteActs,
): Promise<AlertingResult> {
  const { nowMs } = read;
  const { posture, bans, incident, refused } = acts;
  const postureBefore = read.memory.postureTold ?? "normal";
  if (posture.now !== postureBefore) {
    const change = { kind: "posture" as const, of: `${nowMs}`, code: posture.now, reasons: posture.by };
    await recordEvent(deps, { ...change, atMs: nowMs });
  }
  await notifyPosture(deps, postureBefore, posture, nowMs);
  const opened = incident.before === null ? incident.after.incident : null;
  await notifyAttackSuspected(deps, opened, bans.effective, nowMs);
  const alerting = alertsOf(deps, read, findings, acts);
  const faults = refused.length === 0 ? [] : [faultAlert(deps, "control_refused", refused.join("; "), nowMs)];
  await deps.alerts.raise([...alerting.alerts, ...faults]);
  return alerting;
}

/** Reports that the counters or the control documents did not answer; the posture stays as it is. */
export async function publishUnreadable(deps: Deps, cause: string, nowMs: number): Promise<void> {
  deps.log("monitor_blind", { cause });
  const says = `the watch sees nothing: ${cause}; the posture stays as it is`;
  await deps.alerts.raise([faultAlert(deps, "blind", says, nowMs)]);
}

function alertsOf(
  deps: Deps,
  { memory, minutes, nowMs }: MinuteRead,
  findings: readonly Finding[],
  { posture, bans, incident }: MinuteActs,
): AlertingResult {
  const changed = posture.by === "cron" && posture.now !== posture.before;
  return alertsFor({
    ...alertContext(deps, nowMs),
    before: incident.before,
    after: incident.after.incident,
    findings,
    posture: changed ? { from: posture.before, to: posture.now, why: posture.why } : null,
    blocks: bans.changes.blocked,
    window: { minutes: deps.policy.monitor.window_minutes, spentMicros: spentIn(minutes) },
    told: memory.told,
    hour: memory.hour,
  });
}

const spentIn = (minutes: readonly MinuteTally[]): number =>
  minutes.reduce((sum, { tally }) => sum + (tally.get(OVERALL_TALLY_KEY)?.micros ?? 0), 0);

const faultAlert = (deps: Deps, what: "blind" | "control_refused", says: string, sinceMs: number) =>
  monitorFaultAlert(alertContext(deps, sinceMs), { what, says, sinceMs });
