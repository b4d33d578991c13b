export type VerdictAction = "allow" | "challenge" | "step_up" | "deny" | "decoy";

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

/** One named reason with what it was seen in. */
export interface VerdictReason {
  rule: RiskRule;
  evidence: Readonly<Record<string, string | number | boolean | null>>;
  /** false for a rule in record-only mode. */
  counted: boolean;
}

/** How a rule stops a request. A decoy is a denial that does not show. */
export type StopKind = "challenge" | "step_up" | "deny";

/** A rule in record-only mode that a request met. */
export interface UncountedRule {
  rule: RiskRule;
  /**
   * How the request would have been stopped with this rule counted besides those that count; null where it would have gone
   * as it went, or been let through.
   */
  would: StopKind | null;
}
