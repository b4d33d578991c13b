/** Networks and addresses as people read them. */

import {
  type AddressRow,
  type NetworkRow,
  SOURCE_SORTS,
  type SourceQuestion,
} from "../../flows/operators/views/read-sources.ts";
import { TALLY_SPANS } from "../../flows/operators/views/read-tally-lines.ts";
import type { Tone } from "../parts.tsx";
import type { PageFormats } from "../words.ts";
import { type JudgedFigure, judgeExposure, judgeRatio, judgeVolume } from "./judged.ts";
import { pageNumber, queryChoice, soughtText } from "./query.ts";
import { type Spark, sparkOf } from "./spark.ts";
import { shortTag } from "./trace.ts";

export const SOURCES_PATH = "/sources";

export const readSourceQuestion = (query: URLSearchParams): SourceQuestion => ({
  span: queryChoice(query, "span", TALLY_SPANS),
  contains: soughtText(query),
  sort: queryChoice(query, "sort", SOURCE_SORTS),
  page: pageNumber(query),
});

export const sourceParams = ({ span, contains, sort, page }: SourceQuestion): Record<string, string> => ({
  span: span === "window" ? "" : span,
  q: contains,
  sort: sort === "sent" ? "" : sort,
  page: page === 1 ? "" : String(page),
});

interface SourceStateLine {
  banned: boolean;
  challenged: boolean;
}

const stateLineOf = ({ ban, challenged }: Pick<NetworkRow, "ban" | "challenged">): SourceStateLine => ({
  banned: ban?.effect === "stop",
  challenged,
});

export interface NetworkLine extends SourceStateLine {
  id: string;
  subject: string;
  /** Owner of a hosting network; empty for others. */
  under: string;
  sent: string;
  volume: { note: string; tone: Tone };
  numbers: string;
  ratio: JudgedFigure;
  exposure: JudgedFigure & { share: number };
  refused: string;
  turnedAway: string;
  spent: string;
  spark: Spark;
}

export function networkLine(row: NetworkRow, alarmRatio: number, words: PageFormats): NetworkLine {
  return {
    id: `row-${row.subject}`,
    subject: row.subject,
    under: row.hosting ?? "",
    sent: words.count(row.sent),
    volume: judgeVolume(row.timesUsual, words.count),
    numbers: words.count(row.numbers),
    ratio: judgeRatio(row, alarmRatio, words),
    exposure: judgeExposure(row.exposure, words),
    refused: words.count(row.refused),
    turnedAway: words.count(row.turnedAway),
    spent: words.money(row.spentMicros),
    spark: sparkOf(row.course, words.count),
    ...stateLineOf(row),
  };
}

export interface AddressLine extends SourceStateLine {
  id: string;
  subject: string;
  title: string;
  numbers: string;
  asked: string;
  exposure: JudgedFigure & { share: number };
}

export const addressLine = (row: AddressRow, words: PageFormats): AddressLine => ({
  id: `row-${row.subject}`,
  subject: row.subject,
  title: shortTag(row.subject) ?? "",
  numbers: words.count(row.numbers),
  asked: words.count(row.asked),
  exposure: judgeExposure(row.exposure, words),
  ...stateLineOf(row),
});
