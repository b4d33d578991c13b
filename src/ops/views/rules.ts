/** Rules in record-only mode as people read them. */

import { spaced } from "../../domain/monitor/alert-words.ts";
import { ruleInWords } from "../../domain/monitor/rule-counts.ts";
import { OTHERS } from "../../domain/monitor/tally.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleRow } from "../../flows/operators/views/read-recorded-rules.ts";
import type { Words } from "../words.ts";
import { riskPlace } from "./policy.ts";
import type { Place, PolicyFile } from "./policy-place.ts";

export interface RuleLine {
  rule: string;
  flow: string;
  met: string;
  wouldChallenge: string;
  wouldStepUp: string;
  wouldDeny: string;
  left: string;
  leftVerified: string;
  unanswered: string;
  /** Where it is in record-only mode; null where it counts by now, or is none. */
  place: Place | null;
  countsNow: boolean;
  /** Empty where it met nothing. */
  says: string;
}

export function ruleLine(
  { rule, flow, recordOnly, ...counts }: RuleRow,
  policy: Policy,
  file: PolicyFile,
  environment: string,
  words: Words,
): RuleLine {
  const { count, money } = words;
  return {
    ...saysRule({ rule, flow }),
    met: count(counts.met),
    wouldChallenge: count(counts.wouldChallenge),
    wouldStepUp: count(counts.wouldStepUp),
    wouldDeny: count(counts.wouldDeny),
    left: count(counts.left),
    leftVerified: count(counts.leftVerified),
    unanswered: money(counts.unansweredMicros),
    place: recordOnly && rule !== OTHERS ? riskPlace(file, policy, environment, flow) : null,
    countsNow: !recordOnly,
    says: counts.met === 0 ? "" : ruleInWords(counts, words),
  };
}

/** `hosting network` in `signup`. */
export const saysRule = ({ rule, flow }: Pick<RuleRow, "rule" | "flow">) => ({
  rule: rule === OTHERS ? "others" : spaced(rule),
  flow: flow ?? (rule === OTHERS ? "" : "every flow"),
});
