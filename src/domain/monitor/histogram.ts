/** Histograms of times in the counters: a sum and a few buckets, from which a median and a 95th percentile can be read. */
import type { Counts, Metric } from "./tally.ts";

/** The counters of one kind of time, and its buckets. */
export interface HistogramDefinition {
  /** Upper ends of the buckets; longer times are in the last, open one. */
  ends: readonly number[];
  /** Units of the ends and the sum in a second. */
  perSecond: 1 | 1000;
  sum: Metric;
  /** Its buckets are `<bucket>:<index>`. */
  bucket: "verified_by" | "handed_over_by" | "delivered_by";
}

/** From a session's last message to its right code, in seconds. */
export const VERIFY_TIME: HistogramDefinition = {
  ends: [5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300, 600],
  perSecond: 1,
  sum: "verify_seconds",
  bucket: "verified_by",
};

/**
 * From the beginning of a delivery attempt to the provider's answer, whatever that was, or to giving up. A healthy provider takes a
 * quarter of a second to one; a route is given up after half of `delivery.timeout_ms`: 4 s by default, 5 s at most.
 */
export const DELIVERY_ATTEMPT_TIME: HistogramDefinition = {
  ends: [100, 200, 300, 500, 750, 1000, 1500, 2000, 3000, 4000, 5000],
  perSecond: 1000,
  sum: "hand_over_ms",
  bucket: "handed_over_by",
};

/**
 * From a delivery attempt to the delivery. Text messages take some seconds, people ask again after a minute, and no code lives
 * longer than ten.
 */
export const DELIVERY_TIME: HistogramDefinition = {
  ends: [1, 2, 3, 5, 8, 12, 20, 30, 45, 60, 120, 180, 300, 600].map((seconds) => seconds * 1000),
  perSecond: 1000,
  sum: "delivery_ms",
  bucket: "delivered_by",
};

/** The counters and amounts that one time adds. A negative time, from a clock that stepped back, adds zero. */
export function histogramEntries(
  { ends, sum, bucket }: HistogramDefinition,
  time: number,
): [Metric, number][] {
  const at = ends.findIndex((end) => time <= end);
  return [
    [sum, Math.max(0, Math.round(time))],
    [`${bucket}:${at === -1 ? ends.length : at}`, 1],
  ];
}

/** The counts of the buckets; the last one is open. */
export const bucketCounts = (counts: Counts, { ends, bucket }: HistogramDefinition): number[] =>
  Array.from({ length: ends.length + 1 }, (_, at) => counts[`${bucket}:${at}`] ?? 0);

/**
 * The time within which a share of the counted times lies, read from the buckets by linear interpolation.
 *
 * @param share 0.5 for the median
 * @returns null where nothing was counted; the beginning of the open bucket for a time in it
 */
export function histogramQuantile(
  counts: Counts,
  histogram: HistogramDefinition,
  share: number,
): number | null {
  const buckets = bucketCounts(counts, histogram);
  const wanted = share * buckets.reduce((sum, count) => sum + count, 0);
  if (wanted === 0) return null;
  let before = 0;
  for (const [at, count] of buckets.entries()) {
    const [start, end] = [histogram.ends[at - 1] ?? 0, histogram.ends[at]];
    if (end === undefined) return start;
    if (before + count >= wanted) return start + ((wanted - before) / count) * (end - start);
    before += count;
  }
  return null;
}
