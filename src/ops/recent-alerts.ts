/** Alerts of the last hour, sorted by subject: money, or authentication. */
import type { Finding, FindingKind, Severity } from "../domain/monitor/finding.ts";
import type { MonitorMemory } from "../domain/monitor/monitor-memory.ts";

export interface RecentAlert {
  says: string;
  severity: Severity;
  /** The time it was first found or raised; null where it is not known. */
  atMs: number | null;
}

const BILLING: ReadonlySet<FindingKind> = new Set([
  "spend_over_plan",
  "spend_without_outcomes",
  "delivery_failing",
]);

/** Kinds of findings in words, for alerts of which only the key is left. */
const IN_WORDS: Readonly<Record<FindingKind, string>> = {
  conversion_low: "Few messages are answered",
  conversion_collapse: "A destination stopped answering",
  turned_away: "Many requests met a used-up budget",
  volume_high: "More messages than usual",
  new_destination: "A destination nobody sent to before",
  many_numbers: "Many numbers from one source",
  dense_numbers: "Many numbers close together",
  spend_over_plan: "Spending runs over the plan",
  spend_without_outcomes: "Money is spent and nothing comes of it",
  delivery_failing: "A provider does not deliver",
  provider_fraud: "A provider stopped messages as fraud",
  watch_late: "The watch ran late",
  keys_overdue: "Keys are due to be rotated",
};

/**
 * Findings of the open incident, and single matters that were raised within the hour.
 *
 * @param memory of the monitor; null before its first run
 */
export function recentAlerts(memory: MonitorMemory | null): {
  billing: RecentAlert[];
  authentication: RecentAlert[];
} {
  const all = [
    ...(memory?.incident?.closedAtMs === null ? memory.incident.findings.map(ofFinding) : []),
    ...Object.entries(memory?.told ?? {}).flatMap(ofKey),
  ];
  const latest = new Map(all.toReversed().map((each) => [`${each.kind} ${each.subject}`, each]));
  const sorted = [...latest.values()].toSorted((a, b) => (b.alert.atMs ?? 0) - (a.alert.atMs ?? 0));
  const pick = (billing: boolean) =>
    sorted.filter(({ kind }) => BILLING.has(kind) === billing).map(({ alert }) => alert);
  return { billing: pick(true), authentication: pick(false) };
}

interface Sorted {
  kind: FindingKind;
  subject: string;
  alert: RecentAlert;
}

function ofFinding({ kind, subject, severity, says, evidence }: Finding): Sorted {
  const { since_ms } = evidence;
  return { kind, subject, alert: { says, severity, atMs: typeof since_ms === "number" ? since_ms : null } };
}

/** `tollgate:<environment>:<alert kind>:<finding kind>:<subject>`; an incident's own keys name no finding there. */
function ofKey([key, { atMs, severity }]: [string, { atMs: number; severity: string }]): Sorted[] {
  const [, , , kind = "", ...rest] = key.split(":");
  if (!isKind(kind) || key.startsWith("held:")) return [];
  const subject = rest.join(":").replace("_", " ");
  const where = subject === "overall all" || subject === "" ? "" : `: ${subject}`;
  const known: Severity = severity === "emergency" || severity === "elevated" ? severity : "notice";
  return [{ kind, subject, alert: { says: `${IN_WORDS[kind]}${where}`, severity: known, atMs } }];
}

const isKind = (text: string): text is FindingKind => text in IN_WORDS;
