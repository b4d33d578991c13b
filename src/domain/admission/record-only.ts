/** Rules in record-only mode: which are, and what each of them alone would have changed. */

import type { FlowPolicy } from "./flows.policy.ts";
import type { RiskPolicy } from "./risk.policy.ts";
import {
  RISK_RULES,
  type RiskRule,
  type StopKind,
  type UncountedRule,
  type VerdictAction,
  type VerdictReason,
} from "./risk.ts";

export const isRecordOnly = (
  rule: RiskRule,
  { record_all, record_only }: Pick<RiskPolicy, "record_all" | "record_only">,
): boolean => record_all || record_only.includes(rule);

/** Rules in record-only mode; `flow` null for the general setting, which holds in every flow without rules of its own. */
export function recordOnlyRules({
  risk,
  flows,
}: {
  risk: RiskPolicy;
  flows: FlowPolicy;
}): { rule: RiskRule; flow: string | null }[] {
  const settings = [
    { flow: null, risk },
    ...Object.entries(flows).map(([flow, own]) => ({ flow, risk: own.risk })),
  ];
  return settings.flatMap(({ flow, risk }) =>
    RISK_RULES.filter((rule) => risk && isRecordOnly(rule, risk)).map((rule) => ({ rule, flow })),
  );
}

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
