/**
 * An incident's report for one download: the same files as the command writes, made while they are read. Larger reports are
 * for the command, which asks page by page and counts on its own machine.
 */

import { countText } from "../../domain/kernel/text.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import { type ReportFile, reportFiles } from "../../domain/report/files.ts";
import type { MessageRow } from "../../domain/report/message-row.ts";
import type { Deps } from "../../ports/deps.ts";
import type { LedgerWindow } from "../../ports/ledger.ts";
import type { Unavailable } from "../../ports/result.ts";
import { invalidAction, type NotPerformed, type OperatorCommand } from "../audit/run-operator-action.ts";
import { readIncident } from "../operators/views/read-incidents.ts";
import { readFacts, readMessagePage, recordExport } from "./report-incident.ts";

type Needs = Pick<
  Deps,
  "environment" | "policy" | "ledger" | "records" | "monitorState" | "vault" | "log" | "nowMs"
>;

/**
 * The most messages a Worker can count. Counting so many messages, each from an address of its own, took 42 MB (75 MB where each went to a
 * range of its own too) of the 128 MB an isolate has, and reading them 10 s of processor time, local D1 included, of the
 * 30 s a request has; 100 questions to D1 of 1000.
 */
export const MOST_MESSAGES = 100_000;

/** Rows in one answer of the ledger. */
const PAGE_ROWS = 1000;
/** More providers than any window has. */
const MOST_PROVIDERS = 1000;

export interface ReportPlan {
  kind: "plan";
  window: LedgerWindow;
  messages: number;
  /** The incident's own count of messages, where the ledger has none of its time any more; else 0. */
  forgotten: number;
}

export interface ReportDownload {
  kind: "download";
  window: LedgerWindow;
  /** Throws when the ledger stops answering: the part read until then is no report. */
  files: AsyncIterable<ReportFile>;
}

/** The window from an incident's first sign to its end, or to now. */
export const incidentWindow = (
  { openedAtMs, closedAtMs }: Pick<Incident, "openedAtMs" | "closedAtMs">,
  country: string | null,
  nowMs: number,
): LedgerWindow => ({ fromMs: openedAtMs, toMs: closedAtMs ?? nowMs, country });

/** Checks that a download is possible, and counts its messages. @param country ISO 3166-1 alpha-2; null for all */
export async function planReport(
  deps: Needs,
  id: string,
  country: string | null,
): Promise<ReportPlan | NotPerformed> {
  const story = await readIncident(deps, id);
  if (story === null) return { kind: "not_found", reason: "There is none of this id." };
  if ("kind" in story) return story;
  const window = incidentWindow(story.incident, country, deps.nowMs());
  const sent = await countMessages(deps, window);
  if (sent.kind !== "answered") return sent;
  const { messages } = sent;
  if (messages > MOST_MESSAGES) {
    return invalidAction(
      "The report",
      `would hold ${countText(messages)} messages, and a download holds ${countText(MOST_MESSAGES)} at most: name a country, or use the command that stands on the incident's page.`,
    );
  }
  const forgotten = messages === 0 && country === null ? story.incident.sent : 0;
  return { kind: "plan", window, messages, forgotten };
}

/** Writes the download down, then begins it. */
export async function downloadReport(
  deps: Needs,
  act: OperatorCommand,
  id: string,
  country: string | null,
): Promise<ReportDownload | NotPerformed> {
  const { environment, policy, nowMs } = deps;
  const plan = await planReport(deps, id, country);
  if (plan.kind !== "plan") return plan;
  const { window } = plan;
  const around = await readFacts(deps, window);
  const noted = await recordExport(deps, act, window);
  if (noted.kind !== "done") return noted;
  const service = { environment, brand: policy.message.brand, currency: policy.money.currency };
  const facts = { ...around, ...service, ...window, writtenAtMs: nowMs() };
  const progress = { messages: 0 };
  const files = reportFiles(facts, openPages(deps, progress, window));
  return { kind: "download", window, files: logInterruption(deps, act, progress, files) };
}

/** Logs an error that interrupts a report, in any of its files: the ZIP shows only that it ended. */
async function* logInterruption(
  { log }: Pick<Needs, "log">,
  { who }: OperatorCommand,
  progress: Readonly<Progress>,
  files: AsyncIterable<ReportFile>,
): AsyncGenerator<ReportFile> {
  async function* logged<T>(parts: Iterable<T> | AsyncIterable<T>): AsyncGenerator<T> {
    try {
      yield* parts;
    } catch (error) {
      const { name, cause } = error as Error;
      const why = typeof cause === "string" ? cause : `a file could not be written: ${name}`;
      log("report_cut_off", { who, messages: progress.messages, cause: why });
      throw error;
    }
  }
  for await (const { name, text } of logged(files)) yield { name, text: logged(text) };
}

async function countMessages(
  { ledger }: Pick<Needs, "ledger">,
  window: LedgerWindow,
): Promise<{ kind: "answered"; messages: number } | Unavailable> {
  const answer = await ledger.volumes("provider", window, MOST_PROVIDERS);
  if (answer.kind !== "answered") return answer;
  return { kind: "answered", messages: answer.volumes.reduce((sum, { sent }) => sum + sent, 0) };
}

interface Progress {
  messages: number;
}

async function* openPages(
  deps: Needs,
  progress: Progress,
  window: LedgerWindow,
): AsyncGenerator<MessageRow[]> {
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof readMessagePage>> = await readMessagePage(deps, {
      window,
      cursor,
      limit: PAGE_ROWS,
    });
    if (page.kind !== "page") throw new Error("the ledger fell silent", { cause: page.cause });
    yield page.messages;
    progress.messages += page.messages.length;
    cursor = page.cursor;
  } while (cursor !== null);
}
