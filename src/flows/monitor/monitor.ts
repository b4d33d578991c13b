/**
 * The minute's watch, one run at a time: read the counters, find what is wrong, set the posture and the blocks, follow the
 * incident, tell people, remember. What could not be read changes nothing: a blind watch must neither call an attack nor end
 * one. What could not be written is told, and the next run does it again.
 */

import { keyFindings } from "../../domain/access/key-age.ts";
import { spendMeters } from "../../domain/delivery/money.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import type { AddressedAlert } from "../../domain/monitor/alert.ts";
import { monitorFaultAlert } from "../../domain/monitor/alert-once.ts";
import { alertsFor } from "../../domain/monitor/alerting.ts";
import { type BanChanges, nextBans } from "../../domain/monitor/ban.ts";
import { type DayPoint, updateDay } from "../../domain/monitor/day.ts";
import { detectFindings, detectLateRun } from "../../domain/monitor/detectors.ts";
import {
  DAY_QUARTERS,
  dueQuarters,
  foldQuarter,
  OVERALL,
  QUARTER_MINUTES,
  type QuarterTally,
  quarterOf,
} from "../../domain/monitor/history.ts";
import { nextIncident } from "../../domain/monitor/incident.ts";
import { initialMonitorMemory, type MonitorMemory } from "../../domain/monitor/monitor-memory.ts";
import { learnRoutes } from "../../domain/monitor/route-records.ts";
import { viewCounts } from "../../domain/monitor/sight.ts";
import { type MinuteTally, sumTallies } from "../../domain/monitor/tally.ts";
import type { Deps } from "../../ports/deps.ts";
import { applyPosture } from "../control/apply-posture.ts";
import { notifyAttackSuspected, notifyPosture } from "../publish/notify-customer-of-attack.ts";
import { recordEvent } from "../publish/record-event.ts";

