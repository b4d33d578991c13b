/** The decision on a request. A `decoy` is a denial that looks like a send. */
export type VerdictAction = "allow" | "challenge" | "step_up" | "deny" | "decoy";

/** The rules by which a request can be stopped, in the order of the verdict. */
export const RISK_RULES = [
  "blocked_source",
  "listed_source",
  "tor",
  "hosting_network",
  "country_mismatch",
  "many_numbers",
  "posture",
  "blocked",
  "challenged",
  "unknown_range",
  "challenge_policy",
  "exposure",
  "failed_attempts",
  "number_insight",
] as const;

export type RiskRule = (typeof RISK_RULES)[number];

/** One rule that the request met, with its evidence. */
export interface VerdictReason {
  rule: RiskRule;
  evidence: Readonly<Record<string, string | number | boolean | null>>;
  /** false for a rule in record-only mode. */
  counted: boolean;
}

/** The ways in which a rule stops a request. A decoy counts as a denial. */
export type StoppingAction = "challenge" | "step_up" | "deny";

/** A rule in record-only mode that a request met. */
export interface RecordOnlyHit {
  rule: RiskRule;
  /**
   * The way the request would have been stopped with this rule counted besides those that count; null where that would have
   * changed nothing, or let it through.
   */
  would: StoppingAction | null;
}

/** A verdict in the few words that the ledger keeps. */
export interface VerdictSummary {
  action: string;
  /** Names of the reasons that counted, separated by spaces; a used-up budget also names its level. */
  reasons: string;
}

/** Summarises a verdict for the ledger. */
export function summariseVerdict({
  action,
  reasons,
}: {
  action: VerdictAction;
  reasons: readonly VerdictReason[];
}): VerdictSummary {
  const names = reasons
    .filter(({ counted }) => counted)
    .map(({ rule, evidence }) => (rule === "exposure" ? `exposure:${levelName(evidence.level)}` : rule));
  return { action, reasons: [...new Set(names)].join(" ").slice(0, 300) };
}

/** The level's name out of its key: `stranger:block:+9198765` is `block`. */
function levelName(level: unknown): string {
  return String(level).split(":")[1] ?? "";
}
