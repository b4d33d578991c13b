/** What people are told, who it is for, and how it is worded so that it can be acted on at three in the morning. */

import { instantMs } from "../kernel/instant.ts";
import { HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import type { AlertChannel, AlertPolicy, OwnerPolicy, OwnerRole } from "./alerts.policy.ts";

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

export interface Alert {
  /** One per alert and phase; receivers may see it twice. */
  id: string;
  kind: AlertKind;
  /** The same for all phases of one matter. */
  dedupKey: string;
  phase: "trigger" | "update" | "resolve";
  severity: "info" | "warning" | "critical";
  environment: string;
  /** What and how much, in one line. */
  title: string;
  atMs: number;
  sinceMs: number;
  /** Spent on messages since then, and per hour at the present rate; of it on messages nobody answered. */
  spentMicros: number | null;
  unansweredMicros: number | null;
  perHourMicros: number | null;
  currency: string;
  facts: readonly { label: string; value: string }[];
  /** What was done without anybody. */
  done: readonly string[];
  /** What to do next, and the runbook's section for it. */
  next: string;
  runbook: string;
  owner: string;
}

/** The name under which alerts that could not be delivered lie among the dead letters. */
export const ALERTS_QUEUE = "alerts";

/** An alert and where its owner wants it. */
export interface AddressedAlert {
  alert: Alert;
  channels: readonly AlertChannel[];
}

/** An alert on its way to one channel: each channel has its own way, so that a dead one never repeats another. */
export interface AlertMessage {
  alert: Alert;
  channel: AlertChannel;
}

/** The alerts that were sent lately, by their key: the same matter is not sent twice within `repeat_minutes`. */
export type AlertMemory = Readonly<Record<string, { atMs: number; severity: string }>>;

/** The alerts of one hour (since 1970): how many were sent, and how many the hourly limit held back. */
export interface AlertHour {
  hour: number;
  sent: number;
  heldBack: number;
}

/** What every alert needs to know of the place it comes from. */
export interface AlertContext {
  environment: string;
  currency: string;
  policy: AlertPolicy;
  nowMs: number;
}

interface KindRules {
  role: OwnerRole;
  /** Section of the runbook. */
  section: string;
  next: (command: string) => string;
}

/** Who answers for a kind of alert, and what that person does first. */
export const KIND_RULES: Readonly<Record<AlertKind, KindRules>> = {
  attack: {
    role: "anomaly_response",
    section: "stop-in-5-minutes",
    next: (ops) =>
      `Look: ${ops} status. If money still runs out, stop all sends: ${ops} posture set shutdown --for 1h --why "attack".`,
  },
  volume: {
    role: "trigger_policy",
    section: "logs-in-30-minutes",
    next: (ops) =>
      `Ask whether a campaign runs. If not, look where it goes (${ops} ranges) and slow down: ${ops} throttle 10% --why "volume".`,
  },
  new_destination: {
    role: "trigger_policy",
    section: "logs-in-30-minutes",
    next: (ops) =>
      `Do you have customers there? If not, shut the range: ${ops} block <range> --for 24h --why "no customers there".`,
  },
  spend: {
    role: "trigger_policy",
    section: "stop-in-5-minutes",
    next: (ops) =>
      `Look what it was spent on: ${ops} status. Honest: raise the cap or the plan. Not: ${ops} posture set emergency --for 1h --why "spend".`,
  },
  outcomes: {
    role: "trigger_policy",
    section: "logs-in-30-minutes",
    next: (ops) =>
      `Check that your backend still reports outcomes; then look who verifies and goes nowhere: ${ops} status.`,
  },
  delivery: {
    role: "provider_escalation",
    section: "who-owns-what",
    next: (ops) =>
      `Check the provider's status page, then open a case with it; where it fails: ${ops} status.`,
  },
  watch: {
    role: "anomaly_response",
    section: "stop-in-5-minutes",
    next: (ops) =>
      `The watch may be blind; budgets and caps still hold. Look by hand: ${ops} status; then at the Worker's logs.`,
  },
};

/**
 * Who is told of a kind of alert: a temporary owner within its dates goes before the permanent one, the first listed before
 * the next. A role nobody owns, which the configuration does not let through, is told to no channel.
 */
export function ownerOf(kind: AlertKind, policy: AlertPolicy, nowMs: number): OwnerPolicy {
  const { role } = KIND_RULES[kind];
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

/** What differs from alert to alert; the rest follows from its kind and the context. */
export type AlertDraft = Pick<
  Alert,
  "kind" | "dedupKey" | "phase" | "severity" | "title" | "sinceMs" | "spentMicros" | "facts" | "done"
> &
  Partial<Pick<Alert, "id" | "unansweredMicros" | "perHourMicros" | "next">> & { section?: string };

/** Gives an alert its owner, its next step and its place in the runbook. */
export function address(context: AlertContext, { section, ...draft }: AlertDraft): AddressedAlert {
  const { environment, currency, policy, nowMs } = context;
  const owner = ownerOf(draft.kind, policy, nowMs);
  const rules = KIND_RULES[draft.kind];
  return {
    alert: {
      id: `${draft.dedupKey}:${draft.phase}:${nowMs}`,
      unansweredMicros: null,
      perHourMicros: null,
      next: rules.next(commandFor(environment)),
      ...draft,
      environment,
      currency,
      atMs: nowMs,
      runbook: `${policy.runbook_url.replace(/#.*$/, "")}#${section ?? rules.section}`,
      owner: owner.name,
    },
    channels: owner.channels,
  };
}

/** The local service is the one that is found without a name. */
const commandFor = (environment: string): string =>
  environment === "development" ? "npm run ops --" : `npm run ops -- --env ${environment}`;

/** A key that fits PagerDuty's 255 characters and an HTTP header, and does not mix environments. */
export function dedupKey(environment: string, ...parts: readonly string[]): string {
  return ["tollgate", environment, ...parts]
    .join(":")
    .replace(/[^\w:+*-]+/g, "_")
    .slice(0, 200);
}

/** Micros per hour of what was spent in a stretch of time, which counts as a minute at least. */
export function perHour(micros: number, elapsedMs: number): number {
  return Math.round((micros * HOUR_MS) / Math.max(MINUTE_MS, elapsedMs));
}
