/**
 * The alerts of one run of the monitor. One matter is one alert: an incident by its id, from its opening to its end; a finding
 * that only notifies people by its kind and subject. The same matter is not sent twice within `repeat_minutes` unless it
 * changed, and no more than `max_per_hour` alerts are sent; the opening, worsening and end of an incident always are.
 */
import { HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import {
  type AddressedAlert,
  type Alert,
  type AlertDraft,
  type AlertMemory,
  completeAlert,
  dedupKey,
  type HourlyAlertCount,
} from "./alert.ts";
import { ALERT_KIND_OF_FINDING, type AlertingRun, incidentDraft, noticeDraft } from "./alert-drafts.ts";
import { SEVERITIES, type Severity } from "./finding.ts";
import type { Incident } from "./incident.ts";

/** The alerts of a run, and the memory for the next one. */
export interface AlertingResult {
  alerts: AddressedAlert[];
  told: AlertMemory;
  hour: HourlyAlertCount;
}

/** News of an incident wait until this long after its last alert. */
const NEWS_MINUTES = 10;

/** Held-back alerts that are remembered one by one; beyond them only their number is kept. */
const MOST_REMEMBERED = 500;

/** An alert that is due now. */
interface Candidate {
  /** The key under which it is remembered as sent. */
  key: string;
  severity: Severity;
  /** It is sent whatever the hourly limit says. */
  always: boolean;
  draft: AlertDraft;
  /** Further keys that count as sent with it. */
  covers: readonly string[];
}

/**
 * The alerts of a run, and the memory of them. Alerts for which the hour has no room are counted once, mentioned in the next
 * alert that is sent, and sent as soon as there is room if their matter still lasts.
 */
export function alertsFor(run: AlertingRun): AlertingResult {
  const { policy, nowMs } = run;
  const told = remembered(run);
  const hour = hourOf(run);
  const minute = { ...run, told: { ...told } };
  const alerts: AddressedAlert[] = [];
  for (const { key, severity, always, draft, covers } of [
    ...incidentCandidates(minute),
    ...noticeCandidates(minute),
  ]) {
    const heldKey = heldKeyOf(key);
    if (always || hour.sent < policy.max_per_hour) {
      const facts = hour.heldBack > 0 ? [...draft.facts, heldBackFact(hour.heldBack)] : draft.facts;
      alerts.push(completeAlert(minute, { ...draft, facts }));
      hour.sent += 1;
      hour.heldBack = 0;
      delete told[heldKey];
      for (const each of [key, ...covers]) told[each] = { atMs: nowMs, severity };
      if (draft.phase === "resolve") {
        for (const each of Object.keys(told)) if (belongsTo(each, key)) delete told[each];
      }
    } else if (told[heldKey] === undefined) {
      hour.heldBack += 1;
      if (Object.keys(told).length < MOST_REMEMBERED) told[heldKey] = { atMs: nowMs, severity };
    }
  }
  return { alerts, told, hour };
}

const heldKeyOf = (key: string) => `held:${key}`;

const heldBackFact = (count: number) => ({
  label: "Held back",
  value: `${count} other alert${count === 1 ? "" : "s"}, by the hourly limit`,
});

const incidentKey = (environment: string, { id }: Incident) => dedupKey(environment, "attack", id);

/** Earlier alerts that still count: those of the open incident, and those younger than `repeat_minutes`. */
function remembered({ environment, before, after, told, policy, nowMs }: AlertingRun) {
  const open = [before, after].filter((incident) => incident !== null);
  const keys = open.map((incident) => incidentKey(environment, incident));
  const counts = (key: string, atMs: number) =>
    keys.some((own) => belongsTo(key, own)) || nowMs - atMs < policy.repeat_minutes * MINUTE_MS;
  return Object.fromEntries(Object.entries(told).filter(([key, { atMs }]) => counts(key, atMs)));
}

/** True for an alert's own key, and for the keys it covers. */
const belongsTo = (key: string, own: string) =>
  key === own || key === heldKeyOf(own) || key.startsWith(`${own}:`);

function hourOf({ hour, nowMs }: AlertingRun): HourlyAlertCount {
  const now = Math.floor(nowMs / HOUR_MS);
  return hour.hour === now ? { ...hour } : { hour: now, sent: 0, heldBack: hour.heldBack };
}

function incidentCandidates(minute: AlertingRun): Candidate[] {
  const { before, after, nowMs, policy, told, environment } = minute;
  const isOpen = (incident: Incident | null) => incident !== null && incident.closedAtMs === null;
  const candidates: Candidate[] = [];
  const candidate = (incident: Incident, phase: Alert["phase"], always: boolean): Candidate => {
    const key = incidentKey(environment, incident);
    return {
      key,
      severity: incident.severity,
      always,
      draft: incidentDraft(minute, incident, key, phase),
      covers: incident.findings.map(({ kind }) => `${key}:${kind}`),
    };
  };
  if (before && isOpen(before)) {
    if (after?.id !== before.id) candidates.push(candidate(before, "resolve", true));
    else if (!isOpen(after)) candidates.push(candidate(after, "resolve", true));
  }
  if (after === null || !isOpen(after)) return candidates;
  const key = incidentKey(environment, after);
  const last = told[key];
  if (last === undefined) return [...candidates, candidate(after, "trigger", true)];
  const worse = SEVERITIES.indexOf(after.severity) > SEVERITIES.indexOf(last.severity as Severity);
  const waitMinutes = hasNews(minute, after, key, last.atMs) ? NEWS_MINUTES : policy.repeat_minutes;
  if (worse || nowMs - last.atMs >= waitMinutes * MINUTE_MS) {
    candidates.push(candidate(after, "update", worse));
  }
  return candidates;
}

function hasNews(
  { told, posture, blocks }: AlertingRun,
  { findings, timeline }: Incident,
  key: string,
  toldAtMs: number,
): boolean {
  const found = findings.some(({ kind }) => told[`${key}:${kind}`] === undefined);
  const done = posture !== null || blocks.length > 0 || timeline.some(({ atMs }) => atMs > toldAtMs);
  return found || done;
}

/** Alerts about findings that only notify people, and about all findings without an open incident. */
function noticeCandidates(minute: AlertingRun): Candidate[] {
  const { after, findings, told, environment } = minute;
  const noIncident = after === null || after.closedAtMs !== null;
  const seen = new Set<string>();
  return findings
    .filter(({ severity }) => severity === "notice" || noIncident)
    .map((finding) => ({
      finding,
      key: dedupKey(environment, ALERT_KIND_OF_FINDING[finding.kind], finding.kind, finding.subject),
    }))
    .filter(({ key }) => told[key] === undefined && !seen.has(key) && seen.add(key))
    .map(({ finding, key }) => ({
      key,
      severity: finding.severity,
      always: false,
      draft: noticeDraft(minute, finding, key),
      covers: [],
    }));
}
