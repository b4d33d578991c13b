/**
 * The alerts of one run of the monitor. One matter is one alert: an incident by its id, from its opening to its end; a finding
 * that only notifies people by its kind and subject, and many of a kind together. The same matter is not sent twice within
 * `repeat_minutes` unless it changed, and no more than `max_per_hour` alerts are sent; the opening, worsening and end of an
 * incident always are. What nobody heard of yet goes before what lasts, each kind in its turn, and repetitions take half of
 * the hour at most: a matter that lasts for days must not keep a new one from people.
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
  incidentKey,
} from "./alert.ts";
import {
  ALERT_KIND_OF_FINDING,
  type AlertingRun,
  digestDraft,
  incidentDraft,
  noticeDraft,
} from "./alert-drafts.ts";
import { type Finding, SEVERITIES, type Severity } from "./finding.ts";
import type { Incident } from "./incident.ts";

/** The alerts of a run, and the memory for the next one. */
export interface AlertingResult {
  alerts: AddressedAlert[];
  told: AlertMemory;
  hour: HourlyAlertCount;
}

/** News of an incident wait until this long after its last alert. */
const NEWS_MINUTES = 10;

/** More findings of one kind than this are one alert. */
const MOST_OF_A_KIND = 6;

/** Held-back alerts that are remembered one by one; beyond them only their number is kept. */
const MOST_REMEMBERED = 500;

/** An alert that is due now. */
interface Candidate {
  /** The key under which it is remembered as sent. */
  key: string;
  severity: Severity;
  /** It is sent whatever the hourly limit says. */
  always: boolean;
  /** It tells again what was told before and lasts. */
  repeats: boolean;
  /** It comes too soon after the last one of its key. */
  waits: boolean;
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
  const hasRoom = ({ always, repeats, waits }: Candidate) =>
    always ||
    (!waits &&
      hour.sent < policy.max_per_hour &&
      (!repeats || hour.repeated < Math.ceil(policy.max_per_hour / 2)));
  for (const candidate of [...incidentCandidates(minute), ...inTurn(noticeCandidates(minute))]) {
    const { key, severity, draft, covers, repeats } = candidate;
    const keys = covers.length > 0 ? covers : [key];
    if (hasRoom(candidate)) {
      const facts = hour.heldBack > 0 ? [...draft.facts, heldBackFact(hour.heldBack)] : draft.facts;
      const addressed = completeAlert(minute, { ...draft, facts });
      const heard = [...new Set([...(told[key]?.channels ?? []), ...addressed.channels])];
      // The end goes to all who heard the beginning, whoever owns it now.
      alerts.push(draft.phase === "resolve" ? { ...addressed, channels: heard } : addressed);
      hour.sent += 1;
      hour.repeated += repeats ? 1 : 0;
      hour.heldBack = 0;
      for (const each of keys) delete told[heldKeyOf(each)];
      for (const each of [key, ...covers]) {
        if (each === key || Object.keys(told).length < MOST_REMEMBERED || told[each] !== undefined) {
          told[each] = { atMs: nowMs, severity, channels: heard };
        }
      }
      if (draft.phase === "resolve") {
        for (const each of Object.keys(told)) if (belongsTo(each, key)) delete told[each];
      }
    } else {
      for (const each of keys.map(heldKeyOf).filter((held) => told[held] === undefined)) {
        hour.heldBack += 1;
        if (Object.keys(told).length < MOST_REMEMBERED) told[each] = { atMs: nowMs, severity };
      }
    }
  }
  return { alerts, told, hour };
}

/** What nobody heard of yet first; within that, the first of each kind, then the second of each, and so on. */
function inTurn(candidates: readonly Candidate[]): Candidate[] {
  const place = new Map<Candidate, number>();
  const ofKind = new Map<string, number>();
  for (const candidate of candidates) {
    const nth = ofKind.get(candidate.draft.kind) ?? 0;
    ofKind.set(candidate.draft.kind, nth + 1);
    place.set(candidate, nth);
  }
  return candidates.toSorted(
    (a, b) => Number(a.repeats) - Number(b.repeats) || (place.get(a) ?? 0) - (place.get(b) ?? 0),
  );
}

const heldKeyOf = (key: string) => `held:${key}`;

const heldBackFact = (count: number) => ({
  label: "Held back",
  value: `${count} other alert${count === 1 ? "" : "s"}, by the hourly limit`,
});

