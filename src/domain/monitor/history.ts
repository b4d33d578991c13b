/** The history: usual traffic and conversion by subject, learned from past quarters of an hour, and the time people take. */
import { DAY_MINUTES, minuteOf } from "../kernel/time.ts";
import { type AnswerCurve, verifiedShareBy } from "./cohorts.ts";
import { bucketCounts, VERIFY_TIME } from "./histogram.ts";
import {
  addCounts,
  type Counts,
  type Dimension,
  keepBusiest,
  type Metric,
  OTHER_SUBJECTS,
  OVERALL_TALLY_KEY,
  SUBJECTS_PER_MINUTE,
  splitTallyKey,
  type Tally,
} from "./tally.ts";

export const QUARTER_MINUTES = 15;

export const DAY_QUARTERS = DAY_MINUTES / QUARTER_MINUTES;

/** Quarters of an hour since 1970. */
export const quarterOfMinute = (minute: number): number => Math.floor(minute / QUARTER_MINUTES);

/** One quarter of an hour that is over, with all the verifications it will get. */
export interface QuarterTally {
  quarter: number;
  tally: Tally;
}

/** Sums that fade: half their weight is gone after three days. Bounded: only the busiest subjects are kept. */
export interface History {
  /** The last quarter that went in. */
  quarter: number;
  /** The time (ms) of the first one: on the first day nothing counts as new. */
  sinceMs: number;
  subjects: Readonly<Record<string, Counts>>;
}

const HALF_LIFE_QUARTERS = 3 * DAY_QUARTERS;

/** Verifications come for ten minutes after the message; five more are for counts that arrive late. */
const RIPENING_MINUTES = 15;

/** The age up to which the minutes' own counters can be read. */
const REACH_MINUTES = 120;

/**
 * Subjects with a history, the busiest of each dimension: at most some 750, 60 kB of JSON. Addresses and hundreds of numbers
 * have none, because they rarely return; nor have rules in record-only mode, whose messages are all counted elsewhere.
 */
const HISTORY_SUBJECTS: Readonly<Record<Dimension, number>> = {
  ...SUBJECTS_PER_MINUTE,
  prefix: 150,
  block: 150,
  hundred: 0,
  address: 0,
  route: 0,
  rule: 0,
};

/** A subject of which less than this is left is forgotten. */
const LEAST_LEFT = 0.02;

/** Messages of a quarter that always count; beyond them a collapse counts only by its verifications. */
const TAUGHT_FREELY = 12;

/** The conversion that is assumed before any was measured (60 to 80 % is normal), and the messages it weighs. */
const NORMAL_SHARE = 0.7;
const NORMAL_WEIGHT = 50;

/** The weight, in messages, of the overall share in a subject's own. */
const OVERALL_WEIGHT = 20;

const PRIOR_VERIFICATIONS = 200;

/**
 * The quarters to be folded now: over for 15 minutes, and still readable minute by minute (2 hours).
 *
 * @param foldedTo the last quarter that was folded; 0 for none
 * @returns the oldest first; quarters that a longer outage of the monitor missed stay out
 */
