/**
 * Destinations of messages: countries, prefixes and number ranges, each against its own history, its budget and its bans.
 * There are as many as the counters tell apart; budgets are read for the rows of one page.
 */

import { rulesForCountry } from "../../../domain/admission/country-rules.ts";
import { exposureLevels, teacherLevels } from "../../../domain/admission/levels.ts";
import { callingCodeRange, countryOfRange, mayLieIn } from "../../../domain/kernel/country.ts";
import type { Phone } from "../../../domain/kernel/phone.ts";
import { MINUTE_MS } from "../../../domain/kernel/time.ts";
import { isStopInEffect, type ListedBan, listBans } from "../../../domain/monitor/effective-control.ts";
import { type History, usualSent } from "../../../domain/monitor/history.ts";
import { OTHER_SUBJECTS, tallyKey } from "../../../domain/monitor/tally.ts";
import type { Policy } from "../../../domain/policy.ts";
import type { Deps } from "../../../ports/deps.ts";
import { type Exposure, type LevelToRead, readExposures } from "./read-exposures.ts";
import { type SubjectRow, type SubjectState, subjectStateOf } from "./read-subjects.ts";
import { readTallyLines, type TallySpan } from "./read-tally-lines.ts";
import { pageOfLines, type TallyLine, type TallyPage, usualRatio } from "./summarise-tally.ts";

export const DESTINATION_DIMENSIONS = ["country", "prefix", "block"] as const;
export type DestinationDimension = (typeof DESTINATION_DIMENSIONS)[number];

export const DESTINATION_SORTS = ["sent", "ratio", "spent", "refused", "subject"] as const;
export const DESTINATION_STATE_FILTERS = ["any", "shut", "challenged", "exempt", "open"] as const;

export interface DestinationQuestion {
  by: DestinationDimension;
  /** The country of prefixes, or the prefix of number ranges; null for all. */
  within: string | null;
  /** The policy's window up to now, or the last day in whole quarters of an hour. */
  span: TallySpan;
  /** Part of a subject's name; empty for all. */
  contains: string;
  state: (typeof DESTINATION_STATE_FILTERS)[number];
  sort: (typeof DESTINATION_SORTS)[number];
  page: number;
}

export interface DestinationRow {
  subject: string;
  /** ISO code; null where the digits leave several open. */
  country: string | null;
  sent: number;
  verified: number;
  ratio: number | null;
  usualRatio: number | null;
  /** Messages divided by the usual number in a span of this length; null where that is not known. */
  timesUsual: number | null;
  refused: number;
  spentMicros: number;
  course: readonly number[];
  state: SubjectRow["state"];
  untilMs: number | null;
  challenged: boolean;
  exposure: Exposure | null;
}

export interface Destinations extends TallyPage<DestinationRow> {
  /** From and to. */
  fromMs: number;
  toMs: number;
  /** Messages to subjects that the counters had no room to tell apart. */
  othersSent: number;
  /** Banned, challenged and exempt ranges, the one that ends last first. */
  bans: ListedBan[];
  /** The parts that could not be read, in words; their columns are empty. */
  faults: string[];
}

export const ROWS_PER_PAGE = 25;

/** A subject that usually gets less than this in the span has no usual amount to be compared with. */
const USUAL_AT_LEAST = 1;

type DestinationDeps = Pick<Deps, "policy" | "control" | "counters" | "monitorState" | "budgets" | "nowMs">;

export async function readDestinations(
  deps: DestinationDeps,
  question: DestinationQuestion,
): Promise<Destinations> {
  const { by, within, contains, state, sort } = question;
  const nowMs = deps.nowMs();
  const [{ lines, fromMs, toMs, history, faults }, documents] = await Promise.all([
    readTallyLines(deps, by, question.span),
    deps.control.documents(),
  ]);
  if ("kind" in documents) faults.push(`control: ${documents.cause}`);
  else faults.push(...documents.faults);
  const blocks = "kind" in documents ? [] : listBans(documents, nowMs);
  const ranges = blocks.filter(({ kind }) => kind === "range");
  const sought = contains.trim().toLowerCase();
  const fitting = lines
    .filter(({ subject }) => subject !== OTHER_SUBJECTS && subject.toLowerCase().includes(sought))
    .filter(({ subject }) => within === null || liesWithin(by, subject, within));
  const minutes = (toMs - fromMs) / MINUTE_MS;
  const stateOf = (subject: string) => destinationState(by, subject, ranges);
  // States are looked up for a page's rows, and for all rows only where the filter needs them.
  const found = (
    state === "any"
      ? fitting
      : fitting.filter(({ subject }) => DESTINATION_STATE_FITS[state](stateOf(subject)))
  ).toSorted(BY[sort]);
  const shown = pageOfLines(found, question.page, ROWS_PER_PAGE);
  const page = {
    ...shown,
    rows: shown.rows.map((line) => rowOf(line, { by, history, minutes }, stateOf(line.subject))),
  };
  const levels = page.rows.map((row) => levelOf(deps.policy, by, row));
  const exposures = await readExposures(deps, levels);
  if ("kind" in exposures) faults.push(`budgets: ${exposures.cause}`);
  return {
    ...page,
    rows: page.rows.map((row, i) => ({
      ...row,
      exposure: "kind" in exposures ? null : (exposures[i] ?? null),
    })),
    fromMs,
    toMs,
    othersSent: lines.find(({ subject }) => subject === OTHER_SUBJECTS)?.counts.sent ?? 0,
    bans: ranges,
    faults,
  };
}

