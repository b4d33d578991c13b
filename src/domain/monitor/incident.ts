/** One matter from its first sign to its end: what was found, what was done, by whom, and what it cost. */

import { POSTURES, type Posture } from "../kernel/posture.ts";
import type { BanChanges } from "./ban.ts";
import { type AnswerCurve, dueShare } from "./cohorts.ts";
import { type Finding, SEVERITIES, type Severity } from "./finding.ts";
import { OVERALL } from "./history.ts";
import type { MonitorPolicy } from "./monitor.policy.ts";
import type { MinuteTally } from "./tally.ts";

export interface IncidentEntry {
  atMs: number;
  /** `cron`, or who did it. */
  by: string;
  what: string;
}

export interface IncidentSums {
  sent: number;
  verified: number;
  spentMicros: number;
  /** Spent on messages nobody answered: what leaked. A young message counts as far as it could have been answered. */
  unansweredMicros: number;
  refused: number;
}

export interface Incident extends IncidentSums {
  id: string;
  /** Its first sign: since when the messages that opened it had been leaving. */
  openedAtMs: number;
  lastSeenAtMs: number;
  closedAtMs: number | null;
  severity: Severity;
  /** The highest it came to. */
  posture: Posture;
  /** The strongest of each finding so far. */
  findings: readonly Finding[];
  /** First come; bounded. */
  timeline: readonly IncidentEntry[];
}

/** What this minute's run saw and did. */
export interface MonitorMinute {
  findings: readonly Finding[];
  /** In force after this run, and before it. */
  posture: { now: Posture; before: Posture; by: string; why: string };
  blocks: BanChanges;
  minutes: readonly MinuteTally[];
  curve: AnswerCurve;
}

/** The open incident and its sums over minutes that get no more answers, up to and with `countedTo`. */
export interface IncidentState {
  incident: Incident | null;
  countedTo: number;
  settled: IncidentSums;
}

export const NO_INCIDENT_SUMS: IncidentSums = {
  sent: 0,
  verified: 0,
  spentMicros: 0,
  unansweredMicros: 0,
  refused: 0,
};

const TIMELINE_ENTRIES = 200;
const FINDINGS = 50;

/** Sessions live for ten minutes; after one more all answers are booked. */
const RIPE_AFTER_MINUTES = 11;

/**
 * Opens an incident on the first finding that asks for a posture, or when an operator calls an emergency or a shutdown;
 * follows it, and closes it when the posture is normal again and nothing asked for one for `clear_after_minutes`.
 *
 * Sums are of all messages since its first sign. Minutes that may still get answers are counted anew in every run on top of
 * the settled ones, so that the figures are right now and stay right later. When the watch was away, or the window is
 * shorter than eleven minutes, the minutes that went out of sight are missing.
 */
export function nextIncident(
  state: IncidentState,
  seen: MonitorMinute,
  policy: MonitorPolicy,
  nowMs: number,
  newId: () => string,
): IncidentState {
  const asking = seen.findings.filter(({ severity }) => severity !== "notice");
  const byHand =
    seen.posture.by !== "cron" && POSTURES.indexOf(seen.posture.now) >= POSTURES.indexOf("emergency");
  const open = state.incident?.closedAtMs === null ? state.incident : null;
  if (open === null && asking.length === 0 && !byHand) return { ...state, incident: null };

  const sinceMs = Math.min(nowMs, ...asking.map(firstSignOf));
  const before: Incident = open ?? {
    id: newId(),
    openedAtMs: sinceMs,
    lastSeenAtMs: nowMs,
    closedAtMs: null,
    severity: byHand ? "emergency" : "elevated",
    posture: seen.posture.now,
    findings: [],
    timeline: [],
    ...NO_INCIDENT_SUMS,
  };
  const counted = count(
    open ? state : { countedTo: Math.floor(sinceMs / 60_000) - 1, settled: NO_INCIDENT_SUMS },
    seen.minutes,
    seen.curve,
    nowMs,
  );
  const lastSeenAtMs = asking.length > 0 || byHand ? nowMs : before.lastSeenAtMs;
  const over = seen.posture.now === "normal" && nowMs - lastSeenAtMs >= policy.clear_after_minutes * 60_000;
  const entries = entriesOf(before, seen, nowMs);
  const incident: Incident = {
    ...before,
    ...counted.sums,
    lastSeenAtMs,
    closedAtMs: over ? nowMs : null,
    severity: strongest([before.severity, ...asking.map(({ severity }) => severity)]),
    posture:
      POSTURES.indexOf(seen.posture.now) > POSTURES.indexOf(before.posture)
        ? seen.posture.now
        : before.posture,
    findings: mergeFindings(before.findings, seen.findings),
    timeline: extend(
      before.timeline,
      over ? [...entries, { atMs: nowMs, by: "cron", what: closing(counted.sums) }] : entries,
      over,
    ),
  };
  return { incident, countedTo: counted.countedTo, settled: counted.settled };
}

