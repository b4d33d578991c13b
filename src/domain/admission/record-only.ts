/** Rules in record-only mode: which are, and what each of them alone would have changed. */
import type { RiskPolicy, RiskRule, VerdictAction, VerdictReason } from "./verdict.ts";

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

export const isRecordOnly = (
  rule: RiskRule,
  { record_all, record_only }: Pick<RiskPolicy, "record_all" | "record_only">,
): boolean => record_all || record_only.includes(rule);

/**
 * The rules that were met and did not count. A rule that a judgement did not come to cannot change it, so these are all that
 * could, and where there is none nothing is judged again.
 *
 * @param actionWith the judgement with this rule counted besides those that count
 */
export function findUncountedRules(
  ruled: { action: VerdictAction; reasons: readonly VerdictReason[] },
  actionWith: (rule: RiskRule) => VerdictAction,
): UncountedRule[] {
  const met = new Set(ruled.reasons.filter(({ counted }) => !counted).map(({ rule }) => rule));
  return [...met].map((rule) => ({ rule, would: insteadOf(ruled.action, actionWith(rule)) }));
}

/** The same after a later rule that counts has stopped the request: who would have been stopped alike lost nothing. */
export const withoutStoppedAnyway = (
  uncounted: readonly UncountedRule[],
  action: VerdictAction,
): UncountedRule[] =>
  uncounted.map(({ rule, would }) => ({ rule, would: would === stopKindOf(action) ? null : would }));

/** How an action stops a request; null where it does not. */
export function stopKindOf(action: VerdictAction): StopKind | null {
  if (action === "allow") return null;
  return action === "decoy" ? "deny" : action;
}

const insteadOf = (went: VerdictAction, would: VerdictAction): StopKind | null =>
  would === went ? null : stopKindOf(would);
