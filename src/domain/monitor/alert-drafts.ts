/** The texts of alerts about incidents and findings, with the figures first. */

import { dateTimeText, dayOf, durationText } from "../kernel/instant.ts";
import type { Posture } from "../kernel/posture.ts";
import { countText, moneyText, spacedName } from "../kernel/text.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import {
  type Alert,
  type AlertContext,
  type AlertDraft,
  type AlertKind,
  type AlertMemory,
  type HourlyAlertCount,
  microsPerHour,
} from "./alert.ts";
import type { Ban } from "./ban.ts";
import { banText } from "./ban.ts";
import { type Finding, type FindingKind, SEVERITIES } from "./finding.ts";
import type { Incident } from "./incident.ts";

/** One run of the monitor, as far as alerts are made of it. */
export interface AlertingRun extends AlertContext {
  /** The open incident as the last run left it, and as this one leaves it; an incident that closed is still in `after`. */
  before: Incident | null;
  after: Incident | null;
  findings: readonly Finding[];
  /** The monitor's own change; null for none. */
  posture: { from: Posture; to: Posture; why: string } | null;
  /** The bans of this run. */
  blocks: readonly Ban[];
  /** The length of the window, and all spend in it. */
  window: { minutes: number; spentMicros: number };
  told: AlertMemory;
  hour: HourlyAlertCount;
}

/** As many findings, actions and pieces of evidence as a reader can take in at a glance. */
const MOST_LINES = 6;

/** The kind of alert that each finding leads to. */
export const ALERT_KIND_OF_FINDING: Readonly<Record<FindingKind, AlertKind>> = {
  conversion_low: "attack",
  conversion_collapse: "attack",
  turned_away: "attack",
  many_numbers: "attack",
  dense_numbers: "attack",
  volume_high: "volume",
  new_destination: "new_destination",
  spend_over_plan: "spend",
  spend_without_outcomes: "outcomes",
  delivery_failing: "delivery",
  provider_fraud: "attack",
  watch_late: "watch",
  keys_overdue: "watch",
};

/** The alert about an incident at one of its phases. */
export function incidentDraft(
  minute: AlertingRun,
  incident: Incident,
  key: string,
  phase: Alert["phase"],
): AlertDraft {
  const { currency, nowMs } = minute;
  const { openedAtMs, sent, verified, refused, spentMicros, unansweredMicros } = incident;
  const took = durationText((incident.closedAtMs ?? nowMs) - openedAtMs);
  const state = {
    trigger: `suspected attack, ${incident.severity}`,
    update: `attack goes on, ${incident.severity}`,
    resolve: "attack over",
  }[phase];
  return {
    kind: "attack",
    // A beginning and an end come once, even when the run that raised them is repeated.
    ...(phase !== "update" && { id: `${key}:${phase}` }),
    dedupKey: key,
    phase,
    severity: incident.severity === "emergency" ? "critical" : "warning",
    title: `${countText(sent)} sent, ${countText(verified)} verified, ${moneyText(unansweredMicros, currency)} on messages nobody answered in ${took}: ${state}`,
    sinceMs: openedAtMs,
    spentMicros,
    unansweredMicros,
    perHourMicros: ratePerHour(minute, incident),
    facts: [
      ...incident.findings
        .slice(0, MOST_LINES)
        .map(({ kind, says }) => ({ label: spacedName(kind), value: says })),
      { label: "Refused", value: countText(refused) },
      { label: "Highest posture", value: incident.posture },
    ],
    done: acts(minute, incident),
    page: `/incidents/${incident.id}`,
    ...(phase === "resolve" && {
      next: "Save the logs, ask the provider for the money back, and read what must hold before anything is opened again.",
      section: "before-re-enabling",
    }),
  };
}

/** The cost of an hour at the present rate: that of the window, or of the incident where it is younger. */
function ratePerHour({ window, nowMs }: AlertingRun, { openedAtMs, spentMicros }: Incident): number {
  const windowMs = window.minutes * MINUTE_MS;
  return nowMs - openedAtMs < windowMs
    ? microsPerHour(spentMicros, nowMs - openedAtMs)
    : microsPerHour(window.spentMicros, windowMs);
}