/** Since when (ms) the messages behind a finding had been leaving; never, for one that does not say. */
const firstSignOf = ({ evidence }: Finding): number =>
  typeof evidence.since_ms === "number" ? evidence.since_ms : Number.POSITIVE_INFINITY;

function count(
  { countedTo, settled }: Pick<IncidentState, "countedTo" | "settled">,
  minutes: readonly MinuteTally[],
  curve: AnswerCurve,
  nowMs: number,
): { sums: IncidentSums; settled: IncidentSums; countedTo: number } {
  const ripeTo = Math.floor(nowMs / 60_000) - RIPE_AFTER_MINUTES;
  let [sums, ripe, upTo] = [settled, settled, countedTo];
  for (const { minute, tally } of minutes) {
    if (minute <= countedTo) continue;
    const { sent = 0, verified = 0, micros = 0, refused = 0 } = tally.get(OVERALL) ?? {};
    const unanswered = Math.max(0, sent * dueShare(minute, nowMs, curve) - verified);
    sums = {
      sent: sums.sent + sent,
      verified: sums.verified + verified,
      spentMicros: sums.spentMicros + micros,
      unansweredMicros: sums.unansweredMicros + (sent > 0 ? Math.round((micros * unanswered) / sent) : 0),
      refused: sums.refused + refused,
    };
    if (minute <= ripeTo) [ripe, upTo] = [sums, minute];
  }
  return { sums, settled: ripe, countedTo: upTo };
}

function entriesOf(
  before: Incident,
  { findings, posture, blocks }: MonitorMinute,
  atMs: number,
): IncidentEntry[] {
  const known = new Map(before.findings.map((finding) => [keyOf(finding), finding.severity]));
  const cron = (what: string): IncidentEntry => ({ atMs, by: "cron", what });
  return [
    ...findings
      .filter((finding) => {
        const severity = known.get(keyOf(finding));
        return severity === undefined || SEVERITIES.indexOf(finding.severity) > SEVERITIES.indexOf(severity);
      })
      .map(({ severity, says }) => cron(`${severity}: ${says}`)),
    ...(posture.now === posture.before
      ? []
      : [{ atMs, by: posture.by, what: `posture ${posture.before} -> ${posture.now}: ${posture.why}` }]),
    ...blocks.blocked.map(({ kind, subject, untilMs, why }) =>
      cron(`shut ${kind} ${subject} for ${minutesUntil(untilMs, atMs)} min: ${why}`),
    ),
    ...blocks.extended.map(({ kind, subject, untilMs }) =>
      cron(`${kind} ${subject} stays shut for ${minutesUntil(untilMs, atMs)} min more`),
    ),
    ...blocks.lifted.map(({ block: { kind, subject }, why }) => cron(`opened ${kind} ${subject}: ${why}`)),
  ];
}

const minutesUntil = (untilMs: number, nowMs: number): number => Math.round((untilMs - nowMs) / 60_000);

const closing = ({ sent, verified }: IncidentSums): string =>
  `over: nothing asked for a posture any more; ${sent} sent and ${verified} verified since its first sign`;

/** Keeps the last place for the end, whatever happened before. */
function extend(
  timeline: readonly IncidentEntry[],
  entries: readonly IncidentEntry[],
  closed: boolean,
): readonly IncidentEntry[] {
  const all = [...timeline, ...entries];
  if (all.length < TIMELINE_ENTRIES) return all;
  return [...all.slice(0, TIMELINE_ENTRIES - 1), ...(closed ? all.slice(-1) : [])];
}

const keyOf = ({ kind, subject }: Finding): string => `${kind} ${subject}`;

const strongest = (severities: readonly Severity[]): Severity =>
  severities.reduce((a, b) => (SEVERITIES.indexOf(b) > SEVERITIES.indexOf(a) ? b : a));

/** Of each kind and subject the strongest, as it was first found; the strongest fifty. */
function mergeFindings(before: readonly Finding[], now: readonly Finding[]): Finding[] {
  const merged = new Map<string, Finding>();
  for (const finding of [...before, ...now]) {
    const known = merged.get(keyOf(finding));
    if (!known || SEVERITIES.indexOf(finding.severity) > SEVERITIES.indexOf(known.severity)) {
      merged.set(keyOf(finding), finding);
    }
  }
  return [...merged.values()]
    .sort((a, b) => SEVERITIES.indexOf(b.severity) - SEVERITIES.indexOf(a.severity))
    .slice(0, FINDINGS);
}
