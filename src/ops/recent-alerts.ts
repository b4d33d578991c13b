/** What the watch has told people within the hour, sorted by what it is about: money, or who gets in. */
import type { Finding, FindingKind, Severity } from "../domain/monitor/finding.ts";
import type { MonitorMemory } from "../domain/monitor/monitor-memory.ts";

export interface RecentAlert {
  says: string;
  severity: Severity;
  /** When it was first found or told; null while the watch does not say. */
  atMs: number | null;
}

const BILLING: ReadonlySet<FindingKind> = new Set([
  "spend_over_plan",
  "spend_without_outcomes",
  "delivery_failing",
]);

/** Kinds that can be told, in words, where only the key of a matter is left. */
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
 * Findings of the open incident, and single matters that were told within the hour.
 *
 * @param memory what the watch left
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
  const sorted = [...latest.values()].toSorted((a, b) => (b.told.atMs ?? 0) - (a.told.atMs ?? 0));
  const pick = (billing: boolean) =>
    sorted.filter(({ kind }) => BILLING.has(kind) === billing).map(({ told }) => told);
  return { billing: pick(true), authentication: pick(false) };
}

interface Sorted {
  kind: FindingKind;
  subject: string;
  told: RecentAlert;
}

function ofFinding({ kind, subject, severity, says, evidence }: Finding): Sorted {
  const { since_ms } = evidence;
  return { kind, subject, told: { says, severity, atMs: typeof since_ms === "number" ? since_ms : null } };
}

/** `tollgate:<environment>:<alert kind>:<finding kind>:<subject>`; an incident's own keys name no finding there. */
function ofKey([key, { atMs, severity }]: [string, { atMs: number; severity: string }]): Sorted[] {
  const [, , , kind = "", ...rest] = key.split(":");
  if (!isKind(kind) || key.startsWith("held:")) return [];
  const subject = rest.join(":").replace("_", " ");
  const where = subject === "overall all" || subject === "" ? "" : `: ${subject}`;
  const known: Severity = severity === "emergency" || severity === "elevated" ? severity : "notice";
  return [{ kind, subject, told: { says: `${IN_WORDS[kind]}${where}`, severity: known, atMs } }];
}

const isKind = (text: string): text is FindingKind => text in IN_WORDS;
