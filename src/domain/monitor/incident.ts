/** An incident: a suspected attack from its first sign to its end, with its findings, its timeline and its cost. */

import { type Posture, postureRank } from "../kernel/posture.ts";
import { MINUTE_MS, minuteOf } from "../kernel/time.ts";
import type { BanChanges } from "./ban.ts";
import { type AnswerCurve, dueShare } from "./cohorts.ts";
import { type Finding, SEVERITIES, type Severity } from "./finding.ts";
import type { MonitorPolicy } from "./monitor.policy.ts";
import type { MinuteTally } from "./tally.ts";
import { OVERALL_TALLY_KEY } from "./tally.ts";

/** One line of an incident's timeline. */
interface IncidentEntry {
  atMs: number;
  /** `cron` for the monitor, or the operator's name. */
  by: string;
  what: string;
}

/** The messages and the money of an incident. */
export interface IncidentSums {
  sent: number;
  verified: number;
  spentMicros: number;
  /** Spent on unanswered messages. A young message counts by the share that could have been answered by now. */
  unansweredMicros: number;
  refused: number;
}

/** A suspected attack, open until `closedAtMs` is set. */
export interface Incident extends IncidentSums {
  id: string;
  /** Its first sign: the time since which the messages that opened it had been leaving. */
  openedAtMs: number;
  lastSeenAtMs: number;
  closedAtMs: number | null;
  severity: Severity;
  /** The highest posture during it. */
  posture: Posture;
  /** The strongest finding of each kind and subject so far. */
  findings: readonly Finding[];
  /** The earliest first; bounded. */
  timeline: readonly IncidentEntry[];
}

/** One run of the monitor: its time, what it found, and what it changed. */
export interface MonitorRun {
  nowMs: number;
  findings: readonly Finding[];
  /** The posture after this run and before it. */
  posture: { now: Posture; before: Posture; by: string; why: string };
  blocks: BanChanges;
  minutes: readonly MinuteTally[];
  curve: AnswerCurve;
}

/** The incident's part of the monitor's memory. */
export interface IncidentMemory {
  /** The open incident; after the run that closed it, the closed one. */
  incident: Incident | null;
  /** The last minute (since 1970) that is counted and gets no more answers. */
  countedTo: number;
  /** The sums of all minutes up to and with that one. */
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
 * The incident after this run. It opens on the first finding that asks for a posture, or when an operator calls an emergency
 * or a shutdown; it closes when the posture is normal again and nothing asked for one for `clear_after_minutes`.
 *
 * Its sums are of all messages since its first sign. Minutes that may still get answers are counted anew in every run on top of
 * the settled ones, so that the figures are right now and stay right later. When the monitor missed runs, or the window is
 * shorter than eleven minutes, the minutes that left the window are missing.
 *
 * @param newId makes the id of an incident that opens
 */
export function nextIncident(
  state: IncidentMemory,
  minute: MonitorRun,
  policy: MonitorPolicy,
  newId: () => string,
): IncidentMemory {
  const { findings, posture, nowMs } = minute;
  const asking = findings.filter(({ severity }) => severity !== "notice");
  const byHand = posture.by !== "cron" && postureRank(posture.now) >= postureRank("emergency");
  const open = state.incident?.closedAtMs === null ? state.incident : null;
  if (open === null && asking.length === 0 && !byHand) return { ...state, incident: null };

  const sinceMs = Math.min(nowMs, ...asking.map(firstSignOf));
  const before: Incident = open ?? {
    id: newId(),
    openedAtMs: sinceMs,
    lastSeenAtMs: nowMs,
    closedAtMs: null,
    severity: byHand ? "emergency" : "elevated",
    posture: posture.now,
    findings: [],
    timeline: [],
    ...NO_INCIDENT_SUMS,
  };
  const counted = countMessages(
    open ? state : { countedTo: minuteOf(sinceMs) - 1, settled: NO_INCIDENT_SUMS },
    minute,
  );
  const lastSeenAtMs = asking.length > 0 || byHand ? nowMs : before.lastSeenAtMs;
  const over = posture.now === "normal" && nowMs - lastSeenAtMs >= policy.clear_after_minutes * MINUTE_MS;
  const incident: Incident = {
    ...before,
    ...counted.sums,
    lastSeenAtMs,
    closedAtMs: over ? nowMs : null,
    severity: strongest([before.severity, ...asking.map(({ severity }) => severity)]),
    posture: postureRank(posture.now) > postureRank(before.posture) ? posture.now : before.posture,
    findings: mergeFindings(before.findings, findings),
    timeline: extendTimeline(
      before.timeline,
      entriesOf(before, minute),
      over ? { atMs: nowMs, by: "cron", what: closingText(counted.sums) } : null,
    ),
  };
  return { incident, countedTo: counted.countedTo, settled: counted.settled };
}

/** The time (ms) since which the messages behind a finding had been leaving; infinity for one that does not say. */
const firstSignOf = ({ evidence }: Finding): number =>
  typeof evidence.since_ms === "number" ? evidence.since_ms : Number.POSITIVE_INFINITY;

/** Adds the minutes that were not counted yet, and tells which of them are final. */
function countMessages(
  { countedTo, settled }: Pick<IncidentMemory, "countedTo" | "settled">,
  { minutes, curve, nowMs }: MonitorRun,
): { sums: IncidentSums; settled: IncidentSums; countedTo: number } {
  const ripeTo = minuteOf(nowMs) - RIPE_AFTER_MINUTES;
  let [sums, ripe, upTo] = [settled, settled, countedTo];
  for (const { minute, tally } of minutes) {
    if (minute <= countedTo) continue;
    const { sent = 0, verified = 0, micros = 0, refused = 0 } = tally.get(OVERALL_TALLY_KEY) ?? {};
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

/** The timeline's new entries: findings that are new or worse, the posture's change, and the bans'. */
function entriesOf(
  before: Incident,
  { findings, posture, blocks, nowMs: atMs }: MonitorRun,
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

const minutesUntil = (untilMs: number, nowMs: number): number => Math.round((untilMs - nowMs) / MINUTE_MS);

const closingText = ({ sent, verified }: IncidentSums): string =>
  `over: nothing asked for a posture any more; ${sent} sent and ${verified} verified since its first sign`;

/** The last place is kept for the incident's end, however full the timeline is. */
function extendTimeline(
  timeline: readonly IncidentEntry[],
  entries: readonly IncidentEntry[],
  end: IncidentEntry | null,
): readonly IncidentEntry[] {
  const all = [...timeline, ...entries];
  const room = end === null && all.length < TIMELINE_ENTRIES ? all.length : TIMELINE_ENTRIES - 1;
  return [...all.slice(0, room), ...(end === null ? [] : [end])];
}

const keyOf = ({ kind, subject }: Finding): string => `${kind} ${subject}`;

const strongest = (severities: readonly Severity[]): Severity =>
  severities.reduce((a, b) => (SEVERITIES.indexOf(b) > SEVERITIES.indexOf(a) ? b : a));

/** The strongest finding of each kind and subject, as it was first found; at most fifty of them. */
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
