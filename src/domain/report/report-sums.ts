/**
 * The sums of a report, counted one message at a time, so that 400,000 rows need no more room than their ranges, addresses,
 * networks and minutes. Lists are complete up to `MOST_SUBJECTS` of each; messages of further subjects are in the totals, and
 * their number is stated.
 */
import { MINUTE_MS } from "../kernel/time.ts";
import type { MessageRow } from "./message-row.ts";
import { addSums, type MessageSums, NO_MESSAGE_SUMS, sumsOfOne } from "./sums.ts";
import { addToSumsTable, newSumsTable, type SumsTable } from "./sums-table.ts";

/** A minute also knows its first and last unanswered message, from which an incident's ends follow. */
interface MinuteSums extends MessageSums {
  firstUnansweredMs: number;
  lastUnansweredMs: number;
}

/** The sums of a report, by each list it has. */
export interface ReportSums {
  total: MessageSums;
  /** Labelled with their countries. */
  ranges: SumsTable;
  /** Labelled with their networks. */
  addresses: SumsTable;
  networks: SumsTable;
  countries: SumsTable;
  providers: SumsTable;
  flows: SumsTable;
  /** Each provider's part of each range that is listed, by `<provider> <range>`, labelled with the range. */
  parts: SumsTable;
  /** By the minute since 1970. */
  minutes: Map<number, MinuteSums>;
  /** Messages whose range or address is on no list. */
  unlisted: { ranges: number; addresses: number };
}

/** The most ranges, and the most addresses, that a report lists. */
const MOST_SUBJECTS = 250_000;

/** The sums before the first message. */
export const newReportSums = (): ReportSums => ({
  total: NO_MESSAGE_SUMS,
  ranges: newSumsTable(),
  addresses: newSumsTable(),
  networks: newSumsTable(),
  countries: newSumsTable(),
  providers: newSumsTable(),
  flows: newSumsTable(),
  parts: newSumsTable(),
  minutes: new Map(),
  unlisted: { ranges: 0, addresses: 0 },
});

/**
 * Counts one message, in place.
 *
 * @param most subjects a list may have
 */
export function countReportMessage(sums: ReportSums, row: MessageRow, most = MOST_SUBJECTS): void {
  const { range, country, ip, asn, provider, flow, atMs, verified } = row;
  const one = sumsOfOne(row);
  const network = asn === null ? null : `AS${asn}`;
  sums.total = addSums(sums.total, one);
  addToSumsTable(sums.countries, { subject: country, label: null }, one, most);
  addToSumsTable(sums.providers, { subject: provider, label: null }, one, most);
  addToSumsTable(sums.flows, { subject: flow, label: null }, one, most);
  addToSumsTable(sums.networks, { subject: network ?? "unknown", label: null }, one, most);
  if (addToSumsTable(sums.ranges, { subject: range, label: country }, one, most)) {
    addToSumsTable(
      sums.parts,
      { subject: `${provider} ${range}`, label: range },
      one,
      Number.POSITIVE_INFINITY,
    );
  } else sums.unlisted.ranges++;
  if (!addToSumsTable(sums.addresses, { subject: ip ?? "no longer held", label: network }, one, most))
    sums.unlisted.addresses++;

  const at = Math.floor(atMs / MINUTE_MS);
  const minute = sums.minutes.get(at);
  const { firstUnansweredMs = Number.POSITIVE_INFINITY, lastUnansweredMs = Number.NEGATIVE_INFINITY } =
    minute ?? {};
  sums.minutes.set(at, {
    ...addSums(minute ?? NO_MESSAGE_SUMS, one),
    firstUnansweredMs: verified ? firstUnansweredMs : Math.min(firstUnansweredMs, atMs),
    lastUnansweredMs: verified ? lastUnansweredMs : Math.max(lastUnansweredMs, atMs),
  });
}
