/** The rows of destinations as people read them. */

import { callingCodeRange } from "../../domain/kernel/country.ts";
import {
  DESTINATION_DIMENSIONS,
  DESTINATION_SORTS,
  DESTINATION_STATE_FILTERS,
  DESTINATION_STATE_FITS,
  type DestinationDimension,
  type DestinationQuestion,
  type DestinationRow,
} from "../../flows/operators/views/read-destinations.ts";
import { TALLY_SPANS } from "../../flows/operators/views/read-tally-lines.ts";
import type { Tone } from "../parts.tsx";
import type { PageFormats } from "../words.ts";
import { type JudgedFigure, judgeExposure, judgeRatio, judgeVolume } from "./judged.ts";
import { pageNumber, queryChoice, soughtText, tableLink } from "./query.ts";
import { type Spark, sparkOf } from "./spark.ts";

export const DESTINATIONS_PATH = "/destinations";

const NAMES = new Intl.DisplayNames(["en"], { type: "region", fallback: "code" });

/** A country's name; what is no code stands for itself. */
export function countryName(code: string): string {
  return /^[A-Z]{2}$/.test(code) ? (NAMES.of(code) ?? code) : code;
}

/** The form of the wider subject: a country for prefixes, a prefix for number ranges. Anything else is ignored. */
const WITHIN: Readonly<Record<DestinationDimension, RegExp | null>> = {
  country: null,
  prefix: /^[A-Z]{2}$/,
  block: /^\+[1-9]\d{0,14}$/,
};

export function readDestinationQuestion(query: URLSearchParams): DestinationQuestion {
  const by = queryChoice(query, "by", DESTINATION_DIMENSIONS);
  const within = query.get("in") ?? "";
  return {
    by,
    within: WITHIN[by]?.test(within) ? within : null,
    span: queryChoice(query, "span", TALLY_SPANS),
    contains: soughtText(query),
    state: queryChoice(query, "state", DESTINATION_STATE_FILTERS),
    sort: queryChoice(query, "sort", DESTINATION_SORTS),
    page: pageNumber(query),
  };
}

/** The question as parameters of an address; defaults are empty. */
export function destinationParams(question: DestinationQuestion): Record<string, string> {
  const { by, within, span, contains, state, sort, page } = question;
  return {
    by: by === "country" ? "" : by,
    in: within ?? "",
    span: span === "window" ? "" : span,
    q: contains,
    state: state === "any" ? "" : state,
    sort: sort === "sent" ? "" : sort,
    page: page === 1 ? "" : String(page),
  };
}

export interface DestinationLine {
  id: string;
  /** The range that is blocked and exempted; null for a country that shares its calling code. */
  subject: string | null;
  title: string;
  /** The code of a country, or the country of a range. */
  under: string;
  /** Link to the subjects in it; null for a number range, the smallest. */
  drill: string | null;
  sent: string;
  volume: { note: string; tone: Tone };
  ratio: JudgedFigure;
  exposure: JudgedFigure & { share: number };
  spent: string;
  refused: string;
  spark: Spark;
  state: { text: string; tone: Tone; untilMs: number | null };
  /** True when all of it or a part is banned. */
  banned: boolean;
  challenged: boolean;
}

export const DESTINATION_STATE_BADGES: Readonly<
  Record<DestinationRow["state"], { text: string; tone: Tone }>
> = {
  open: { text: "open", tone: "good" },
  blocked: { text: "blocked", tone: "bad" },
  partly: { text: "partly blocked", tone: "warn" },
  challenged: { text: "challenged", tone: "warn" },
  partly_challenged: { text: "partly challenged", tone: "warn" },
  exempt: { text: "exempt", tone: "quiet" },
};

export function destinationLine(
  row: DestinationRow,
  question: DestinationQuestion,
  alarmRatio: number,
  words: PageFormats,
): DestinationLine {
  const { by } = question;
  const exposure = judgeExposure(row.exposure, words);
  // A used-up budget challenges strangers by itself.
  const state =
    DESTINATION_STATE_BADGES[row.state === "open" && exposure.tone === "bad" ? "challenged" : row.state];
  return {
    id: `row-${row.subject}`,
    subject: by === "country" ? callingCodeRange(row.subject) : row.subject,
    title: by === "country" ? countryName(row.subject) : row.subject,
    under: by === "country" ? row.subject : row.country === null ? "" : countryName(row.country),
    drill: drillOf(row.subject, question),
    sent: words.count(row.sent),
    volume: judgeVolume(row.timesUsual, words.count),
    ratio: judgeRatio(row, alarmRatio, words),
    exposure,
    spent: words.money(row.spentMicros),
    refused: words.count(row.refused),
    spark: sparkOf(row.course, words.count),
    state: { ...state, untilMs: row.untilMs },
    banned: DESTINATION_STATE_FITS.shut(row),
    challenged: DESTINATION_STATE_FITS.challenged(row),
  };
}

function drillOf(subject: string, { by, span }: DestinationQuestion): string | null {
  if (by === "block") return null;
  const next = by === "country" ? "prefix" : "block";
  return tableLink(DESTINATIONS_PATH, { span: span === "window" ? "" : span }, { by: next, in: subject });
}
