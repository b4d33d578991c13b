/**
 * Which alerts a minute of the watch calls for. One matter is one alert: an incident by its id, from its opening over its
 * turns to its end; a finding that only tells people by its kind and subject. Nobody hears of the same thing twice within
 * `repeat_minutes` unless it changed, and of no more than `max_per_hour` things; what opens, worsens or ends an incident
 * always goes.
 */
import { HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import {
  type AddressedAlert,
  type Alert,
  type AlertDraft,
  type AlertHour,
  type AlertMemory,
  address,
  dedupKey,
} from "./alert.ts";
import { incidentDraft, KIND_OF_FINDING, type MonitoredMinute, noticeDraft } from "./alert-drafts.ts";
import { SEVERITIES, type Severity } from "./finding.ts";
import type { Incident } from "./incident.ts";

export interface AlertingResult {
  alerts: AddressedAlert[];
  told: AlertMemory;
  hour: AlertHour;
}

/** What happened since an incident was last told of is worth another word this long after it. */
const NEWS_MINUTES = 10;

/** Held-back matters that are remembered one by one; beyond them only their count is kept. */
const MOST_TOLD = 500;

/** A matter that wants to be told now. */
interface Candidate {
  /** Under which it is remembered as told. */
  key: string;
  severity: Severity;
  /** Goes whatever the hour's limit says. */
  always: boolean;
  draft: AlertDraft;
  /** What else counts as told with it. */
  covers: readonly string[];
}

/**
 * The alerts a minute calls for, and the memory of them. Matters the hour has no room for are counted once, named in the
 * next alert that goes, and told as soon as there is room if they still last.
 */
export function alertsFor(watched: MonitoredMinute): AlertingResult {
  const { policy, nowMs } = watched;
  const told = remembered(watched);
  const hour = hourOf(watched);
  const minute = { ...watched, told: { ...told } };
  const alerts: AddressedAlert[] = [];
  for (const { key, severity, always, draft, covers } of [
    ...incidentCandidates(minute),
    ...noticeCandidates(minute),
  ]) {
    const heldKey = heldKeyOf(key);
    if (always || hour.sent < policy.max_per_hour) {
      const facts = hour.heldBack > 0 ? [...draft.facts, heldBackFact(hour.heldBack)] : draft.facts;
      alerts.push(address(minute, { ...draft, facts }));
      hour.sent += 1;
      hour.heldBack = 0;
      delete told[heldKey];
      for (const each of [key, ...covers]) told[each] = { atMs: nowMs, severity };
      if (draft.phase === "resolve") {
        for (const each of Object.keys(told)) if (belongsTo(each, key)) delete told[each];
      }
    } else if (told[heldKey] === undefined) {
      hour.heldBack += 1;
      if (Object.keys(told).length < MOST_TOLD) told[heldKey] = { atMs: nowMs, severity };
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

/** What was told and still counts: matters of the open incident, and whatever is younger than its repetition. */
function remembered({ environment, before, after, told, policy, nowMs }: MonitoredMinute) {
  const open = [before, after].filter((incident) => incident !== null);
  const keys = open.map((incident) => incidentKey(environment, incident));
  const counts = (key: string, atMs: number) =>
    keys.some((own) => belongsTo(key, own)) || nowMs - atMs < policy.repeat_minutes * MINUTE_MS;
  return Object.fromEntries(Object.entries(told).filter(([key, { atMs }]) => counts(key, atMs)));
}

/** True for a matter's own key, and for those of what it covers. */
const belongsTo = (key: string, own: string) =>
  key === own || key === heldKeyOf(own) || key.startsWith(`${own}:`);

function hourOf({ hour, nowMs }: MonitoredMinute): AlertHour {
  const now = Math.floor(nowMs / HOUR_MS);
  return hour.hour === now ? { ...hour } : { hour: now, sent: 0, heldBack: hour.heldBack };
}

function incidentCandidates(minute: MonitoredMinute): Candidate[] {
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
  { told, posture, blocks }: MonitoredMinute,
  { findings, timeline }: Incident,
  key: string,
  toldAtMs: number,
): boolean {
  const found = findings.some(({ kind }) => told[`${key}:${kind}`] === undefined);
  const done = posture !== null || blocks.length > 0 || timeline.some(({ atMs }) => atMs > toldAtMs);
  return found || done;
}

/** Findings that only tell people, and any that no open incident speaks for. */
function noticeCandidates(minute: MonitoredMinute): Candidate[] {
  const { after, findings, told, environment } = minute;
  const noIncident = after === null || after.closedAtMs !== null;
  const seen = new Set<string>();
  return findings
    .filter(({ severity }) => severity === "notice" || noIncident)
    .map((finding) => ({
      finding,
      key: dedupKey(environment, KIND_OF_FINDING[finding.kind], finding.kind, finding.subject),
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
