/** What the watch can find, each with its evidence. Detectors make findings; postures, blocks and alerts follow from them. */

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
  "watch_late",
  "keys_overdue",
] as const;
export type FindingKind = (typeof FINDING_KINDS)[number];

/** `notice` tells people; `elevated` and `emergency` ask for that posture. */
export const SEVERITIES = ["notice", "elevated", "emergency"] as const;
export type Severity = (typeof SEVERITIES)[number];

export interface Finding {
  kind: FindingKind;
  /** As `<dimension> <subject>`, see tally.ts. */
  subject: string;
  severity: Severity;
  /** In one sentence, for people, with figures and without names. */
  says: string;
  evidence: Readonly<Record<string, string | number | null>>;
  /** Its destination or source is worth shutting for a while. */
  block: boolean;
}

/** Whether it says that messages went unanswered. */
export const isAboutConversion = ({ kind, severity }: Finding): boolean =>
  severity !== "notice" && (kind === "conversion_low" || kind === "conversion_collapse");
