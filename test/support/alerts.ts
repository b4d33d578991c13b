import type { Alert, AlertContext } from "../../src/domain/monitor/alert.ts";
import type { AlertPolicy } from "../../src/domain/monitor/alerts.policy.ts";
import type { Finding } from "../../src/domain/monitor/finding.ts";
import type { Incident } from "../../src/domain/monitor/incident.ts";

/** 16 July 2026, 02:14 UTC. */
export const NOW = Date.UTC(2026, 6, 16, 2, 14);
export const MINUTE = 60_000;

export const alertPolicy = (changes: Partial<AlertPolicy> = {}): AlertPolicy => ({
  owners: [
    { role: "trigger_policy", name: "Growth", channels: ["slack"] },
    { role: "anomaly_response", name: "On call", channels: ["slack", "pagerduty", "webhook"] },
    { role: "provider_escalation", name: "Messaging", channels: ["webhook"] },
  ],
  repeat_minutes: 60,
  max_per_hour: 20,
  runbook_url: "https://example.com/tollgate#runbook",
  ...changes,
});

export const alertContext = (changes: Partial<AlertContext> = {}): AlertContext => ({
  environment: "production",
  currency: "USD",
  policy: alertPolicy(),
  nowMs: NOW,
  ...changes,
});

export const finding = (changes: Partial<Finding> = {}): Finding => ({
  kind: "conversion_collapse",
  subject: "prefix +23480",
  severity: "elevated",
  says: "3 of 42 messages were answered where 70 % usually are",
  evidence: { sent: 42, verified: 3, spent_micros: 2_520_000, network: null },
  block: true,
  ...changes,
});

export const incident = (changes: Partial<Incident> = {}): Incident => ({
  id: "inc-1",
  openedAtMs: NOW - 9 * MINUTE,
  lastSeenAtMs: NOW,
  closedAtMs: null,
  severity: "elevated",
  posture: "elevated",
  findings: [finding()],
  timeline: [],
  sent: 1430,
  verified: 12,
  spentMicros: 85_800_000,
  unansweredMicros: 85_080_000,
  refused: 310,
  ...changes,
});

/** An alert as a channel gets it, with text that nobody should trust. */
export const alert = (changes: Partial<Alert> = {}): Alert => ({
  id: "tollgate:production:attack:inc-1:trigger:1784168040000",
  kind: "attack",
  dedupKey: "tollgate:production:attack:inc-1",
  phase: "trigger",
  severity: "critical",
  environment: "production",
  title: "1,430 sent, 12 verified, $85.08 on messages nobody answered in 9 min: suspected attack, emergency",
  atMs: NOW,
  sinceMs: NOW - 9 * MINUTE,
  spentMicros: 85_800_000,
  unansweredMicros: 85_080_000,
  perHourMicros: 572_000_000,
  currency: "USD",
  facts: [{ label: "conversion collapse", value: "3 of 42 <answered> & <!channel> *none*" }],
  done: ["posture normal to emergency: 1430 sent, 12 verified", "shut range +23480 for 1 h: nobody answers"],
  next: "Look: npm run ops -- --env production status",
  runbook: "https://example.com/tollgate#stop-in-5-minutes",
  owner: "On call",
  ...changes,
});
