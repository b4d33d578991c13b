/**
 * What the watch counts, and by what. Every event of a verification becomes entries in the minute in which its message
 * left (or in which it was asked for, when none did), so that an answer is booked to the message it answers.
 */
import type { Phone } from "../phone.ts";
import type { Channel } from "../session/session.ts";

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
] as const;
export type Dimension = (typeof DIMENSIONS)[number];

/**
 * How many subjects of a dimension one minute tells apart; whatever comes after counts together under {@link OTHERS}. First
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
};

/**
 * Places among which a change must find a free one for its subject to be told apart. Refusals cost a stranger nothing, and
 * there are proxies in more networks than a minute tells apart: refusals have half of the places, or a flood of them would
 * hide which networks got messages.
 */
export function placesFor(dimension: Dimension, entries: readonly Entry[]): number {
  const most = SUBJECTS_PER_MINUTE[dimension];
  const onlyRefused = entries.every(({ metric }) => metric === "refused" || metric === "turned_away");
  return dimension === "network" && onlyRefused ? most / 2 : most;
}

/** The subject of everything a minute had no more room to tell apart. */
export const OTHERS = "*";

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

/** Upper ends (seconds) of the time-to-verify histogram; what takes longer is in the last, open bucket. */
export const VERIFY_BUCKETS = [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600] as const;

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
 * - `outcome:<type>`: what the customer's backend reported
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
  | `verified_by:${number}`
  | `outcome:${string}`;

/** One change of one counter. */
export interface Entry {
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
export interface Booking {
  minute: number;
  entries: readonly Entry[];
}

export type Counts = Partial<Record<Metric, number>>;

/** Counters by `<dimension> <subject>`. */
export type Tally = ReadonlyMap<string, Counts>;

export interface MinuteTally {
  minute: number;
  tally: Tally;
}

/** Where a message goes and comes from, as far as it is known when something is counted. */
export interface Place {
  phone: Phone;
  channel: Channel;
  flow: string;
  provider: string | null;
  /** AS number of whoever asked. */
  asn: number | null;
}

/** A provider's way to a country by a channel. */
export const routeSubject = (route: { provider: string; channel: Channel; country: string }): string =>
  `${route.provider}/${route.channel}/${route.country}`;

export const tallyKey = (dimension: Dimension, subject: string): string => `${dimension} ${subject}`;

const ALL: Entry["subject"] = "all";

/** The subjects a message belongs to; `hundred` is the number without its last two digits. */
function subjectsOf({ phone, channel, flow, provider, asn }: Place): [Dimension, string][] {
  return [
    ["overall", ALL],
    ["country", phone.country],
    ["prefix", phone.prefix],
    ["block", phone.block],
    ["channel", channel],
    ["flow", flow],
    ...(provider === null
      ? []
      : ([
          ["provider", provider],
          ["route", routeSubject({ provider, channel, country: phone.country })],
        ] as [Dimension, string][])),
    ...(asn === null ? [] : [["network", `AS${asn}`] as [Dimension, string]]),
  ];
}

const add = (dimension: Dimension, subject: string, metric: Metric, amount = 1): Entry => ({
  dimension,
  subject,
  metric,
  how: { add: amount },
});

/**
 * A message that left.
 *
 * @param numberTag keyed hash of the number
 */
export function countSent(place: Place, costMicros: number, numberTag: string): Entry[] {
  const subjects = subjectsOf(place);
  return [
    ...subjects.flatMap(([dimension, subject]) => [
      add(dimension, subject, "sent"),
      add(dimension, subject, "micros", costMicros),
    ]),
    add("hundred", place.phone.e164.slice(0, -2), "sent"),
    ...(place.asn === null
      ? []
      : [
          {
            dimension: "network" as const,
            subject: `AS${place.asn}`,
            metric: "numbers" as const,
            how: { distinct: numberTag },
          },
        ]),
  ];
}

/**
 * A session that was verified, booked once for each of its messages.
 *
 * @param afterSeconds from its last message to the right code; null for its earlier messages
 */
export function countVerified(place: Place, afterSeconds: number | null): Entry[] {
  const subjects = subjectsOf(place).map(([dimension, subject]) => add(dimension, subject, "verified"));
  if (afterSeconds === null) return subjects;
  const bucket = VERIFY_BUCKETS.findIndex((end) => afterSeconds <= end);
  return [
    ...subjects,
    add("overall", ALL, "verify_seconds", Math.round(afterSeconds)),
    add("overall", ALL, `verified_by:${bucket === -1 ? VERIFY_BUCKETS.length : bucket}`),
  ];
}

/** A probe's code came back. @param key of the subject whose block had let it through, see `probeKey` (block.ts) */
export function countProbe(key: string): Entry {
  const space = key.indexOf(" ");
  return add(key.slice(0, space) as Dimension, key.slice(space + 1), "probe_verified");
}

export function countWrongCode(country: string, flow: string): Entry[] {
  return [
    add("overall", ALL, "wrong_codes"),
    add("country", country, "wrong_codes"),
    add("flow", flow, "wrong_codes"),
  ];
}

/** A receipt, or a refusal by the provider. */
export function countFate(
  { country, provider, channel }: { country: string; provider: string; channel: Channel },
  fate: "delivered" | "undelivered" | "rejected",
): Entry[] {
  return [
    add("overall", ALL, fate),
    add("country", country, fate),
    add("provider", provider, fate),
    add("route", routeSubject({ provider, channel, country }), fate),
    add("channel", channel, fate),
  ];
}

/** What is known of a request that got no message. */
export interface RefusedPlace {
  country: string | null;
  flow: string | null;
  asn: number | null;
}

/**
 * A request that was refused before anything left. By country, flow and network only: what a stranger may ask for without
 * paying must not decide what the watch can tell apart.
 *
 * @param turnedAway a budget was used up: what an attack runs into
 */
export function countRefused(
  { country, flow, asn }: RefusedPlace,
  code: string,
  turnedAway: boolean,
): Entry[] {
  const subjects: [Dimension, string][] = [
    ["overall", ALL],
    ...(country === null ? [] : [["country", country] as [Dimension, string]]),
    ...(flow === null ? [] : [["flow", flow] as [Dimension, string]]),
    ...(asn === null ? [] : [["network", `AS${asn}`] as [Dimension, string]]),
  ];
  return [
    ...subjects.map(([dimension, subject]) => add(dimension, subject, "refused")),
    add("overall", ALL, `refused:${code}`),
    ...(turnedAway ? subjects.map(([dimension, subject]) => add(dimension, subject, "turned_away")) : []),
  ];
}

export function countChallenge(country: string, what: "challenged" | "passed"): Entry[] {
  return [add("overall", ALL, what), add("country", country, what)];
}

/**
 * An address that asked for more distinct numbers than people do; only those are told apart, or honest ones would crowd
 * them out.
 *
 * @param addressTag keyed hash of the address
 */
export function countAddress(addressTag: string, distinctNumbers: number): Entry[] {
  return [
    add("address", addressTag, "sent"),
    { dimension: "address", subject: addressTag, metric: "numbers", how: { peak: distinctNumbers } },
  ];
}

/** An outcome the customer's backend reported: a sign-up, a payment. */
export function countOutcome(type: string): Entry[] {
  return [add("overall", ALL, `outcome:${type}`)];
}

/** The part of a tally that is of these dimensions. */
export const ofDimensions = (tally: Tally, wanted: readonly Dimension[]): Tally =>
  new Map([...tally].filter(([key]) => wanted.some((dimension) => key.startsWith(`${dimension} `))));

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