export function quartersToFold(foldedTo: number, nowMs: number): number[] {
  const minute = minuteOf(nowMs);
  const last = quarterOfMinute(minute - RIPENING_MINUTES) - 1;
  const reachable = Math.ceil((minute - REACH_MINUTES + 1) / QUARTER_MINUTES);
  const first = Math.max(foldedTo + 1, reachable);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

/** The messages a subject usually gets in as many minutes: its faded sum over the weight left of all quarters so far. */
export function usualSent(history: History | null, key: string, minutes: number): number {
  if (history === null) return 0;
  const quarters = history.quarter + 1 - quarterOfMinute(minuteOf(history.sinceMs));
  const weight = (HALF_LIFE_QUARTERS / Math.LN2) * (1 - 0.5 ** (Math.max(1, quarters) / HALF_LIFE_QUARTERS));
  return ((history.subjects[key]?.sent ?? 0) / weight) * (minutes / QUARTER_MINUTES);
}

/** The usual traffic of a subject. */
export interface UsualTraffic {
  /** Messages in the history, faded. */
  sent: number;
  verified: number;
  /** Its conversion, near the overall one while it has few messages. */
  share: number;
}

/** The usual traffic of a subject; no messages and 70 % without any history. */
export function usualTraffic(history: History | null, key: string): UsualTraffic {
  const overall = history?.subjects[OVERALL_TALLY_KEY] ?? {};
  const overallShare =
    ((overall.verified ?? 0) + NORMAL_WEIGHT * NORMAL_SHARE) / ((overall.sent ?? 0) + NORMAL_WEIGHT);
  const { sent = 0, verified = 0 } = history?.subjects[key] ?? {};
  return { sent, verified, share: (verified + OVERALL_WEIGHT * overallShare) / (sent + OVERALL_WEIGHT) };
}

/**
 * Adds a quarter to the sums, after they have faded for the time since the last one, gaps included. A quarter that comes again
 * or too late changes nothing.
 *
 * A collapse is learned slowly: beyond a dozen messages, a subject that converted less than half as well as usual counts with as
 * many messages as its verifications would be half of the usual share of, or an attack would become the normal case within the hour.
 */
export function foldQuarter(
  history: History | null,
  { quarter, tally }: QuarterTally,
  nowMs: number,
): History {
  if (history !== null && quarter <= history.quarter) return history;
  const left = history === null ? 0 : 0.5 ** ((quarter - history.quarter) / HALF_LIFE_QUARTERS);
  const sums = new Map<string, Counts>();
  for (const [key, counts] of Object.entries(history?.subjects ?? {})) {
    sums.set(
      key,
      mapCounts(counts, (value) => value * left),
    );
  }
  for (const [key, counts] of tally) {
    const lesson = lessonOf(key, counts, usualTraffic(history, key).share);
    if (lesson === null) continue;
    const sum = { ...sums.get(key) };
    addCounts(sum, lesson);
    sums.set(key, sum);
  }
  return {
    quarter,
    sinceMs: history?.sinceMs ?? nowMs,
    subjects: Object.fromEntries(
      [...keepBusiest(sums, HISTORY_SUBJECTS)]
        .filter(([, { sent = 0, verified = 0 }]) => sent + verified >= LEAST_LEFT)
        .map(([key, counts]) => [key, mapCounts(counts, (value) => Math.round(value * 1000) / 1000)]),
    ),
  };
}

/**
 * The share of people who have typed their code by an age, as measured, blended with a prior curve that weighs as much as 200
 * verifications.
 */
export function answerCurve(history: History | null, prior: AnswerCurve): AnswerCurve {
  const overall = history?.subjects[OVERALL_TALLY_KEY] ?? {};
  const counts = bucketCounts(overall, VERIFY_TIME);
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return prior;
  let sofar = 0;
  return VERIFY_TIME.ends.map((end, i) => {
    sofar += counts[i] ?? 0;
    const believed = PRIOR_VERIFICATIONS * verifiedShareBy(end, prior);
    return [end, (believed + sofar) / (PRIOR_VERIFICATIONS + total)] as const;
  });
}

function lessonOf(key: string, counts: Counts, usualShare: number): Counts | null {
  const [dimension, subject] = splitTallyKey(key);
  if (HISTORY_SUBJECTS[dimension] === 0 || subject === OTHER_SUBJECTS) return null;
  const { sent = 0, verified = 0 } = counts;
  const borne = Math.max(TAUGHT_FREELY, verified / (usualShare / 2));
  const lesson: Counts = { sent: Math.min(sent, borne), verified };
  if (key !== OVERALL_TALLY_KEY) return sent + verified > 0 ? lesson : null;
  for (const [name, value] of Object.entries(counts)) {
    if (name.startsWith("verified_by:") || name === "turned_away") lesson[name as Metric] = value ?? 0;
  }
  return lesson;
}

function mapCounts(counts: Counts, change: (value: number) => number): Counts {
  return Object.fromEntries(Object.entries(counts).map(([name, value]) => [name, change(value ?? 0)]));
}

/** This quarter's time of day and the quarter before it, on each of the past seven days, the oldest first. */
export function sameTimeQuarters(nowMs: number): number[] {
  const quarter = quarterOfMinute(minuteOf(nowMs));
  return [7, 6, 5, 4, 3, 2, 1].flatMap((days) => {
    const then = quarter - days * DAY_QUARTERS;
    return [then - 1, then];
  });
}

/** Sums over all traffic of a quarter of an hour or a minute. */
export interface TrafficPoint {
  sent: number;
  verified: number;
  refused: number;
  challenged: number;
}

/** A quarter of an hour (since 1970) and its sums. */
export interface QuarterPoint extends TrafficPoint {
  quarter: number;
}

/** The sums over all traffic in a tally. */
export function trafficPointOf(tally: Tally): TrafficPoint {
  const { sent = 0, verified = 0, refused = 0, challenged = 0 } = tally.get(OVERALL_TALLY_KEY) ?? {};
  return { sent, verified, refused, challenged };
}

/** Appends a quarter that is over, an empty one too, and drops those older than a day. */
export const updateDay = (day: readonly QuarterPoint[], { quarter, tally }: QuarterTally): QuarterPoint[] => [
  ...day.filter((point) => point.quarter > quarter - DAY_QUARTERS && point.quarter !== quarter),
  { quarter, ...trafficPointOf(tally) },
];
