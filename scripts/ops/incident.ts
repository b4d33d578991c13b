/** The report of an incident: pages from the operators' API, counted as they come and written to files. */
import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { mkdir, rename } from "node:fs/promises";
import { join, resolve } from "node:path";
import { setTimeout as wait } from "node:timers/promises";
import { instantMs, instantText } from "../../src/domain/kernel/instant.ts";
import { countText, shareText } from "../../src/domain/kernel/text.ts";
import type { IncidentReport, ReportFacts } from "../../src/domain/report/facts.ts";
import { type ReportFile, reportFiles } from "../../src/domain/report/files.ts";
import type { MessageRow } from "../../src/domain/report/message-row.ts";
import { reportSummary } from "../../src/domain/report/tables.ts";
import type { MessagesAnswer, WindowFactsAnswer } from "../../src/http/admin/evidence-contract.ts";
import { CommandError, UsageError } from "../lib/command.ts";
import { askJson, type Service } from "./client.ts";
import type { Command } from "./command.ts";
import { plain } from "./format.ts";
import { query, why } from "./options.ts";

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
      console.log(json ? JSON.stringify(reportSummary(report), null, 2) : lines(report, folder).join("\n"));
    },
  },
];

interface Window {
  fromMs: number;
  toMs: number;
  country: string | null;
}

/** @throws UsageError for times that are none or in the wrong order */
function readWindow(values: {
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
 * Writes all files of a report, each under another name until it is whole.
 *
 * @throws CommandError in the service's words; what was written so far stays
 */
export async function reportIncident(
  service: Service,
  window: Window,
  reason: string,
  folder: string,
): Promise<IncidentReport> {
  const { fromMs, toMs, country } = window;
  const range = { from: new Date(fromMs).toISOString(), to: new Date(toMs).toISOString() };
  const path = `/report-facts${query({ ...range, country: country ?? undefined })}`;
  const facts = await askJson<WindowFactsAnswer>(service, "GET", path);
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const body = { ...range, ...(country !== null && { country }), why: reason };
  const files = reportFiles(
    reportFacts(facts, window, Date.now()),
    askPages(service, body, progress(window)),
  );
  for (;;) {
    const next = await files.next();
    if (next.done) return next.value;
    await writeWhole(folder, next.value);
  }
}

/** @param tell what was asked for so far: how many messages, and the time of the last */
async function* askPages(
  service: Service,
  body: object,
  tell: (count: number, atMs: number) => void,
): AsyncGenerator<MessageRow[]> {
  let cursor: string | null = null;
  let count = 0;
  do {
    const page: MessagesAnswer = await askPage(service, { ...body, ...(cursor !== null && { cursor }) });
    const rows = page.messages.map(rowOf);
    yield rows;
    count += rows.length;
    tell(count, rows.at(-1)?.atMs ?? 0);
    cursor = page.cursor;
  } while (cursor !== null);
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
  { usual, incidents, done, ...facts }: WindowFactsAnswer,
  window: Window,
  writtenAtMs: number,
): Omit<ReportFacts, "sums"> => ({
  ...facts,
  ...window,
  writtenAtMs,
  usual: { ...usual, fromMs: Date.parse(usual.from), toMs: Date.parse(usual.to) },
  incidents: incidents.map(({ opened, closed, ...rest }) => ({
    ...rest,
    openedAtMs: Date.parse(opened),
    closedAtMs: closed === null ? null : Date.parse(closed),
  })),
  actions: done.map(({ at, ...rest }) => ({ ...rest, atMs: Date.parse(at) })),
});

async function writeWhole(folder: string, { name, text }: ReportFile): Promise<void> {
  const part = join(folder, `${name}.part`);
  const file = createWriteStream(part, { mode: FILE_MODE });
  try {
    for await (const piece of text) {
      if (!file.write(piece)) await once(file, "drain");
    }
  } finally {
    file.end();
    await once(file, "close");
  }
  await rename(part, join(folder, name));
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
  { sums: { total }, attack, ratio, usualRatio, silent, faults }: IncidentReport,
  folder: string,
): string[] {
  return [
    `${countText(total.sent)} messages, ${countText(total.verified)} answered: ${shareText(ratio)}, usually ${shareText(usualRatio)}`,
    attack === null
      ? "No stretch of it misses enough verifications to be called an attack."
      : `The attack: ${instantText(attack.startMs)} to ${instantText(attack.endMs)}`,
    `${countText(silent.count)} ranges without one verification, ${countText(silent.sums.sent)} messages`,
    ...faults.map((fault) => `cannot be read: ${plain(fault)}`),
    `Written to ${folder}. Numbers of people are in it: delete it when the dispute is over.`,
  ];
}
