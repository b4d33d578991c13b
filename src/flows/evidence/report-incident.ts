/**
 * The contents of a report of a window: the ledger's messages page by page, and the facts around them. Numbers and addresses
 * are decrypted only for an export. An export is written down before its first page, and further pages need the cursor of the
 * page before, so that numbers are never read without a trace.
 */
import { DAY_MS } from "../../domain/kernel/time.ts";
import type { LedgerRow } from "../../domain/ledger/event.ts";
import type { ReportAction, ReportedIncident, UsualWeek } from "../../domain/report/facts.ts";
import type { MessageRow } from "../../domain/report/message-row.ts";
import type { Deps } from "../../ports/deps.ts";
import type { LedgerWindow } from "../../ports/ledger.ts";
import type { Unavailable } from "../../ports/result.ts";
import {
  invalidAction,
  type NotPerformed,
  type OperatorCommand,
  runOperatorAction,
} from "../audit/run-operator-action.ts";

type Needs = Pick<Deps, "ledger" | "records" | "vault" | "log" | "nowMs">;

/** The usual traffic is measured over this many days before the window. */
const USUAL_DAYS = 7;

/** Actions until this long after the window belong to it. */
const AFTERMATH_MS = DAY_MS;

/** The number of latest incidents and actions that the records give at once. */
const RECORDS = 200;

/** The most subjects in one answer of volumes. */
const MOST_SUBJECTS = 1000;

/** A part of the ledger that is read page by page. */
export interface LedgerPaging {
  window: LedgerWindow;
  /** null for the first page; else the cursor of the page before. */
  cursor: string | null;
  /** Rows at most. */
  limit: number;
}

export interface MessagePage {
  kind: "page";
  messages: MessageRow[];
  /** null after the last page. */
  cursor: string | null;
}

/** A page of messages with their numbers and addresses as far as they are held. The first page writes the export down. */
export async function exportMessages(
  deps: Needs,
  act: OperatorCommand,
  { window, cursor, limit }: LedgerPaging,
): Promise<MessagePage | NotPerformed> {
  const { vault } = deps;
  const { fromMs, toMs, country } = window;
  const bound = (position: string) => JSON.stringify([act.who, fromMs, toMs, country, position]);
  const [position = "", mark = ""] = cursor?.split("~") ?? [];
  if (cursor === null) {
    const noted = await recordExport(deps, act, window);
    if (noted.kind !== "done") return noted;
  } else if (!(await isOurs(deps, bound(position), mark))) {
    return invalidAction("cursor", "is not of an export of yours with this window: begin again without one");
  }
  const page = await readMessagePage(deps, { window, cursor: cursor === null ? null : position, limit });
  if (page.kind !== "page" || page.cursor === null) return page;
  return { ...page, cursor: `${page.cursor}~${await vault.tag("export cursor", bound(page.cursor))}` };
}

/** Writes down that numbers are about to be decrypted; without that none may be. */
export function recordExport(
  deps: Needs,
  act: OperatorCommand,
  { fromMs, toMs, country }: LedgerWindow,
): ReturnType<typeof runOperatorAction> {
  return runOperatorAction(deps, act, {
    what: "numbers exported",
    details: { from_ms: fromMs, to_ms: toMs, country },
    effect: "lowers",
    perform: async () => ({ kind: "done" }),
  });
}

/** A page of an export that is written down already; its cursor is the ledger's own. */
export async function readMessagePage(
  deps: Pick<Needs, "ledger" | "vault">,
  { window, cursor, limit }: LedgerPaging,
): Promise<MessagePage | Unavailable> {
  const page = await deps.ledger.page(window, cursor, limit, "sent");
  if (page.kind !== "answered") return page;
  return {
    kind: "page",
    messages: await Promise.all(page.rows.map((row) => openRow(deps, row))),
    cursor: page.cursor,
  };
}

/** Compares hashes of both, so that the time it takes says nothing of where they differ. */
async function isOurs({ vault }: Pick<Needs, "vault">, bound: string, mark: string): Promise<boolean> {
  const known = await Promise.all(
    (await vault.tags("export cursor", bound)).map((tag) => vault.tag("comparison", tag)),
  );
  return known.includes(await vault.tag("comparison", mark));
}

