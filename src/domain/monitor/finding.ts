/** Findings of the monitor, each with its evidence. Detectors make them; postures, bans and alerts follow from them. */

export const FINDING_KINDS = [
  "conversion_low",
  "conversion_collapse",
  "turned_away",
  "volume_high",
  "new_destination",
  "many_numbers",
  "dense_numbers",
  "spend_over_plan",
  "spend_without_outcomes",
  "delivery_failing",
  "provider_fraud",
  "watch_late",
  "keys_overdue",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** `notice` only notifies people; `elevated` and `emergency` ask for that posture. */
export const SEVERITIES = ["notice", "elevated", "emergency"] as const;
export type Severity = (typeof SEVERITIES)[number];

/** One finding: a subject, how grave it is, and the figures that show it. */
export interface Finding {
  kind: FindingKind;
  /** As `<dimension> <subject>`, see tally.ts. */
  subject: string;
  severity: Severity;
  /** In one sentence, for people, with figures and without names. */
  says: string;
  evidence: Readonly<Record<string, string | number | null>>;
  /** True where its subject should be banned for a while. */
  block: boolean;
}

/** True for a finding that asks for a posture because of unanswered messages. */
export const isConversionAlarm = ({ kind, severity }: Finding): boolean =>
  severity !== "notice" && (kind === "conversion_low" || kind === "conversion_collapse");