const noticeKey = (environment: string, { kind, subject }: Finding) =>
  dedupKey(environment, ALERT_KIND_OF_FINDING[kind], kind, subject);

/**
 * Earlier alerts that still count: those of the open incident, those of what is still found, and those younger than
 * `repeat_minutes`.
 */
function remembered({ environment, before, after, findings, told, policy, nowMs }: AlertingRun) {
  const open = [before, after].filter((incident) => incident !== null);
  const keys = open.map((incident) => incidentKey(environment, incident.id));
  const lasting = new Set(findings.map((finding) => noticeKey(environment, finding)));
  const counts = (key: string, atMs: number) =>
    lasting.has(key) ||
    keys.some((own) => belongsTo(key, own)) ||
    nowMs - atMs < policy.repeat_minutes * MINUTE_MS;
  return Object.fromEntries(Object.entries(told).filter(([key, { atMs }]) => counts(key, atMs)));
}

/** True for an alert's own key, and for the keys it covers. */
const belongsTo = (key: string, own: string) =>
  key === own || key === heldKeyOf(own) || key.startsWith(`${own}:`);

function hourOf({ hour, nowMs }: AlertingRun): HourlyAlertCount & { repeated: number } {
  const now = Math.floor(nowMs / HOUR_MS);
  return hour.hour === now
    ? { ...hour, repeated: hour.repeated ?? 0 }
    : { hour: now, sent: 0, repeated: 0, heldBack: hour.heldBack };
}

function incidentCandidates(minute: AlertingRun): Candidate[] {
  const { before, after, nowMs, policy, told, environment } = minute;
  const isOpen = (incident: Incident | null) => incident !== null && incident.closedAtMs === null;
  const candidates: Candidate[] = [];
  const candidate = (incident: Incident, phase: Alert["phase"], always: boolean): Candidate => {
    const key = incidentKey(environment, incident.id);
    return {
      key,
      severity: incident.severity,
      always,
      repeats: false,
      waits: false,
      draft: incidentDraft(minute, incident, key, phase),
      covers: incident.findings.map(({ kind }) => `${key}:${kind}`),
    };
  };
  if (before && isOpen(before)) {
    if (after?.id !== before.id) candidates.push(candidate(before, "resolve", true));
    else if (!isOpen(after)) candidates.push(candidate(after, "resolve", true));
  }
  if (after === null || !isOpen(after)) return candidates;
  const key = incidentKey(environment, after.id);
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
  const { after, findings, told, environment, policy, nowMs } = minute;
  const noIncident = after === null || after.closedAtMs !== null;
  const seen = new Set<string>();
  const isDue = (key: string) => nowMs - (told[key]?.atMs ?? 0) >= policy.repeat_minutes * MINUTE_MS;
  const due = findings
    .filter(({ severity }) => severity === "notice" || noIncident)
    .map((finding) => ({ finding, key: noticeKey(environment, finding) }))
    .filter(({ key }) => isDue(key) && !seen.has(key) && seen.add(key));
  const groups = Map.groupBy(due, ({ finding, key }) => `${told[key] !== undefined} ${finding.kind}`);
  return [...groups.values()].flatMap((group) =>
    group.length > MOST_OF_A_KIND
      ? [digest(minute, group)]
      : group.map(({ finding, key }) => ({
          key,
          severity: finding.severity,
          always: false,
          repeats: told[key] !== undefined,
          waits: false,
          draft: noticeDraft(minute, finding, key),
          covers: [],
        })),
  );
}

/** One alert about many findings of a kind. */
function digest(minute: AlertingRun, group: readonly { finding: Finding; key: string }[]): Candidate {
  const findings = group.map(({ finding }) => finding);
  const covers = group.map(({ key }) => key);
  const [first] = group;
  const kind = first?.finding.kind ?? "volume_high";
  const rank = ({ severity }: Finding) => SEVERITIES.indexOf(severity);
  const [worst] = findings.toSorted((a, b) => rank(b) - rank(a));
  const key = dedupKey(minute.environment, ALERT_KIND_OF_FINDING[kind], kind, "many");
  return {
    key,
    severity: worst?.severity ?? "notice",
    always: false,
    repeats: minute.told[covers[0] ?? ""] !== undefined,
    waits: minute.nowMs - (minute.told[key]?.atMs ?? 0) < NEWS_MINUTES * MINUTE_MS,
    draft: digestDraft(minute, findings, key),
    covers,
  };
}
