/** Alerts for people: their kinds, their owners, and the next step of each, so that it can be acted on at three in the morning. */

import { instantMs } from "../kernel/instant.ts";
import { HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import type { AlertChannel, AlertPolicy, OwnerPolicy, OwnerRole } from "./alerts.policy.ts";

/** The kinds of alerts; each has an owner role and a section of the runbook. */
export const ALERT_KINDS = [
  "attack",
  "volume",
  "new_destination",
  "spend",
  "outcomes",
  "delivery",
  "watch",
] as const;
export type AlertKind = (typeof ALERT_KINDS)[number];

/** One alert as its channels show it. */
export interface Alert {
  /** One per alert and phase; receivers may see it twice. */
  id: string;
  kind: AlertKind;
  /** The same for all phases of one incident or finding. */
  dedupKey: string;
  phase: "trigger" | "update" | "resolve";
  severity: "info" | "warning" | "critical";
  environment: string;
  /** The matter and its size, in one line. */
  title: string;
  atMs: number;
  sinceMs: number;
  /** Spent on messages since `sinceMs`; on unanswered ones in `unansweredMicros`; an hour at the present rate in `perHourMicros`. */
  spentMicros: number | null;
  unansweredMicros: number | null;
  perHourMicros: number | null;
  currency: string;
  facts: readonly { label: string; value: string }[];
  /** Actions of the monitor. */
  done: readonly string[];
  /** The next step for the owner; its section of the runbook is in `runbook`. */
  next: string;
  runbook: string;
  owner: string;
}

/** The name of the alerts' queue among the dead letters. */
export const ALERTS_QUEUE = "alerts";

/** An alert and the channels of its owner. */
export interface AddressedAlert {
  alert: Alert;
  channels: readonly AlertChannel[];
}

/** An alert on its way to one channel. Each channel has a message of its own, so that a dead one never repeats another. */
export interface AlertMessage {
  alert: Alert;
  channel: AlertChannel;
}

/**
 * The alerts that were sent lately, by their key: the same matter is not sent twice within `repeat_minutes`. `channels` are all
 * that heard of it.
 */
export type AlertMemory = Readonly<
  Record<string, { atMs: number; severity: string; channels?: readonly AlertChannel[] | undefined }>
>;

/**
 * The alerts of one hour (since 1970): how many were sent, how many of these repeated an earlier one, and how many the hourly
 * limit held back.
 */
export interface HourlyAlertCount {
  hour: number;
  sent: number;
  repeated?: number | undefined;
  heldBack: number;
}

/** The settings and the time that every alert is made with. */
export interface AlertContext {
  environment: string;
  currency: string;
  policy: AlertPolicy;
  /** The dashboard's address without a slash at its end; without it alerts name commands only. */
  dashboardUrl?: string | undefined;
  nowMs: number;
}

interface KindRules {
  role: OwnerRole;
  /** Section of the runbook. */
  section: string;
  /** The page of the dashboard where the step is a button. */
  page: string;
  next: (command: string) => string;
}

/** The owner role of each kind of alert, and that person's first step. */
export const ALERT_RUNBOOK: Readonly<Record<AlertKind, KindRules>> = {
  attack: {
    role: "anomaly_response",
    section: "stop-in-5-minutes",
    page: "/switch",
    next: (ops) =>
      `Look: ${ops} status. If money still runs out, stop all sends: ${ops} posture set shutdown --for 1h --why "attack".`,
  },
  volume: {
    role: "trigger_policy",
    section: "logs-in-30-minutes",
    page: "/destinations",
    next: (ops) =>
      `Ask whether a campaign runs. If not, look where it goes (${ops} ranges) and slow down: ${ops} throttle 10% --why "volume".`,
  },
  new_destination: {
    role: "trigger_policy",
    section: "logs-in-30-minutes",
    page: "/destinations",
    next: (ops) =>
      `Do you have customers there? If not, shut the range: ${ops} block <range> --for 24h --why "no customers there".`,
  },
  spend: {
    role: "trigger_policy",
    section: "stop-in-5-minutes",
    page: "/switch",
    next: (ops) =>
      `Look what it was spent on: ${ops} status. Honest: raise the cap or the plan. Not: ${ops} posture set emergency --for 1h --why "spend".`,
  },
  outcomes: {
    role: "trigger_policy",
    section: "logs-in-30-minutes",
    page: "/",
    next: (ops) =>
      `Check that your backend still reports outcomes; then look who verifies and goes nowhere: ${ops} status.`,
  },
  delivery: {
    role: "provider_escalation",
    section: "who-owns-what",
    page: "/providers",
    next: (ops) =>
      `Check the provider's status page, then open a case with it; where it fails: ${ops} status.`,
  },
  watch: {
    role: "anomaly_response",
    section: "stop-in-5-minutes",
    page: "/",
    next: (ops) =>
      `The watch may be blind; budgets and caps still hold. Look by hand: ${ops} status; then at the Worker's logs.`,
  },
};

/**
 * The owner of a kind of alert: a temporary owner within its dates goes before the permanent one, the first listed before the
 * next. A role without an owner, which the configuration does not allow, has no channel.
 */
export function alertOwner(kind: AlertKind, policy: AlertPolicy, nowMs: number): OwnerPolicy {
  const { role } = ALERT_RUNBOOK[kind];
  const candidates = policy.owners.filter((owner) => owner.role === role);
  const isPermanent = ({ from, until }: OwnerPolicy) => from === undefined && until === undefined;
  return (
    candidates.find((owner) => !isPermanent(owner) && isWithin(owner, nowMs)) ??
    candidates.find(isPermanent) ?? { role, name: "nobody", channels: [] }
  );
}

function isWithin({ from, until }: OwnerPolicy, nowMs: number): boolean {
  return (
    (from === undefined || instantMs(from) <= nowMs) && (until === undefined || nowMs < instantMs(until))
  );
}

/** The fields that differ from alert to alert; the others follow from its kind and the context. */
export type AlertDraft = Pick<
  Alert,
  "kind" | "dedupKey" | "phase" | "severity" | "title" | "sinceMs" | "spentMicros" | "facts" | "done"
> &
  Partial<Pick<Alert, "id" | "unansweredMicros" | "perHourMicros" | "next">> & {
    section?: string;
    page?: string;
  };

/** Completes an alert with its owner, its next step and its place in the runbook. */
export function completeAlert(
  context: AlertContext,
  { section, page, ...draft }: AlertDraft,
): AddressedAlert {
  const { environment, currency, policy, dashboardUrl, nowMs } = context;
  const owner = alertOwner(draft.kind, policy, nowMs);
  const rules = ALERT_RUNBOOK[draft.kind];
  return {
    alert: {
      id: `${draft.dedupKey}:${draft.phase}:${nowMs}`,
      unansweredMicros: null,
      perHourMicros: null,
      ...draft,
      next: [
        draft.next ?? rules.next(commandFor(environment)),
        ...(dashboardUrl === undefined ? [] : [`By a button: ${dashboardUrl}${page ?? rules.page}`]),
      ].join(" "),
      environment,
      currency,
      atMs: nowMs,
      runbook: `${policy.runbook_url.replace(/#.*$/, "")}#${section ?? rules.section}`,
      owner: owner.name,
    },
    channels: owner.channels,
  };
}

/** The operators' command for an environment; the local service needs no name. */
const commandFor = (environment: string): string =>
  environment === "development" ? "npm run ops --" : `npm run ops -- --env ${environment}`;

/** A key that fits PagerDuty's 255 characters and an HTTP header, and does not mix environments. */
export function dedupKey(environment: string, ...parts: readonly string[]): string {
  return ["tollgate", environment, ...parts]
    .join(":")
    .replace(/[^\w:+*-]+/g, "_")
    .slice(0, 200);
}

/** The dedup key of an incident's alerts. */
export const incidentKey = (environment: string, id: string): string => dedupKey(environment, "attack", id);

/** The id of the incident that an alert is about; null for an alert about a finding alone. */
export function incidentOfAlert({
  environment,
  dedupKey: key,
}: Pick<Alert, "environment" | "dedupKey">): string | null {
  const own = `${dedupKey(environment, "attack")}:`;
  if (!key.startsWith(own)) return null;
  const id = key.slice(own.length);
  return id.includes(":") ? null : id;
}

/** Spend per hour, in micros, of an amount spent in a stretch of time. A stretch counts as a minute at least. */
export function microsPerHour(micros: number, elapsedMs: number): number {
  return Math.round((micros * HOUR_MS) / Math.max(MINUTE_MS, elapsedMs));
}
