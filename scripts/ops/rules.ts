/** What rules in record-only mode would have done. */
import { ruleEffectInWords } from "../../src/domain/monitor/rule-counts.ts";
import type { RulesAnswer } from "../../src/http/admin/rules.ts";
import { UsageError } from "../lib/command.ts";
import { askJson } from "./client.ts";
import type { Command } from "./command.ts";
import { type Cell, clock, money, number, plain, table } from "./format.ts";
import { query } from "./options.ts";

const SPANS = ["day", "window"];

export const RULES: readonly Command[] = [
  {
    name: "rules",
    usage: "rules [--span day|window]",
    about:
      "what rules in record-only mode would have done: what they would have saved, whom they would have bothered",
    help: `  --span SPAN  day: the last 24 hours in whole quarters of an hour that are over (the default);
               window: the watch's window up to now`,
    options: ["span"],
    words: [0, 0],
    run: async (service, { values: { span }, json }) => {
      if (span !== undefined && !SPANS.includes(span))
        throw new UsageError(`--span "${span}" is none of ${SPANS.join(", ")}.`);
      const answer = await askJson<RulesAnswer>(service, "GET", `/rules${query({ span })}`);
      console.log(json ? JSON.stringify(answer, null, 2) : rulesLines(answer).join("\n"));
    },
  },
];

export function rulesLines({ rules, from, to, currency }: RulesAnswer): string[] {
  if (rules.length === 0) return ["No rule is in record-only mode."];
  const right = true;
  const wording = { count: number, money: (micros: number) => money(micros, currency) };
  const rows = rules.map((row): (Cell | string)[] => [
    plain(row.rule),
    plain(row.flow ?? "every flow"),
    number(row.met),
    number(row.would_challenge),
    number(row.would_step_up),
    number(row.would_deny),
    number(row.left),
    number(row.left_verified),
    wording.money(row.unanswered_micros),
    row.record_only ? "" : { text: "counts now", style: "yellow" },
  ]);
  const sentences = rules.flatMap((row) => {
    const counts = {
      met: row.met,
      wouldChallenge: row.would_challenge,
      wouldStepUp: row.would_step_up,
      wouldDeny: row.would_deny,
      left: row.left,
      leftVerified: row.left_verified,
      unansweredMicros: row.unanswered_micros,
    };
    const where = row.flow === null ? row.rule : `${row.rule} in ${row.flow}`;
    return row.met === 0 ? [] : [`${plain(where)}: ${ruleEffectInWords(counts, wording)}`];
  });
  const head = ["met", "challenge", "step up", "deny", "left", "verified", "others' cost"];
  return [
    from === to
      ? "No quarter of an hour is over yet: --span window has what was counted so far."
      : `Would have done, ${clock(from)} to ${clock(to)}`,
    ...table(
      [{ title: "rule" }, { title: "flow" }, ...head.map((title) => ({ title, right })), { title: "" }],
      rows,
    ),
    ...(sentences.length === 0 ? [] : ["", ...sentences]),
  ];
}
