/** The watch's counters: by what they are told apart, how many of them there may be, and how they are added up and read. */
import type { StopKind } from "../admission/risk.ts";

export const DIMENSIONS = [
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
 * How many subjects of a dimension one minute tells apart; whatever comes after counts together under {@link OTHER_SUBJECTS}. First
 * come, first told apart: in any minute the busiest ask soonest, so an attack over a million ranges fills `*` and grows
 * nothing.
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
 * Places among which a change must find a free one for its subject to be told apart. Refusals cost a stranger nothing, and
 * there are proxies in more networks than a minute tells apart: refusals have half of the places, or a flood of them would
 * hide which networks got messages.
 */
export function subjectsFor(dimension: Dimension, entries: readonly CounterEntry[]): number {
  const most = SUBJECTS_PER_MINUTE[dimension];
  const onlyRefused = entries.every(({ metric }) => metric === "refused" || metric === "turned_away");
  return dimension === "network" && onlyRefused ? most / 2 : most;
}

/** The subject of everything a minute had no more room to tell apart. */
export const OTHER_SUBJECTS = "*";

/** How many metrics one subject has at most: a reporter who invents outcome types must not grow a minute without end. */
export const METRICS_PER_SUBJECT = 96;

/** What a quarter of an hour that is over keeps of each dimension, see {@link keepBusiest}. */
export const QUARTER_SUBJECTS: Readonly<Record<Dimension, number>> = {
  ...SUBJECTS_PER_MINUTE,
  prefix: 200,
  block: 200,
  hundred: 0,
  network: 100,
  address: 0,
  route: 0,
};

/** Dimensions with few subjects, whose counters since the beginning are kept for scrapers. */
export const TOTAL_DIMENSIONS: ReadonlySet<Dimension> = new Set(["overall", "provider", "channel", "flow"]);

/**
 * - `sent`, `verified`: messages that left, and those whose session was verified
 * - `micros`: what they cost, in millionths of the price table's currency
 * - `probe_verified`: of `verified`, messages that a block had let through to see whether they convert
 * - `wrong_codes`: attempts that were wrong
 * - `delivered`, `undelivered`: receipts; `rejected`: refused by the provider
 * - `refused`: requests refused before anything left, and `refused:<problem code>` by reason
 * - `challenged`, `passed`: fresh challenges demanded, and those brought
 * - `turned_away`: refusals and demands because a budget was used up
 * - `numbers`: distinct numbers seen from one source
 * - `verify_seconds`, `verified_by:<bucket>`: time to verify, as a sum and a histogram
 * - `hand_over_ms`, `handed_over_by:<bucket>`: time to a provider's answer, and `delivery_ms`, `delivered_by:<bucket>` to its
 *   receipt; of providers alone, since a minute has room for hundreds of routes and is read sixty times over
 * - `outcome:<type>`: what the customer's backend reported
 * - `met`, `would:<stop>`: requests that met a rule in record-only mode, and how it would have stopped them (rule-counts.ts)
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
  | `would:${StopKind}`;

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

/** Entries and the minute (since 1970) they belong to. */
export interface CounterUpdate {
  minute: number;
  entries: readonly CounterEntry[];
}

export type Counts = Partial<Record<Metric, number>>;

/** Counters by `<dimension> <subject>`. */
export type Tally = ReadonlyMap<string, Counts>;

export interface MinuteTally {
  minute: number;
  tally: Tally;
}

export const tallyKey = (dimension: Dimension, subject: string): string => `${dimension} ${subject}`;

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

/** Whether this is a tally as JSON holds it: an object of objects of numbers. */
export function isTallyObject(value: unknown): value is Record<string, Counts> {
  if (!isPlain(value)) return false;
  for (const key in value) if (!isCounts(value[key])) return false;
  return true;
}

/** A tally of what JSON held; null for anything that is none. */
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
