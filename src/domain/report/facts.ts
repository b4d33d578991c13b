/** The facts and conclusions of an incident report: figures from the ledger, actions from the incidents and the operators. */

import { type AttackWindow, sharpenWindow, worstWindow } from "./attack-window.ts";
import type { LedgerSums } from "./ledger-sums.ts";
import { addSums, NO_MESSAGES, ratioOf, type Sums } from "./sums.ts";
import { inOrder, type Ranked, type SumsTable, sumsOf } from "./sums-table.ts";

/** One action of the monitor or an operator. */
export interface ReportAction {
  atMs: number;
  /** `cron` for the monitor, or the operator's name. */
  by: string;
  what: string;
  why: string | null;
}

/** One incident in the report. */
export interface ReportFinding {
  id: string;
  openedAtMs: number;
  /** null while it goes on. */
  closedAtMs: number | null;
  severity: string;
  /** The highest posture during it. */
  posture: string;
  findings: readonly string[];
}

/** The traffic of the usual days before the window. */
export interface UsualWeek {
  fromMs: number;
  toMs: number;
  sent: number;
  verified: number;
}

/** Everything a report is written from. */
export interface ReportFacts {
  environment: string;
  /** The service's name in its messages. */
  brand: string;
  /** ISO 4217, of the price table. */
  currency: string;
  fromMs: number;
  toMs: number;
  /** ISO 3166-1 alpha-2; null for all countries. */
  country: string | null;
  writtenAtMs: number;
  sums: LedgerSums;
  usual: UsualWeek;
  /** Requests refused, exactly, by problem code; of all countries, whatever the window's. */
  refused: readonly { code: string; count: number }[];
  incidents: readonly ReportFinding[];
  /** In any order. */
  deeds: readonly ReportAction[];
  /** Sources that could not be read, in words. */
  faults: readonly string[];
}

/** The beginning of a list, and its full length. */
export interface ListedSubject {
  count: number;
  /** The most messages first. */
  top: readonly Ranked[];
}

/** The facts with the conclusions that are drawn from them. */
export interface IncidentReport extends Omit<ReportFacts, "deeds"> {
  /** The earliest first. */
  deeds: readonly ReportAction[];
  /** null where no verification is missing. */
  stretch: AttackWindow | null;
  ratio: number | null;
  usualRatio: number | null;
  ranges: ListedSubject;
  /** Ranges with messages and without one verification, and their sums. */
  silent: ListedSubject & { sums: Sums };
  addresses: ListedSubject;
  networks: ListedSubject;
  countries: ListedSubject;
  providers: ListedSubject;
  /** The messages of each provider to ranges without a verification. */
  silentParts: ReadonlyMap<string, Sums>;
  flows: ListedSubject;
  refusedTotal: number;
}

/** The most entries of a list on a page, in a letter or in a summary; the CSV files have all. */
const LISTED = 100;

/** True for sums without one verification. */
const isUnanswered = ({ verified }: Sums): boolean => verified === 0;

/** Draws the report's conclusions from its facts. */
export function concludeReport(facts: ReportFacts): IncidentReport {
  const { sums, usual } = facts;
  const usualRatio = ratioOf(usual);
  const stretch = worstWindow(sums.minutes, usual);
  const silent = { ...listed(sums.ranges, isUnanswered), sums: NO_MESSAGES };
  for (const range of inOrder(sums.ranges, isUnanswered)) silent.sums = addSums(silent.sums, range);
  const silentParts = new Map<string, Sums>();
  for (const part of inOrder(sums.parts)) {
    if (sumsOf(sums.ranges, part.label ?? "")?.verified !== 0) continue;
    const provider = part.subject.slice(0, -1 - (part.label?.length ?? 0));
    silentParts.set(provider, addSums(silentParts.get(provider) ?? NO_MESSAGES, part));
  }
  return {
    ...facts,
    deeds: facts.deeds.toSorted((a, b) => a.atMs - b.atMs),
    stretch: stretch && sharpenWindow(stretch, inOrder(sums.ranges, isUnanswered)),
    ratio: ratioOf(sums.total),
    usualRatio,
    ranges: listed(sums.ranges),
    silent,
    addresses: listed(sums.addresses),
    networks: listed(sums.networks),
    countries: listed(sums.countries),
    providers: listed(sums.providers),
    silentParts,
    flows: listed(sums.flows),
    refusedTotal: facts.refused.reduce((sum, { count }) => sum + count, 0),
  };
}

function listed(table: SumsTable, holds?: (sums: Sums) => boolean): ListedSubject {
  const top: Ranked[] = [];
  let count = 0;
  for (const row of inOrder(table, holds)) {
    count += 1;
    if (count <= LISTED) top.push(row);
  }
  return { count, top };
}
