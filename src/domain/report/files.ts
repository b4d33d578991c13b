/**
 * The files of a report, in an order in which none has to be kept in memory: the messages are counted while they are written,
 * and all other files are written from the counts.
 */
import { type Cell, csvLine } from "../kernel/csv.ts";
import { concludeReport, type IncidentReport, type ReportFacts } from "./facts.ts";
import { writeLetters } from "./letter.ts";
import type { MessageRow } from "./message-row.ts";
import { writeReportPage } from "./page.ts";
import { countReportMessage, newReportSums, type ReportSums } from "./report-sums.ts";
import { rankedRows } from "./sums-table.ts";
import {
  ADDRESS_COLUMNS,
  MESSAGE_COLUMNS,
  messageRowCells,
  RANGE_COLUMNS,
  rangeCells,
  reportSummary,
} from "./tables.ts";

/** One file of a report. */
export interface ReportFile {
  name: string;
  /** In pieces, which must be read to the end before the next file is asked for: it may be written from their counts. */
  text: Iterable<string> | AsyncIterable<string>;
}

/**
 * Writes the files of a report.
 *
 * @param pages the window's messages in the order of their times; their errors are passed on
 * @returns after the last file, the report
 */
export async function* reportFiles(
  facts: Omit<ReportFacts, "sums">,
  pages: AsyncIterable<readonly MessageRow[]>,
): AsyncGenerator<ReportFile, IncidentReport, undefined> {
  const { currency } = facts;
  const sums = newReportSums();
  yield { name: "messages.csv", text: countedTable(pages, sums, currency) };
  const report = concludeReport({ ...facts, sums });
  yield {
    name: "ranges.csv",
    text: table(RANGE_COLUMNS, rankedRows(sums.ranges), (row) => rangeCells(row, currency)),
  };
  yield {
    name: "ips.csv",
    text: table(ADDRESS_COLUMNS, rankedRows(sums.addresses), (row) => rangeCells(row, currency)),
  };
  yield { name: "summary.json", text: [`${JSON.stringify(reportSummary(report), null, 2)}\n`] };
  yield { name: "report.html", text: [writeReportPage(report)] };
  yield { name: "dispute.md", text: [writeLetters(report)] };
  return report;
}

async function* countedTable(
  pages: AsyncIterable<readonly MessageRow[]>,
  sums: ReportSums,
  currency: string,
): AsyncGenerator<string> {
  yield csvLine(MESSAGE_COLUMNS);
  for await (const page of pages) {
    let text = "";
    for (const row of page) {
      countReportMessage(sums, row);
      text += csvLine(messageRowCells(row, currency));
    }
    yield text;
  }
}

function* table<Row>(
  columns: readonly string[],
  rows: Iterable<Row>,
  cells: (row: Row) => Cell[],
): Generator<string> {
  yield csvLine(columns);
  for (const row of rows) yield csvLine(cells(row));
}
