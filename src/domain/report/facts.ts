/** Everything a report is written from; figures from the ledger, deeds from the incidents and the operators' actions. */
import type { LedgerSums } from "./ledger-sums.ts";
import { type Stretch, sharpened, worstStretch } from "./stretch.ts";
import { addSums, NOTHING, ratioOf, type Sums } from "./sums.ts";
import { inOrder, type Ranked, type SumsTable, sumsOf } from "./table.ts";

export interface Deed {
  atMs: number;
  /** `cron`, or who did it. */
  by: string;
  what: string;
  why: string | null;
}

export interface Matter {
  id: string;
  openedAtMs: number;
  /** null while it goes on. */
  closedAtMs: number | null;
  severity: string;
  /** The highest it came to. */
  posture: string;
  findings: readonly string[];
}

/** What the usual days before the window were like. */
export interface Usual {
  fromMs: number;
  toMs: number;
  sent: number;
  verified: number;
}

export interface ReportFacts {
  environment: string;
  /** As messages name the service. */
  brand: string;
  /** ISO 4217, of the price table. */
  currency: string;
  fromMs: number;
  toMs: number;
  /** ISO 3166-1 alpha-2; null for all countries. */
  country: string | null;
  writtenAtMs: number;
  sums: LedgerSums;
  usual: Usual;
  /** Requests refused, exactly, by problem code; of all countries, whatever the window's. */
  refused: readonly { code: string; count: number }[];
  incidents: readonly Matter[];
  /** In any order. */
  deeds: readonly Deed[];
  /** What could not be read, in words. */
  faults: readonly string[];
}

/** A list's beginning; the sums have all of it. */
export interface Listed {
  count: number;
  /** The most messages first. */
  top: readonly Ranked[];
}

export interface Report extends Omit<ReportFacts, "deeds"> {
  /** The earliest first. */
  deeds: readonly Deed[];
  /** null where no verification is missing. */
  stretch: Stretch | null;
  ratio: number | null;
  usualRatio: number | null;
  ranges: Listed;
  /** Ranges that got messages and not one verification, and their sums. */
  silent: Listed & { sums: Sums };
  addresses: Listed;
  networks: Listed;
  countries: Listed;
  providers: Listed;
  /** Of each provider, its messages to ranges without a verification. */
  silentParts: ReadonlyMap<string, Sums>;
  flows: Listed;
  refusedTotal: number;
}

/** As many of each list as a page, a letter or a summary shows at most; the CSV files have all. */
const LISTED = 100;

export const isSilent = ({ verified }: Sums): boolean => verified === 0;

/** Draws the conclusions. */
export function conclude(facts: ReportFacts): Report {
  const { sums, usual } = facts;
  const usualRatio = ratioOf(usual);
  const stretch = worstStretch(sums.minutes, usual);
  const silent = { ...listed(sums.ranges, isSilent), sums: NOTHING };
  for (const range of inOrder(sums.ranges, isSilent)) silent.sums = addSums(silent.sums, range);
  const silentParts = new Map<string, Sums>();
  for (const part of inOrder(sums.parts)) {
    if (sumsOf(sums.ranges, part.label ?? "")?.verified !== 0) continue;
    const provider = part.subject.slice(0, -1 - (part.label?.length ?? 0));
    silentParts.set(provider, addSums(silentParts.get(provider) ?? NOTHING, part));
  }
  return {
    ...facts,
    deeds: facts.deeds.toSorted((a, b) => a.atMs - b.atMs),
    stretch: stretch && sharpened(stretch, inOrder(sums.ranges, isSilent)),
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

function listed(table: SumsTable, holds?: (sums: Sums) => boolean): Listed {
  const top: Ranked[] = [];
  let count = 0;
  for (const row of inOrder(table, holds)) {
    count += 1;
    if (count <= LISTED) top.push(row);
  }
  return { count, top };
}