async function openRow({ vault }: Pick<Needs, "vault">, row: LedgerRow): Promise<MessageRow> {
  const open = (sealed: string | null) => (sealed === null ? null : vault.unsealFromLedger(row.id, sealed));
  const [number, ip] = await Promise.all([open(row.sealedNumber), open(row.sealedAddress)]);
  return {
    id: row.id,
    atMs: row.atMs,
    correlationId: row.correlationId ?? "",
    flow: row.flow ?? "unknown",
    channel: row.channel ?? "sms",
    country: row.country ?? "unknown",
    range: row.block ?? "unknown",
    ip: ip ?? row.subnet,
    asn: row.asn,
    provider: row.provider ?? "unknown",
    messageId: row.messageId,
    messageMicros: row.costMicros ?? 0,
    dltMicros: row.dltMicros ?? 0,
    delivered: row.receipt === "delivered" ? true : row.receipt === "undelivered" ? false : null,
    verified: row.verified,
    number,
  };
}

export interface WindowFacts {
  usual: UsualWeek;
  refused: { code: string; count: number }[];
  incidents: ReportedIncident[];
  actions: ReportAction[];
  faults: string[];
}

/** The facts of a report beside its messages. Each part is read on its own; a part that does not answer is among the faults. */
export async function readFacts(
  { ledger, records }: Pick<Needs, "ledger" | "records">,
  window: LedgerWindow,
): Promise<WindowFacts> {
  const { fromMs, toMs, country } = window;
  const usualWindow = { fromMs: fromMs - USUAL_DAYS * DAY_MS, toMs: fromMs, country };
  const [before, refused, incidents, actions] = await Promise.all([
    ledger.volumes("country", usualWindow, MOST_SUBJECTS),
    countRefused(ledger, window),
    records.incidents(RECORDS),
    records.actions(RECORDS),
  ]);
  const faults: string[] = [];
  const answerOf = <T extends { kind: "answered" }>(part: string, answer: T | Unavailable): T | null => {
    if (answer.kind === "answered") return answer as T;
    faults.push(`${part}: ${(answer as Unavailable).cause}`);
    return null;
  };
  const known = answerOf("incidents", incidents)?.incidents ?? [];
  if (known.length === RECORDS && (known.at(-1)?.openedAtMs ?? 0) > fromMs) {
    faults.push(`incidents: only the latest ${RECORDS} are in reach, and the window begins before them`);
  }
  const matters = known.filter(
    ({ openedAtMs, closedAtMs }) => openedAtMs < toMs && (closedAtMs ?? toMs) >= fromMs,
  );
  const all = answerOf("actions", actions)?.actions ?? [];
  if (all.length === RECORDS && (all.at(-1)?.atMs ?? 0) > fromMs) {
    faults.push(`actions: only the latest ${RECORDS} are in reach, and the window begins before them`);
  }
  return {
    usual: {
      ...usualWindow,
      ...sumOf(answerOf("what is usual", before)?.volumes ?? []),
    },
    refused: answerOf("refusals", refused)?.refused ?? [],
    incidents: matters.map(({ id, openedAtMs, closedAtMs, severity, posture, findings }) => ({
      id,
      openedAtMs,
      closedAtMs,
      severity,
      posture,
      findings: findings.map(({ says }) => says),
    })),
    actions: [
      ...matters.flatMap(({ timeline }) => timeline.map((entry) => ({ ...entry, why: null }))),
      ...all
        .filter(({ atMs }) => atMs >= fromMs && atMs < toMs + AFTERMATH_MS)
        .map(({ atMs, who, what, why }) => ({ atMs, by: who, what, why })),
    ],
    faults,
  };
}

const sumOf = (volumes: readonly { sent: number; verified: number }[]) =>
  volumes.reduce(
    (sum, { sent, verified }) => ({ sent: sum.sent + sent, verified: sum.verified + verified }),
    {
      sent: 0,
      verified: 0,
    },
  );

/** By problem code; asked day by day, so that a long window is no large answer. */
async function countRefused(
  ledger: Needs["ledger"],
  { fromMs, toMs }: LedgerWindow,
): Promise<{ kind: "answered"; refused: { code: string; count: number }[] } | Unavailable> {
  const byCode = new Map<string, number>();
  for (let dayMs = fromMs; dayMs < toMs; dayMs += DAY_MS) {
    const day = { fromMs: dayMs, toMs: Math.min(toMs, dayMs + DAY_MS), country: null };
    const answer = await ledger.refusals(day);
    if (answer.kind !== "answered") return answer;
    for (const { dimension, subject, count } of answer.counts) {
      if (dimension === "code") byCode.set(subject, (byCode.get(subject) ?? 0) + count);
    }
  }
  return { kind: "answered", refused: [...byCode].map(([code, count]) => ({ code, count })) };
}
