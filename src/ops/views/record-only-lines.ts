/** Rules in record-only mode as people read them. */

import { spacedName } from "../../domain/kernel/text.ts";
import { ruleEffectInWords } from "../../domain/monitor/rule-counts.ts";
import { OTHER_SUBJECTS } from "../../domain/monitor/tally.ts";
import type { Policy } from "../../domain/policy.ts";
import type { RuleRow } from "../../flows/operators/views/read-record-only-hits.ts";
import type { PageFormats } from "../words.ts";
import { locateRecordOnlySetting } from "./policy.ts";
import type { PolicyFileLines, PolicyFileLocation } from "./policy-file-location.ts";

export interface RecordOnlyLine {
  rule: string;
  flow: string;
  met: string;
  wouldChallenge: string;
  wouldStepUp: string;
  wouldDeny: string;
  left: string;
  leftVerified: string;
  unanswered: string;
  /** The place that puts it into record-only mode; null for a rule that counts. */
  place: PolicyFileLocation | null;
  countsNow: boolean;
  /** Empty where it met nothing. */
  says: string;
}

export function recordOnlyLine(
  { rule, flow, recordOnly, ...counts }: RuleRow,
  policy: Policy,
  file: PolicyFileLines,
  environment: string,
  words: PageFormats,
): RecordOnlyLine {
  const { count, money } = words;
  return {
    ...ruleAndFlow({ rule, flow }),
    met: count(counts.met),
    wouldChallenge: count(counts.wouldChallenge),
    wouldStepUp: count(counts.wouldStepUp),
    wouldDeny: count(counts.wouldDeny),
    left: count(counts.left),
    leftVerified: count(counts.leftVerified),
    unanswered: money(counts.unansweredMicros),
    place:
      recordOnly && rule !== OTHER_SUBJECTS ? locateRecordOnlySetting(file, policy, environment, flow) : null,
    countsNow: !recordOnly,
    says: counts.met === 0 ? "" : ruleEffectInWords(counts, words),
  };
}

/** `hosting network` in `signup`. */
export const ruleAndFlow = ({ rule, flow }: Pick<RuleRow, "rule" | "flow">) => ({
  rule: rule === OTHER_SUBJECTS ? "others" : spacedName(rule),
  flow: flow ?? (rule === OTHER_SUBJECTS ? "" : "every flow"),
});