/** @param nowMs the time this run was scheduled for */
export async function monitor(deps: Deps, nowMs: number): Promise<void> {
  const { policy, watch, counters, control, records, routes, alerts, vault, log } = deps;
  const begun = await watch.begin(nowMs);
  if (begun.kind === "busy") return log("monitor_busy", {});
  if (begun.kind === "unavailable") return blind(deps, begun.cause, nowMs);
  // Whoever lost the memory may have lost the way of an incident.
  const memory = begun.memory ?? { ...initialMonitorMemory(nowMs), incident: await openIncident(deps) };

  const [window, documents, ripe] = await Promise.all([
    counters.window(minuteOf(nowMs), policy.monitor.window_minutes),
    control.documents(),
    ripeQuarter(deps, memory, nowMs),
  ]);
  if (window.kind === "unavailable" || "kind" in documents) {
    const cause = window.kind === "unavailable" ? window.cause : "KV does not answer";
    // The run is due still: the next one finds it late.
    await watch.end({ memory: { ...memory, lastFailure: cause }, history: null, quarter: null });
    return blind(deps, cause, nowMs);
  }
  const history = ripe ? foldQuarter(begun.history, ripe, nowMs) : begun.history;
  const judgedTo = minuteOf(documents.operator?.judged_ms ?? 0);
  const minutes = window.minutes.filter(({ minute }) => minute > judgedTo);
  const watched = {
    nowMs,
    minutes,
    history,
    sameTime: begun.sameTime,
    lately: await quartersOfOutcomes(deps, history?.subjects[OVERALL] ?? {}, nowMs),
    spent: await spentLately(deps),
    planDayMicros: policy.money.plan_day_micros,
    incident: memory.incident,
  };
  const sight = viewCounts(watched, policy.monitor);
  const late = detectLateRun(memory, nowMs, policy.monitor);
  const findings = [
    ...(late ? [late] : []),
    ...keyFindings(deps.keyIds, nowMs, policy.keys),
    ...detectFindings(sight),
  ];

  const set = await applyPosture(deps, documents, findings, sight);
  if (set.now !== (memory.postureTold ?? "normal")) {
    const told = { kind: "posture" as const, of: `${nowMs}`, code: set.now, reasons: set.by };
    await recordEvent(deps, { ...told, atMs: nowMs });
  }
  await notifyPosture(deps, memory.postureTold ?? "normal", set, nowMs);
  const blocks = nextBans(
    {
      bans: documents.cronBlocks,
      findings,
      memory: memory.blocked,
      minutes,
      operatorBans: documents.operatorBlocks,
    },
    policy.monitor,
    nowMs,
  );
  const blocksRefused = await writeBlocks(deps, blocks, documents.faults);
  const refused = [...documents.faults, set.refused, blocksRefused].filter((cause) => cause !== null);

  const asking = findings.some(({ severity }) => severity !== "notice");
  // A run that could not keep its memory has written its incident down.
  const before = memory.incident ?? (asking ? await openIncident(deps) : null);
  const incident = nextIncident(
    { ...memory, incident: before },
    {
      nowMs,
      findings,
      posture: { now: set.now, before: set.before, by: set.by, why: set.why },
      blocks: blocks.changes,
      minutes: window.minutes,
      curve: sight.curve,
    },
    policy.monitor,
    vault.newId,
  );
  const alerting = alertsFor({
    ...alertContext(deps, nowMs),
    before,
    after: incident.incident,
    findings,
    posture:
      set.by !== "cron" || set.now === set.before ? null : { from: set.before, to: set.now, why: set.why },
    blocks: blocks.changes.blocked,
    window: { minutes: policy.monitor.window_minutes, spentMicros: spentIn(window.minutes) },
    told: memory.told,
    hour: memory.hour,
  });
  const kept = incident.incident ? await records.keepIncident(incident.incident) : null;
  const blocked = blocksRefused === null ? blocks.changes.blocked : [];
  await notifyAttackSuspected(deps, before === null ? incident.incident : null, blocked, nowMs);
  if (kept?.kind === "unavailable") refused.push(`incident not written: ${kept.cause}`);
  await alerts.raise([...alerting.alerts, ...refusedAlerts(deps, refused, nowMs)]);
  await routes.write(learnRoutes(sight, policy.delivery));

  const next: MonitorMemory = {
    ...memory,
    lastRunMs: nowMs,
    lastFailure: refused.join("; "),
    postureTold: set.now,
    foldedTo: ripe?.quarter ?? memory.foldedTo,
    day: ripe ? await dayUpTo(deps, memory, ripe) : memory.day,
    incident: incident.incident?.closedAtMs === null ? incident.incident : null,
    countedTo: incident.countedTo,
    settled: incident.settled,
    told: alerting.told,
    hour: alerting.hour,
    // What KV did not take was not shut.
    blocked: blocksRefused === null ? blocks.blocked : memory.blocked,
  };
  const ended = await watch.end({
    memory: next,
    history: ripe ? history : null,
    quarter: ripe,
  });
  const { sent, verified, due, ratio } = sight.reading;
  log("monitor", {
    sent,
    verified,
    due: Math.round(due * 10) / 10,
    ratio: ratio === null ? null : Math.round(ratio * 1000) / 1000,
    findings: findings.map(({ kind }) => kind).join(" "),
    decision: set.decision.kind,
    posture: set.now,
    blocked: blocks.changes.blocked.length,
    lifted: blocks.changes.lifted.length,
    alerts: alerting.alerts.length,
    remembered: ended.kind === "done",
  });
}

/** The incident that was open when the memory was lost, if the records know one. */
async function openIncident({ records }: Deps) {
  const read = await records.incidents(1);
  const [latest] = read.kind === "answered" ? read.incidents : [];
  return latest?.closedAtMs === null ? latest : null;
}

