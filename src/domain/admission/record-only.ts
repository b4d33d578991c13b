/** Rules in record-only mode: which are, and what each of them alone would have changed. */
import type { Action, Reason, RiskPolicy, Rule } from "./verdict.ts";

/** How a rule stops a request. A decoy is a denial that does not show. */
export type Stop = "challenge" | "step_up" | "deny";

/** A rule in record-only mode that a request met. */
export interface Uncounted {
  rule: Rule;
  /**
   * How the request would have been stopped with this rule counted besides those that count; null where it would have gone
   * as it went, or been let through.
   */
  would: Stop | null;
}

export const isRecordOnly = (
  rule: Rule,
  { record_all, record_only }: Pick<RiskPolicy, "record_all" | "record_only">,
): boolean => record_all || record_only.includes(rule);

/**
 * The rules that were met and did not count. A rule that a judgement did not come to cannot change it, so these are all that
 * could, and where there is none nothing is judged again.
 *
 * @param actionWith the judgement with this rule counted besides those that count
 */
export function uncountedIn(
  ruled: { action: Action; reasons: readonly Reason[] },
  actionWith: (rule: Rule) => Action,
): Uncounted[] {
  const met = new Set(ruled.reasons.filter(({ counted }) => !counted).map(({ rule }) => rule));
  return [...met].map((rule) => ({ rule, would: insteadOf(ruled.action, actionWith(rule)) }));
}

/** The same after a later rule that counts has stopped the request: who would have been stopped alike lost nothing. */
export const stoppedAnyway = (uncounted: readonly Uncounted[], action: Action): Uncounted[] =>
  uncounted.map(({ rule, would }) => ({ rule, would: would === stopOf(action) ? null : would }));

/** How an action stops a request; null where it does not. */
export function stopOf(action: Action): Stop | null {
  if (action === "allow") return null;
  return action === "decoy" ? "deny" : action;
}

const insteadOf = (went: Action, would: Action): Stop | null => (would === went ? null : stopOf(would));
