/**
 * Rules in record-only mode: the requests they matched, the action they would have taken, and the later verifications among
 * the messages that left all the same. The savings and the honest people stopped stand side by side, before a rule counts.
 */
import { recordOnlyRules } from "../../../domain/admission/record-only.ts";
import { type RuleCounts, ruleCounts } from "../../../domain/monitor/rule-counts.ts";
import { OTHER_SUBJECTS } from "../../../domain/monitor/tally.ts";
import type { Policy } from "../../../domain/policy.ts";
import type { Deps } from "../../../ports/deps.ts";
import type { Unavailable } from "../../../ports/result.ts";
import { readTallyLines, type TallySpan } from "./read-tally-lines.ts";

export interface RuleRow extends RuleCounts {
  /** `*` for what the counters had no room to tell apart. */
  rule: string;
  /** null: every flow without rules of its own. */
  flow: string | null;
  /** false for a rule that counts by now. */
  recordOnly: boolean;
}

export interface RecordOnlyHitCounts {
  kind: "answered";
  /** Those that met the most first; every rule that is in record-only mode is among them. */
  rows: RuleRow[];
  fromMs: number;
  /** The same as `fromMs` before the first quarter of a day is over. */
  toMs: number;
}

/** @param span the policy's window up to now, or the last day in whole quarters of an hour that are over */
export async function readRecordOnlyHits(
  deps: Pick<Deps, "policy" | "counters" | "monitorState" | "nowMs">,
  span: TallySpan,
): Promise<RecordOnlyHitCounts | Unavailable> {
  const { lines, fromMs, toMs, faults } = await readTallyLines(deps, "rule", span);
  // Without counters there are no lines, and a zero would speak in favour of a rule without any evidence.
  if (lines.length === 0 && faults.length > 0) return { kind: "unavailable", cause: faults.join("; ") };
  const rules = recordOnlyRules(deps.policy);
  const met = lines.map(({ subject, counts }): RuleRow => {
    const [rule = "", flow = null] = subject.split("/");
    const recordOnly =
      subject === OTHER_SUBJECTS || rules.some((set) => isSetBy(deps.policy, set, { rule, flow }));
    return { rule, flow, recordOnly, ...ruleCounts(counts) };
  });
  const silent = rules
    .filter((set) => !met.some((row) => isSetBy(deps.policy, set, row)))
    .map((set): RuleRow => ({ ...set, recordOnly: true, ...ruleCounts({}) }));
  return { kind: "answered", rows: [...met.toSorted((a, b) => b.met - a.met), ...silent], fromMs, toMs };
}

interface InFlow {
  rule: string;
  flow: string | null;
}

/** True for the setting that puts a flow's rule into record-only mode. */
const isSetBy = ({ flows }: Policy, set: InFlow, { rule, flow }: InFlow): boolean =>
  set.rule === rule && set.flow === (flow !== null && flows[flow]?.risk ? flow : null);