/** The actions of this run, then earlier ones, the latest first. */
function acts({ posture, blocks, nowMs }: AlertingRun, { timeline }: Incident): string[] {
  const now = [
    ...(posture === null ? [] : [`posture ${posture.from} to ${posture.to}: ${posture.why}`]),
    ...blocks.map(banText),
  ];
  const earlier = timeline
    .filter(({ by, atMs, what }) => by === "cron" && atMs < nowMs && !isFound(what))
    .map(({ atMs, what }) => `${dateTimeText(atMs)}: ${what}`)
    .reverse();
  const all = [...now, ...earlier];
  return all.length <= MOST_LINES
    ? all
    : [...all.slice(0, MOST_LINES), `and ${all.length - MOST_LINES} more: see the incident`];
}

/** True for a timeline entry about a finding, which begins with its severity. */
const isFound = (what: string) => SEVERITIES.some((severity) => what.startsWith(`${severity}: `));

/** The alert about a single finding. */
export function noticeDraft(minute: AlertingRun, finding: Finding, key: string): AlertDraft {
  const { window, nowMs, currency } = minute;
  const { since_ms, ...evidence } = finding.evidence;
  const facts = Object.entries(evidence)
    .filter(([, value]) => value !== null)
    .slice(0, MOST_LINES)
    .map(([name, value]) =>
      name.endsWith("_micros") && typeof value === "number"
        ? { label: spacedName(name.replace(/_micros$/, "")), value: moneyText(value, currency) }
        : {
            label: spacedName(name),
            value: typeof value === "number" ? countText(value) : String(value),
          },
    );
  const sinceMs = typeof since_ms === "number" ? since_ms : nowMs - window.minutes * MINUTE_MS;
  return {
    ...notice(minute, [finding], key),
    title: finding.says,
    sinceMs,
    facts: [{ label: "Where", value: finding.subject }, ...facts],
  };
}

/** The alert about many findings of one kind, the first of them by name. */
export function digestDraft(minute: AlertingRun, findings: readonly Finding[], key: string): AlertDraft {
  const named = findings.slice(0, MOST_LINES);
  const rest = findings.length - named.length;
  const [first] = findings;
  return {
    ...notice(minute, findings, key),
    title: `${countText(findings.length)} findings of ${spacedName(first?.kind ?? "")}; the first: ${first?.says ?? ""}`,
    sinceMs: minute.nowMs - minute.window.minutes * MINUTE_MS,
    facts: [
      ...named.map(({ subject, says }) => ({ label: subject, value: says })),
      ...(rest > 0 ? [{ label: "And", value: `${countText(rest)} more of the kind` }] : []),
    ],
  };
}

/** The parts that notices of one finding and of many have in common. */
function notice(
  { window, nowMs, blocks }: AlertingRun,
  findings: readonly Finding[],
  key: string,
): Omit<AlertDraft, "title" | "sinceMs" | "facts"> {
  const kind = ALERT_KIND_OF_FINDING[findings[0]?.kind ?? "volume_high"];
  const isCritical = findings.some(({ severity }) => severity === "emergency");
  return {
    kind,
    // Each day's notice has a key of its own: no event ends it, and it must not stay open for ever.
    dedupKey: `${key}:${dayOf(nowMs)}`,
    phase: "trigger",
    severity: isCritical
      ? "critical"
      : findings.every((finding) => isMinor(kind, finding))
        ? "info"
        : "warning",
    spentMicros: window.spentMicros,
    perHourMicros: microsPerHour(window.spentMicros, window.minutes * MINUTE_MS),
    done: blocks.map(banText).slice(0, MOST_LINES),
  };
}

/** True for a finding that can wait until the morning. */
const isMinor = (kind: AlertKind, { severity }: Finding) =>
  severity === "notice" && (kind === "volume" || kind === "new_destination");
