/** Answers of the operators' API: `snake_case`, RFC 3339, money in micros. */

import { MINUTE_MS } from "../../domain/kernel/time.ts";
import type { ListedBan } from "../../domain/monitor/effective-control.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import type { PostureControls } from "../../domain/monitor/posture.ts";
import type { Policy } from "../../domain/policy.ts";
import type { BanChanged } from "../../flows/operators/change-bans.ts";
import type { PostureChanged, ThrottleChanged } from "../../flows/operators/change-posture.ts";
import type { IncidentStory } from "../../flows/operators/views/read-incidents.ts";
import type { ServiceState, WindowState } from "../../flows/operators/views/read-state.ts";
import type { SubjectList, SubjectQuestion } from "../../flows/operators/views/read-subjects.ts";
import type { DeadLetter, OperatorAction } from "../../ports/records.ts";

export type StatusAnswer = ReturnType<typeof serviceStateToWire>;
export type BansAnswer = { blocks: ReturnType<typeof banToWire>[]; faults: readonly string[] };
export type RangesAnswer = ReturnType<typeof rangesToWire>;
export type IncidentAnswer = ReturnType<typeof incidentStoryToWire>;
export type IncidentsAnswer = { currency: string; incidents: ReturnType<typeof incidentToWire>[] };
export type ActionsAnswer = { actions: ReturnType<typeof actionToWire>[] };
export type DeadLettersAnswer = { letters: ReturnType<typeof deadLetterToWire>[] };

const time = (ms: number): string => new Date(ms).toISOString();
const timeOrNull = (ms: number | null): string | null => (ms === null ? null : time(ms));
const rounded = (value: number | null, places: number): number | null =>
  value === null ? null : Math.round(value * 10 ** places) / 10 ** places;

const documentToWire = (document: PostureControls | null) =>
  document && {
    posture: document.posture,
    since: time(document.since_ms),
    until: time(document.until_ms),
    by: document.by,
    who: document.who ?? null,
    why: document.why,
    caps_lifted: document.caps_lifted ?? false,
    max_per_minute: document.max_per_minute ?? null,
  };

export function serviceStateToWire(state: ServiceState, policy: Policy, environment: string) {
  const { posture, monitor, window, spend } = state;
  const { currency, caps, plan_day_micros } = policy.money;
  return {
    environment,
    now: time(state.nowMs),
    posture: posture && {
      posture: posture.posture,
      in_force: documentToWire(posture.deciding),
      operator: documentToWire(posture.operator),
      cron: documentToWire(posture.cron),
      blocks: posture.bans,
    },
    watch: monitor && {
      last_run: timeOrNull(monitor.lastRunMs),
      age_seconds: monitor.ageSeconds,
      late: monitor.late,
      last_failure: monitor.lastFailure,
      alerts_this_hour: { sent: monitor.alertsThisHour.sent, held_back: monitor.alertsThisHour.heldBack },
      incident: monitor.incident && incidentToWire(monitor.incident),
    },
    window: window && windowToWire(window, policy),
    spend: spend && {
      currency,
      hour_micros: spend.hourMicros,
      day_micros: spend.dayMicros,
      month_micros: spend.monthMicros,
      caps: {
        hour_micros: caps.hour_micros,
        day_micros: caps.day_micros,
        month_micros: caps.month_micros,
      },
      plan_day_micros,
    },
    currency,
    faults: state.faults,
  };
}

const windowToWire = (window: WindowState, { monitor }: Policy) => ({
  minutes: window.minutes,
  sent: window.sent,
  verified: window.verified,
  due: rounded(window.due, 1) ?? 0,
  ratio: rounded(window.ratio, 3),
  alarm_ratio: monitor.alarm_ratio,
  min_sends: monitor.min_sends,
  spend_micros: window.spentMicros,
  spend_per_hour_micros: window.perHourMicros,
  wrong_codes: window.wrongCodes,
  delivered: window.delivered,
  undelivered: window.undelivered,
  rejected: window.rejected,
  refused: window.refused,
  refused_by: window.refusedBy,
  challenged: window.challenged,
  passed: window.passed,
  turned_away: window.turnedAway,
  time_to_verify: {
    median_seconds: rounded(window.medianSeconds, 1),
    p95_seconds: rounded(window.p95Seconds, 1),
  },
  per_minute: window.perMinute.map(({ minute, sent, verified }) => ({
    at: time(minute * MINUTE_MS),
    sent,
    verified,
  })),
});

export const postureChangedToWire = ({ recorded, notes, document, replaced, cron }: PostureChanged) => ({
  recorded,
  notes,
  operator: documentToWire(document),
  replaced: documentToWire(replaced),
  cron: documentToWire(cron),
});

export const throttleChangedToWire = (throttled: ThrottleChanged) => ({
  ...postureChangedToWire(throttled),
  max_per_minute: throttled.maxPerMinute,
  normal: throttled.normal && {
    per_minute: rounded(throttled.normal.perMinute, 2) ?? 0,
    from: throttled.normal.from,
  },
});

export const banToWire = (block: Omit<ListedBan, "set" | "effective"> & Partial<ListedBan>) => ({
  kind: block.kind,
  subject: block.subject,
  since: time(block.sinceMs),
  until: time(block.untilMs),
  by: block.by,
  why: block.why,
  times: block.times,
  effect: block.effect,
  set_by: block.set ?? "operator",
  in_force: block.effective ?? block.effect !== "exempt",
});

export const banChangedToWire = ({ recorded, notes, ban: block, replaced }: BanChanged) => ({
  recorded,
  notes,
  block: block && banToWire(block),
  replaced: replaced && banToWire(replaced),
});

export const rangesToWire = (
  { rows, subjects, faults }: SubjectList,
  { by, span }: SubjectQuestion,
  currency: string,
) => ({
  by,
  ...span,
  currency,
  subjects,
  rows: rows.map((row) => ({
    subject: row.subject,
    sent: row.sent,
    verified: row.verified,
    ratio: rounded(row.ratio, 3),
    usual_ratio: rounded(row.usualRatio, 3),
    spend_micros: row.spentMicros,
    refused: row.refused,
    state: row.state,
    until: timeOrNull(row.untilMs),
  })),
  faults,
});

export const incidentToWire = (incident: Incident) => ({
  id: incident.id,
  opened: time(incident.openedAtMs),
  last_seen: time(incident.lastSeenAtMs),
  closed: timeOrNull(incident.closedAtMs),
  severity: incident.severity,
  posture: incident.posture,
  sent: incident.sent,
  verified: incident.verified,
  spend_micros: incident.spentMicros,
  unanswered_micros: incident.unansweredMicros,
  refused: incident.refused,
  findings: incident.findings.map(({ kind, subject, severity, says, evidence }) => ({
    kind,
    subject,
    severity,
    says,
    evidence,
  })),
  timeline: incident.timeline.map(({ atMs, by, what }) => ({ at: time(atMs), by, what })),
});

export const incidentStoryToWire = ({ incident, actions }: IncidentStory, currency: string) => ({
  ...incidentToWire(incident),
  currency,
  actions: actions === null ? null : actions.map(actionToWire),
});

export const actionToWire = ({ id, atMs, who, what, why, details }: OperatorAction) => ({
  id,
  at: time(atMs),
  who,
  what,
  why,
  details,
});

/** @param whole with its body, which is for those who may act on it */
export const deadLetterToWire = ({ id, atMs, queue, cause, body }: DeadLetter, whole: boolean) => ({
  id,
  at: time(atMs),
  queue,
  cause,
  ...(whole ? { body } : {}),
});