/** A country that shares its calling code is never banned as a whole. */
function destinationState(
  by: DestinationDimension,
  subject: string,
  ranges: readonly ListedBan[],
): SubjectState {
  if (by !== "country") return subjectStateOf(by, subject, ranges);
  const range = callingCodeRange(subject);
  if (range !== null) return subjectStateOf("prefix", range, ranges);
  const within = ranges.filter((ban) => mayLieIn(ban.subject, subject));
  const challenged = within.some(({ effect }) => effect === "challenge");
  const state = within.some(isStopInEffect) ? "partly" : challenged ? "partly_challenged" : "open";
  return { state, untilMs: null, challenged };
}

const liesWithin = (by: DestinationDimension, subject: string, within: string): boolean =>
  by === "prefix" ? mayLieIn(subject, within) : subject.startsWith(within);

function rowOf(
  { subject, counts, course, ratio }: TallyLine,
  { by, history, minutes }: { by: DestinationDimension; history: History | null; minutes: number },
  state: SubjectState,
): DestinationRow {
  const key = tallyKey(by, subject);
  const usually = usualSent(history, key, minutes);
  const sent = counts.sent ?? 0;
  return {
    subject,
    country: by === "country" ? subject : countryOfRange(subject),
    sent,
    verified: counts.verified ?? 0,
    ratio,
    usualRatio: usualRatio(history?.subjects ?? {}, key),
    timesUsual: usually >= USUAL_AT_LEAST ? sent / usually : null,
    refused: counts.refused ?? 0,
    spentMicros: counts.micros ?? 0,
    course,
    ...state,
    exposure: null,
  };
}

/** The rows that each filter by state shows. */
export const DESTINATION_STATE_FITS: Readonly<
  Record<Exclude<DestinationQuestion["state"], "any">, (row: SubjectState) => boolean>
> = {
  shut: ({ state }) => state === "blocked" || state === "partly",
  challenged: ({ challenged }) => challenged,
  exempt: ({ state }) => state === "exempt",
  open: ({ state }) => state === "open",
};

type Order = (a: TallyLine, b: TallyLine) => number;
const most =
  (metric: "sent" | "micros" | "refused"): Order =>
  (a, b) =>
    (b.counts[metric] ?? 0) - (a.counts[metric] ?? 0);
const bySent: Order = (a, b) => most("sent")(a, b) || (a.subject < b.subject ? -1 : 1);
const BY: Readonly<Record<DestinationQuestion["sort"], Order>> = {
  sent: bySent,
  // The worst first; rows that cannot be judged yet come last.
  ratio: (a, b) => (a.ratio ?? 2) - (b.ratio ?? 2) || bySent(a, b),
  spent: (a, b) => most("micros")(a, b) || bySent(a, b),
  refused: (a, b) => most("refused")(a, b) || bySent(a, b),
  subject: (a, b) => (a.subject < b.subject ? -1 : 1),
};

/** A stranger's level of a destination; null where its country is not known. */
function levelOf(
  policy: Policy,
  by: DestinationDimension,
  { subject, country }: DestinationRow,
): LevelToRead | null {
  if (country === null) return null;
  const phone: Phone = { e164: subject, country, type: "unknown", block: subject, prefix: subject };
  const nobody = { phone, numberTag: "", addressTag: "", asn: null, ownDevice: null, costMicros: 0 };
  const { exposure } = rulesForCountry(policy, country);
  const levels = exposureLevels(nobody, exposure);
  const level = levels.stranger.find(({ name }) => name === by);
  return level ? { level, teachers: teacherLevels(levels) } : null;
}
