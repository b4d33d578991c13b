/** Rules in record-only mode, which have no effect: they report what each of them alone would have changed. */

import type { FlowPolicy } from "./flows.policy.ts";
import type { RiskPolicy } from "./risk.policy.ts";
import {
  type RecordOnlyHit,
  RISK_RULES,
  type RiskRule,
  type StoppingAction,
  type VerdictAction,
  type VerdictReason,
} from "./risk.ts";

/** True for a rule that is reported and has no effect. */
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
 * The rules that a request met and that did not count. A rule that was not met cannot change the judgement, so without any
 * nothing needs to be judged again.
 *
 * @param actionWith the action with this rule counted besides those that count
 */
export function findRecordOnlyHits(
  ruled: { action: VerdictAction; reasons: readonly VerdictReason[] },
  actionWith: (rule: RiskRule) => VerdictAction,
): RecordOnlyHit[] {
  const met = new Set(ruled.reasons.filter(({ counted }) => !counted).map(({ rule }) => rule));
  return [...met].map((rule) => ({ rule, would: insteadOf(ruled.action, actionWith(rule)) }));
}

/** The uncounted rules after a later rule has stopped the request: those that would have stopped it alike change nothing. */
export const withoutStoppedAnyway = (
  uncounted: readonly RecordOnlyHit[],
  action: VerdictAction,
): RecordOnlyHit[] =>
  uncounted.map(({ rule, would }) => ({ rule, would: would === stoppingActionOf(action) ? null : would }));

/** The kind of stop that an action is; null for `allow`. */
export function stoppingActionOf(action: VerdictAction): StoppingAction | null {
  if (action === "allow") return null;
  return action === "decoy" ? "deny" : action;
}

const insteadOf = (went: VerdictAction, would: VerdictAction): StoppingAction | null =>
  would === went ? null : stoppingActionOf(would);
