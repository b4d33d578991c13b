import type { Judgement } from "../../domain/delivery/judgement.ts";
import { codeTable, type ProviderCodeRow } from "./provider-codes.ts";

/** Numbers of refused requests, which MSG91 puts beside `type: "error"`. */
const ANSWERS: readonly ProviderCodeRow[] = [
  ["not_this_number", "no number", [101, 202]],
  ["unknown", "the same request came twice within ten seconds, so that the first one may have left", [311]],
  ["unknown", "an internal error", [601]],
  ["not_this_route", "the request", [102, 103, 107, 203]],
  ["not_this_route", "the key, its addresses and the account", [106, 207, 208, 301, 302, 303, 418, 505, 506]],
  ["not_this_route", "the route, or its hours", [209, 210, 306]],
];

/** Looks up the number of a refused request; null for one that is not documented. */
export const msg91Judgement = codeTable(ANSWERS);

/** What became of a message by the number in a delivery report. */
const REPORTS: readonly ProviderCodeRow[] = [
  ["unknown", "failed, without a reason", [2]],
  ["not_this_route", "a number that takes no promotion, or a rejection by the operator", [9, 16, 25]],
  ["not_this_number", "a blocked number", [17]],
];

const byStatus = codeTable(REPORTS);

/** Descriptions that say more than the number they come with. */
const DESCRIPTIONS: readonly [pattern: RegExp, judgement: Judgement][] = [
  [/\bopt(ed)?[\s_-]?out\b|unsubscribed/i, "opted_out"],
  [
    /\b(invalid|blocked|unknown|barred)\b.*\b(number|mobile|subscriber)\b|\bnumber\b.*\bblocked\b/i,
    "not_this_number",
  ],
  [/template|header|entity|dlt|content|scrub|ndnc|dnd|reject|spam/i, "not_this_route"],
  [/absent|unreachable|switched|memory|expired|time ?out|busy|congest/i, "transient"],
];

/**
 * Judges a message that a delivery report calls failed, by its description and then by its number.
 *
 * @returns `not_this_route` for one that says neither: nothing is sent again for a reason that nobody knows
 */
export function msg91ReportJudgement(status: string | null, description: string): Judgement {
  const [, said] = DESCRIPTIONS.find(([pattern]) => pattern.test(description)) ?? [];
  return said ?? byStatus(status) ?? "not_this_route";
}
