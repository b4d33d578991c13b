/**
 * What rules in record-only mode meet and would have stopped, by rule and flow. It is counted in a dimension of its own,
 * and only where such a rule was met: every message of it is an ordinary one in all others.
 */
import type { RiskRule, UncountedRule } from "../admission/risk.ts";
import type { CounterEntry, Counts, Metric } from "./tally.ts";

/** `hosting_network/signup`. */
const subjectOf = (rule: RiskRule, flow: string): string => `${rule}/${flow}`;

const add = (subject: string, metric: Metric, amount = 1): CounterEntry => ({
  dimension: "rule",
  subject,
  metric,
  how: { add: amount },
});

/** A request that came to its verdict; one that a limit or a cap stops at the very last is not among them. */
export const countRulesMet = (uncounted: readonly UncountedRule[], flow: string): CounterEntry[] =>
  uncounted.flatMap(({ rule, would }) => {
    const subject = subjectOf(rule, flow);
    return [add(subject, "met"), ...(would === null ? [] : [add(subject, `would:${would}`)])];
  });

/** The subjects that hear of a message which leaves: the rules that would have stopped it. */
export const rulesThatStopped = (uncounted: readonly UncountedRule[], flow: string): string[] =>
  uncounted.filter(({ would }) => would !== null).map(({ rule }) => subjectOf(rule, flow));

/** A message that left although these would have stopped it. @param stoppers see {@link rulesThatStopped} */
export const countRulesLeft = (stoppers: readonly string[], costMicros: number): CounterEntry[] =>
  stoppers.flatMap((subject) => [add(subject, "sent"), add(subject, "micros", costMicros)]);

/** Its code came back. */
export const countRulesLeftVerified = (stoppers: readonly string[]): CounterEntry[] =>
  stoppers.map((subject) => add(subject, "verified"));

/** What one rule did in one flow. */
export interface RuleCounts {
  /** Requests that met it. */
  met: number;
  /** Of them those it would have stopped, by how. */
  wouldChallenge: number;
  wouldStepUp: number;
  wouldDeny: number;
  /** Messages that left although it would have stopped them. */
  left: number;
  /** Of those: people it would have bothered. */
  leftVerified: number;
  /** What the others cost, at the mean price of those that left. */
  unansweredMicros: number;
}

export function ruleCounts(counts: Counts): RuleCounts {
  const { met = 0, sent: left = 0, micros = 0 } = counts;
  const leftVerified = Math.min(left, counts.verified ?? 0);
  return {
    met,
    wouldChallenge: counts["would:challenge"] ?? 0,
    wouldStepUp: counts["would:step_up"] ?? 0,
    wouldDeny: counts["would:deny"] ?? 0,
    left,
    leftVerified,
    unansweredMicros: left === 0 ? 0 : Math.round((micros * (left - leftVerified)) / left),
  };
}

/** Numbers as the reader writes them. */
interface Wording {
  count(value: number): string;
  money(micros: number): string;
}

/** What it would have done, in a sentence: what it would have saved, and whom it would have bothered. */
export function ruleInWords(
  { met, wouldChallenge, wouldStepUp, wouldDeny, left, leftVerified, unansweredMicros }: RuleCounts,
  { count, money }: Wording,
): string {
  if (met === 0) return "Met nothing.";
  if (wouldChallenge + wouldStepUp + wouldDeny === 0) return "Would have stopped nothing that it met.";
  if (left === 0) return "Would have stopped no message that left.";
  const cost = money(unansweredMicros);
  if (left === 1) {
    return leftVerified === 1
      ? "Would have stopped 1 message, verified by the person who asked."
      : `Would have stopped 1 message, which nobody verified; it cost ${cost}.`;
  }
  const messages = `Would have stopped ${count(left)} messages`;
  if (leftVerified === 0) return `${messages}, of which none was verified; they cost ${cost}.`;
  if (leftVerified === left) return `${messages}, all verified by the people who asked.`;
  const [were, who] = leftVerified === 1 ? ["was", "person"] : ["were", "people"];
  const verified = `${count(leftVerified)} ${were} verified by the ${who} who asked`;
  return `${messages}, of which ${verified}; the other ${count(left - leftVerified)} cost ${cost}.`;
}