/** The next quarter of an hour that is over and not yet in the history; one a run, so that a run stays short. */
async function ripeQuarter({ counters }: Deps, { foldedTo }: MonitorMemory, nowMs: number) {
  const [quarter] = dueQuarters(foldedTo, nowMs);
  if (quarter === undefined) return null;
  const last = (quarter + 1) * QUARTER_MINUTES - 1;
  const read = await counters.window(last, QUARTER_MINUTES);
  if (read.kind === "unavailable") return null;
  return { quarter, tally: sumTallies(read.minutes.map(({ tally }) => tally)) };
}

/** The day with its latest quarter. Who does not remember it reads it once from what the quarters left. */
async function dayUpTo({ watch }: Deps, { day }: MonitorMemory, ripe: QuarterTally) {
  if (day) return updateDay(day, ripe);
  const read = await watch.quarters(ripe.quarter - DAY_QUARTERS + 1, ripe.quarter - 1);
  return read.kind === "answered" ? [...read.quarters, ripe].reduce<DayPoint[]>(updateDay, []) : undefined;
}

/** Twice the outcomes' window, where outcomes are being reported at all. */
async function quartersOfOutcomes(
  { watch, policy }: Deps,
  past: Readonly<Record<string, number | undefined>>,
  nowMs: number,
) {
  if (!Object.keys(past).some((metric) => metric.startsWith("outcome:"))) return [];
  const to = quarterOf(minuteOf(nowMs));
  const from = to - Math.ceil((2 * policy.monitor.outcomes.window_minutes) / QUARTER_MINUTES);
  const read = await watch.quarters(from, to);
  return read.kind === "answered" ? read.quarters : [];
}

const spentIn = (minutes: readonly MinuteTally[]): number =>
  minutes.reduce((sum, { tally }) => sum + (tally.get(OVERALL)?.micros ?? 0), 0);

async function spentLately({ budgets, policy }: Deps) {
  const [hour, day] = spendMeters(policy.money, "", 0, true);
  if (!hour || !day) throw new Error("spend has an hour and a day");
  const read = await budgets.read([], [hour, day]);
  if (read.kind === "unavailable") return null;
  return { hourMicros: read.totals[0] ?? 0, dayMicros: read.totals[1] ?? 0 };
}

async function writeBlocks(
  { control, log }: Deps,
  { blocks, changes }: ReturnType<typeof nextBans>,
  faults: readonly string[],
): Promise<string | null> {
  // A list nobody can read is an emergency in every place until it is written anew.
  const unreadable = faults.some((fault) => fault.startsWith("cron-blocks"));
  if (!changed(changes) && !unreadable) return null;
  for (const { kind, subject, why } of changes.blocked) log("blocked", { kind, subject, why });
  for (const { block, why } of changes.lifted)
    log("unblocked", { kind: block.kind, subject: block.subject, why });
  const written = await control.writeCronBlocks(blocks);
  return written.kind === "unavailable" ? `blocks not written: ${written.cause}` : null;
}

const changed = ({ blocked, lifted, extended }: BanChanges): boolean =>
  blocked.length + lifted.length + extended.length > 0;

const alertContext = ({ policy, environment }: Deps, nowMs: number) => ({
  environment,
  currency: policy.money.currency,
  policy: policy.alerts,
  nowMs,
});

function refusedAlerts(deps: Deps, refused: readonly string[], nowMs: number): AddressedAlert[] {
  return refused.length === 0
    ? []
    : [
        monitorFaultAlert(alertContext(deps, nowMs), {
          what: "control_refused",
          says: refused.join("; "),
          sinceMs: nowMs,
        }),
      ];
}

/** Without its counters the watch says so, and leaves everything as it is. */
async function blind(deps: Deps, cause: string, nowMs: number): Promise<void> {
  deps.log("monitor_blind", { cause });
  const says = `the watch sees nothing: ${cause}; the posture stays as it is`;
  await deps.alerts.raise([
    monitorFaultAlert(alertContext(deps, nowMs), { what: "blind", says, sinceMs: nowMs }),
  ]);
}
