/**
 * Counts of rules in record-only mode: the requests they met, and those they would have stopped, by rule and flow. They have a
 * dimension of their own; in all other dimensions the messages count like any other.
 */
import type { RecordOnlyHit, RiskRule } from "../admission/risk.ts";
import type { CounterEntry, Counts, Metric } from "./tally.ts";

/** `hosting_network/signup`. */
const subjectOf = (rule: RiskRule, flow: string): string => `${rule}/${flow}`;

const add = (subject: string, metric: Metric, amount = 1): CounterEntry => ({
  dimension: "rule",
  subject,
  metric,
  how: { add: amount },
});

/** Counts the uncounted rules of a verdict. A request that a limit or a cap stops before its verdict is not counted. */
export const countRulesMet = (uncounted: readonly RecordOnlyHit[], flow: string): CounterEntry[] =>
  uncounted.flatMap(({ rule, would }) => {
    const subject = subjectOf(rule, flow);
    return [add(subject, "met"), ...(would === null ? [] : [add(subject, `would:${would}`)])];
  });

/** The subjects of the rules that would have stopped a message; its sending and its verification count for them. */
export const rulesThatWouldStop = (uncounted: readonly RecordOnlyHit[], flow: string): string[] =>
  uncounted.filter(({ would }) => would !== null).map(({ rule }) => subjectOf(rule, flow));

/**
 * Counts a message that left although these rules would have stopped it.
 *
 * @param stoppers see {@link rulesThatWouldStop}
 */
export const countSentDespiteRules = (stoppers: readonly string[], costMicros: number): CounterEntry[] =>
  stoppers.flatMap((subject) => [add(subject, "sent"), add(subject, "micros", costMicros)]);

/** Counts the verification of such a message. */
export const countVerifiedDespiteRules = (stoppers: readonly string[]): CounterEntry[] =>
  stoppers.map((subject) => add(subject, "verified"));

/** The counts of one rule in one flow. */
export interface RuleCounts {
  /** Requests that met it. */
  met: number;
  /** Requests it would have stopped, by the kind of stop. */
  wouldChallenge: number;
  wouldStepUp: number;
  wouldDeny: number;
  /** Messages that left although it would have stopped them. */
  left: number;
  /** Of these, verified ones: people it would have stopped. */
  leftVerified: number;
  /** Cost of the others, at the mean price of those that left. */
  unansweredMicros: number;
}

/** Reads the counts of one rule out of the counters. */
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

/** Formats of numbers and money for the reader. */
interface Wording {
  count(value: number): string;
  money(micros: number): string;
}

/** One sentence on the effect a rule would have had: the money it would have saved, and the people it would have stopped. */
export function ruleEffectInWords(
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
