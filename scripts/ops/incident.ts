/** The report of an incident: pages from the operators' API, counted as they come and written to files. */
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { mkdir, rename, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { type Cell, csvLine } from "../../src/domain/ledger-report/csv.ts";
import { conclude, type Report, type ReportFacts } from "../../src/domain/ledger-report/facts.ts";
import { addMessage, newLedgerSums } from "../../src/domain/ledger-report/ledger-sums.ts";
import { writeLetters } from "../../src/domain/ledger-report/letter.ts";
import { writePage } from "../../src/domain/ledger-report/page.ts";
import type { MessageRow } from "../../src/domain/ledger-report/row.ts";
import { inOrder } from "../../src/domain/ledger-report/table.ts";
import {
  ADDRESS_COLUMNS,
  addressCells,
  MESSAGE_COLUMNS,
  messageCells,
  RANGE_COLUMNS,
  rangeCells,
  summaryOf,
} from "../../src/domain/ledger-report/tables.ts";
import { countText, instantText, shareText } from "../../src/domain/ledger-report/words.ts";
import { instantMs } from "../../src/domain/watch/instant.ts";
import type { FactsAnswer, MessagesAnswer } from "../../src/http/admin/evidence-contract.ts";
import { CommandError } from "../lib/command.ts";
import { askJson, type Service } from "./client.ts";
import type { Command } from "./command.ts";
import { plain } from "./format.ts";
import { query, UsageError, why } from "./options.ts";

/** Numbers of people lie in these files: they are for whoever asked alone. */
const FILE_MODE = 0o600;
const FOLDER_MODE = 0o700;
const PROGRESS_MS = 1000;
/** Waits before a page is asked for once more. */
const PAGE_WAITS_MS = [500, 2000, 5000];

export const INCIDENT: readonly Command[] = [
  {
    name: "incident report",
    usage: "incident report --from TIME --to TIME [--country IN] --out DIR",
    about: "report.html, dispute.md, summary.json, messages.csv, ranges.csv, ips.csv of a window",
    help: `  --from, --to TIME   RFC 3339 with its zone, like 2026-11-20T22:00Z; 31 days at most
  --country IN        messages to one country
  --out DIR           made where it is missing; files that are there are replaced
  --why "..."         stands beside the download of numbers in the list of actions; default "incident report"

messages.csv holds numbers and addresses as far as they are still held: only operators get it, and it is written down.
Texts a spreadsheet could take for a formula, like +919876543210, have an apostrophe in front: strip one to have them.`,
    options: ["from", "to", "country", "out", "why"],
    words: [0, 0],
    run: async (service, { values, json }) => {
      const window = readWindow(values);
      if (values.out === undefined) throw new UsageError("Say where to: --out DIR.");
      const reason = values.why === undefined ? "incident report" : why(values);
      const folder = resolve(process.env.INIT_CWD ?? ".", values.out);
      const report = await reportIncident(service, window, reason, folder);
      console.log(json ? JSON.stringify(summaryOf(report), null, 2) : lines(report, folder).join("\n"));
    },
  },
];

export interface Window {
  fromMs: number;
  toMs: number;
  country: string | null;
}

/** @throws UsageError for times that are none or in the wrong order */
export function readWindow(values: {
  from?: string | undefined;
  to?: string | undefined;
  country?: string | undefined;
}): Window {
  const read = (option: "from" | "to") => {
    const text = values[option];
    const ms = text === undefined ? Number.NaN : instantMs(text);
    if (Number.isNaN(ms))
      throw new UsageError(`--${option} must be a time with its zone, like 2026-11-20T22:00Z.`);
    return ms;
  };
  const [fromMs, toMs] = [read("from"), read("to")];
  if (toMs <= fromMs) throw new UsageError("--to must come after --from.");
  const { country = null } = values;
  if (country !== null && !/^[A-Z]{2}$/.test(country))
    throw new UsageError(`--country "${country}" is no country: two capitals, like IN.`);
  return { fromMs, toMs, country };
}

/**
 * Writes all files of a report. The table of messages is written as its rows come, under another name until it is whole, so
 * that memory holds only what is counted.
 *
 * @throws CommandError in the service's words; what was written so far stays
 */
export async function reportIncident(
  service: Service,
  window: Window,
  reason: string,
  folder: string,
): Promise<Report> {
  const { fromMs, toMs, country } = window;
  const [from, to] = [new Date(fromMs).toISOString(), new Date(toMs).toISOString()];
  const path = `/report-facts${query({ from, to, country: country ?? undefined })}`;
  const facts = await askJson<FactsAnswer>(service, "GET", path);
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const { currency } = facts;

  const sums = newLedgerSums();
  const part = join(folder, "messages.csv.part");
  const table = createWriteStream(part, { mode: FILE_MODE });
  const tell = progress(window);
  try {
    await write(table, csvLine(MESSAGE_COLUMNS));
    const body = { from, to, ...(country !== null && { country }), why: reason };
    let cursor: string | null = null;
    do {
      const page: MessagesAnswer = await askPage(service, { ...body, ...(cursor !== null && { cursor }) });
      let text = "";
      for (const message of page.messages) {
        const row = rowOf(message);
        addMessage(sums, row);
        text += csvLine(messageCells(row, currency));
      }
      await write(table, text);
      tell(sums.total.sent, sums.total.lastMs);
      cursor = page.cursor;
    } while (cursor !== null);
  } finally {
    table.end();
    await once(table, "close");
  }
  await rename(part, join(folder, "messages.csv"));

  const report = conclude(reportFacts(facts, window, sums, Date.now()));
  await writeTable(join(folder, "ranges.csv"), RANGE_COLUMNS, inOrder(sums.ranges), (row) =>
    rangeCells(row, currency),
  );
  await writeTable(join(folder, "ips.csv"), ADDRESS_COLUMNS, inOrder(sums.addresses), (row) =>
    addressCells(row, currency),
  );
  const files: [name: string, text: string][] = [
    ["summary.json", `${JSON.stringify(summaryOf(report), null, 2)}\n`],
    ["report.html", writePage(report)],
    ["dispute.md", writeLetters(report)],
  ];
  for (const [name, text] of files) await writeFile(join(folder, name), text, { mode: FILE_MODE });
  return report;
}

/** A page, asked for again where the service fails for the moment; what is refused stays refused. */
async function askPage(service: Service, body: object): Promise<MessagesAnswer> {
  for (const waitMs of [...PAGE_WAITS_MS, null]) {
    try {
      return await askJson<MessagesAnswer>(service, "POST", "/events/export", body);
    } catch (error) {
      const passing =
        error instanceof CommandError && /does not answer|\(5\d\d|answers 5\d\d/.test(error.message);
      if (waitMs === null || !passing) throw error;
      console.error(`${plain(error.message.split("\n")[0] ?? "")} Asking again.`);
      await wait(waitMs);
    }
  }
  throw new CommandError("The service does not answer.");
}

const rowOf = ({ at, ...message }: MessagesAnswer["messages"][number]): MessageRow => ({
  id: message.id,
  atMs: Date.parse(at),
  correlationId: message.correlation_id,
  flow: message.flow,
  channel: message.channel,
  country: message.country,
  range: message.range,
  ip: message.ip,
  asn: message.asn,
  provider: message.provider,
  messageId: message.message_id,
  messageMicros: message.message_micros,
  dltMicros: message.dlt_micros,
  delivered: message.delivered,
  verified: message.verified,
  number: message.number,
});

const reportFacts = (
  { usual, incidents, done, ...facts }: FactsAnswer,
  window: Window,
  sums: ReportFacts["sums"],
  writtenAtMs: number,
): ReportFacts => ({
  ...facts,
  ...window,
  writtenAtMs,
  sums,
  usual: { ...usual, fromMs: Date.parse(usual.from), toMs: Date.parse(usual.to) },
  incidents: incidents.map(({ opened, closed, ...rest }) => ({
    ...rest,
    openedAtMs: Date.parse(opened),
    closedAtMs: closed === null ? null : Date.parse(closed),
  })),
  deeds: done.map(({ at, ...rest }) => ({ ...rest, atMs: Date.parse(at) })),
});

/** A whole table, line by line. */
async function writeTable<Row>(
  file: string,
  columns: readonly string[],
  rows: Iterable<Row>,
  cells: (row: Row) => Cell[],
): Promise<void> {
  const table = createWriteStream(file, { mode: FILE_MODE });
  await write(table, csvLine(columns));
  for (const row of rows) await write(table, csvLine(cells(row)));
  table.end();
  await once(table, "close");
}

/** Writes and waits until there is room again. */
async function write(stream: WriteStream, text: string): Promise<void> {
  if (!stream.write(text)) await once(stream, "drain");
}

/** Tells on standard error how far it is: on a terminal on one line, elsewhere a line a second at most. */
function progress({ fromMs, toMs }: Window): (count: number, atMs: number) => void {
  let toldMs = Date.now();
  return (count, atMs) => {
    if (Date.now() - toldMs < PROGRESS_MS) return;
    toldMs = Date.now();
    const share = shareText(Math.min(1, Math.max(0, (atMs - fromMs) / (toMs - fromMs))));
    const says = `${countText(count)} messages, ${share} of the window`;
    process.stderr.write(process.stderr.isTTY ? `\r${says}` : `${says}\n`);
  };
}

function lines(
  { sums: { total }, stretch, ratio, usualRatio, silent, faults }: Report,
  folder: string,
): string[] {
  return [
    `${countText(total.sent)} messages, ${countText(total.verified)} answered: ${shareText(ratio)}, usually ${shareText(usualRatio)}`,
    stretch === null
      ? "No stretch of it misses enough verifications to be called an attack."
      : `The attack: ${instantText(stretch.startMs)} to ${instantText(stretch.endMs)}`,
    `${countText(silent.count)} ranges without one verification, ${countText(silent.sums.sent)} messages`,
    ...faults.map((fault) => `cannot be read: ${plain(fault)}`),
    `Written to ${folder}. Numbers of people are in it: delete it when the dispute is over.`,
  ];
}
