/** The facts and conclusions of an incident report: figures from the ledger, actions from the incidents and the operators. */

import { type AttackWindow, findAttackWindow, narrowAttackWindow } from "./attack-window.ts";
import type { ReportSums } from "./report-sums.ts";
import { addSums, type MessageSums, NO_MESSAGE_SUMS, ratioOf } from "./sums.ts";
import { type RankedSums, rankedRows, type SumsTable, sumsOfSubject } from "./sums-table.ts";

/** One action of the monitor or an operator. */
export interface ReportAction {
  atMs: number;
  /** `cron` for the monitor, or the operator's name. */
  by: string;
  what: string;
  why: string | null;
}

/** One incident in the report. */
export interface ReportedIncident {
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
  sums: ReportSums;
  usual: UsualWeek;
  /** Requests refused, exactly, by problem code; of all countries, whatever the window's. */
  refused: readonly { code: string; count: number }[];
  incidents: readonly ReportedIncident[];
  /** In any order. */
  actions: readonly ReportAction[];
  /** Sources that could not be read, in words. */
  faults: readonly string[];
}

/** The beginning of a list, and its full length. */
export interface TopSubjects {
  count: number;
  /** The most messages first. */
  top: readonly RankedSums[];
}

/** The facts with the conclusions that are drawn from them. */
export interface IncidentReport extends Omit<ReportFacts, "actions"> {
  /** The earliest first. */
  actions: readonly ReportAction[];
  /** null where no verification is missing. */
  attack: AttackWindow | null;
  ratio: number | null;
  usualRatio: number | null;
  ranges: TopSubjects;
  /** Ranges with messages and without one verification, and their sums. */
  silent: TopSubjects & { sums: MessageSums };
  addresses: TopSubjects;
  networks: TopSubjects;
  countries: TopSubjects;
  providers: TopSubjects;
  /** The messages of each provider to ranges without a verification. */
  silentParts: ReadonlyMap<string, MessageSums>;
  flows: TopSubjects;
  refusedTotal: number;
}

/** The most entries of a list on a page, in a letter or in a summary; the CSV files have all. */
const LISTED = 100;

/** True for sums without one verification. */
const hasNoVerification = ({ verified }: MessageSums): boolean => verified === 0;

/** Draws the report's conclusions from its facts. */
export function concludeReport(facts: ReportFacts): IncidentReport {
  const { sums, usual } = facts;
  const usualRatio = ratioOf(usual);
  const attack = findAttackWindow(sums.minutes, usual);
  const silent = { ...listed(sums.ranges, hasNoVerification), sums: NO_MESSAGE_SUMS };
  for (const range of rankedRows(sums.ranges, hasNoVerification)) silent.sums = addSums(silent.sums, range);
  const silentParts = new Map<string, MessageSums>();
  for (const part of rankedRows(sums.parts)) {
    if (sumsOfSubject(sums.ranges, part.label ?? "")?.verified !== 0) continue;
    const provider = part.subject.slice(0, -1 - (part.label?.length ?? 0));
    silentParts.set(provider, addSums(silentParts.get(provider) ?? NO_MESSAGE_SUMS, part));
  }
  return {
    ...facts,
    actions: facts.actions.toSorted((a, b) => a.atMs - b.atMs),
    attack: attack && narrowAttackWindow(attack, rankedRows(sums.ranges, hasNoVerification)),
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

function listed(table: SumsTable, holds?: (sums: MessageSums) => boolean): TopSubjects {
  const top: RankedSums[] = [];
  let count = 0;
  for (const row of rankedRows(table, holds)) {
    count += 1;
    if (count <= LISTED) top.push(row);
  }
  return { count, top };
}
