/** The monitor's counters: their dimensions and metrics, their number, and how they are added up and read. */
import type { StoppingAction } from "../admission/risk.ts";

/** The dimensions in which messages are counted; `hundred` is a number without its last two digits. */
const DIMENSIONS = [
  "overall",
  "country",
  "prefix",
  "block",
  "hundred",
  "network",
  "address",
  "provider",
  "route",
  "channel",
  "flow",
  "rule",
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/**
 * The number of subjects of a dimension that one minute counts one by one; all others count together under
 * {@link OTHER_SUBJECTS}. The first ones have the room: in any minute the busiest subjects come soonest, so an attack over a
 * million ranges fills `*` and grows nothing.
 */
export const SUBJECTS_PER_MINUTE: Readonly<Record<Dimension, number>> = {
  overall: 1,
  country: 250,
  prefix: 100,
  block: 100,
  hundred: 100,
  network: 100,
  address: 50,
  provider: 12,
  route: 300,
  channel: 4,
  flow: 64,
  rule: 64,
};

/**
 * The number of subjects of a dimension that these entries may count one by one. Refusals cost a stranger nothing, and there are
 * proxies in more networks than a minute has room for: refusals have half of the room, or a flood of them would hide the
 * networks that got messages.
 */
export function maxSubjects(dimension: Dimension, entries: readonly CounterEntry[]): number {
  const most = SUBJECTS_PER_MINUTE[dimension];
  const onlyRefused = entries.every(({ metric }) => metric === "refused" || metric === "turned_away");
  return dimension === "network" && onlyRefused ? most / 2 : most;
}

/** The subject under which a minute counts all subjects it had no more room for. */
export const OTHER_SUBJECTS = "*";

/** The most metrics of one subject: a backend that invents outcome types must not grow a minute without end. */
export const METRICS_PER_SUBJECT = 96;

/** The number of subjects of each dimension that a quarter of an hour keeps, see {@link keepBusiest}. */
export const SUBJECTS_PER_QUARTER: Readonly<Record<Dimension, number>> = {
  ...SUBJECTS_PER_MINUTE,
  prefix: 200,
  block: 200,
  hundred: 0,
  network: 100,
  address: 0,
  route: 0,
};

/** Dimensions with few subjects, whose counters since the beginning are kept for scrapers. */
export const RUNNING_TOTAL_DIMENSIONS: ReadonlySet<Dimension> = new Set([
  "overall",
  "provider",
  "channel",
  "flow",
]);

/**
 * The metrics of a subject.
 * - `sent`, `verified`: messages that left, and those whose session was verified
 * - `micros`: the cost of the messages, in millionths of the price table's currency
 * - `probe_verified`: of `verified`, probes that a ban let through to see whether they convert
 * - `wrong_codes`: attempts that were wrong
 * - `delivered`, `undelivered`: receipts; `rejected`: refused by the provider
 * - `fraud`: messages that a provider stopped or lost because it took them for fraud
 * - `refused`: requests refused before anything left, and `refused:<problem code>` by reason
 * - `challenged`, `passed`: fresh challenges demanded, and those brought
 * - `turned_away`: requests refused or challenged because a budget was used up
 * - `numbers`: distinct numbers seen from one source
 * - `verify_seconds`, `verified_by:<bucket>`: time to verify, as a sum and a histogram
 * - `hand_over_ms`, `handed_over_by:<bucket>`: time to a provider's answer, and `delivery_ms`, `delivered_by:<bucket>` to its
 *   receipt; of providers alone, since a minute has room for hundreds of routes and is read sixty times over
 * - `outcome:<type>`: outcomes that the customer's backend reported
 * - `met`, `would:<stop>`: requests that met a rule in record-only mode, and the stops it would have made (rule-counts.ts)
 */
export type Metric =
  | "sent"
  | "verified"
  | "probe_verified"
  | "micros"
  | "wrong_codes"
  | "delivered"
  | "undelivered"
  | "rejected"
  | "fraud"
  | "refused"
  | `refused:${string}`
  | "challenged"
  | "passed"
  | "turned_away"
  | "numbers"
  | "verify_seconds"
  | "hand_over_ms"
  | "delivery_ms"
  | `${"verified_by" | "handed_over_by" | "delivered_by"}:${number}`
  | `outcome:${string}`
  | "met"
  | `would:${StoppingAction}`;

/** One change of one counter. */
export interface CounterEntry {
  dimension: Dimension;
  subject: string;
  metric: Metric;
  /**
   * `add` adds a whole number; `peak` keeps the largest seen; `distinct` is a member (a keyed hash) that counts once per
   * quarter of an hour: the counter is how many the quarter had seen by then.
   */
  how: { add: number } | { peak: number } | { distinct: string };
}

/** Counter entries of one minute (since 1970). */
export interface CounterUpdate {
  minute: number;
  entries: readonly CounterEntry[];
}

/** The counters of one subject. */
export type Counts = Partial<Record<Metric, number>>;

/** Counters by `<dimension> <subject>`. */
export type Tally = ReadonlyMap<string, Counts>;

/** The counters of one minute (since 1970). */
export interface MinuteTally {
  minute: number;
  tally: Tally;
}

/** The key of a subject in a tally. */
export const tallyKey = (dimension: Dimension, subject: string): string => `${dimension} ${subject}`;

/** The key of all messages together. */
export const OVERALL_TALLY_KEY = tallyKey("overall", "all");

/** The dimension and the subject of a tally's key. */
export function splitTallyKey(key: string): [Dimension, string] {
  const space = key.indexOf(" ");
  return [key.slice(0, space) as Dimension, key.slice(space + 1)];
}

/** Adds counters to a sum, in place; peaks and distinct counts (`numbers`) keep the largest. */
export function addCounts(total: Counts, counts: Counts): void {
  for (const name in counts) {
    const metric = name as Metric;
    const before = total[metric] ?? 0;
    const value = counts[metric] ?? 0;
    total[metric] = metric === "numbers" ? Math.max(before, value) : before + value;
  }
}

/** Adds up tallies; peaks and distinct counts (`numbers`) keep the largest. */
export function sumTallies(tallies: readonly Tally[]): Map<string, Counts> {
  const sum = new Map<string, Counts>();
  for (const tally of tallies) {
    for (const [key, counts] of tally) {
      const total = sum.get(key) ?? {};
      addCounts(total, counts);
      sum.set(key, total);
    }
  }
  return sum;
}

/**
 * The subjects with the most messages of each dimension, the busiest first; the rest is dropped.
 *
 * @param most how many of each dimension stay
 */
export function keepBusiest(
  subjects: Iterable<readonly [string, Counts]>,
  most: Readonly<Record<Dimension, number>>,
): Map<string, Counts> {
  const byDimension = new Map<string, (readonly [string, Counts])[]>(DIMENSIONS.map((name) => [name, []]));
  for (const entry of subjects) byDimension.get(entry[0].slice(0, entry[0].indexOf(" ")))?.push(entry);
  return new Map(
    DIMENSIONS.flatMap((dimension) =>
      (byDimension.get(dimension) ?? [])
        .toSorted(([, a], [, b]) => (b.sent ?? 0) - (a.sent ?? 0))
        .slice(0, most[dimension]),
    ),
  );
}

/** True for a tally in JSON: an object of objects of numbers. */
export function isTallyObject(value: unknown): value is Record<string, Counts> {
  if (!isPlain(value)) return false;
  for (const key in value) if (!isCounts(value[key])) return false;
  return true;
}

/** Reads a tally from parsed JSON; null for anything else. */
export function readTally(value: unknown): Tally | null {
  return isTallyObject(value) ? new Map(Object.entries(value)) : null;
}

function isCounts(value: unknown): value is Counts {
  if (!isPlain(value)) return false;
  for (const name in value) if (!Number.isFinite(value[name])) return false;
  return true;
}

const isPlain = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);
