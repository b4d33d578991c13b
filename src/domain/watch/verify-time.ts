import { type Counts, VERIFY_BUCKETS } from "./tally.ts";

/** How many verifications took at most so long, by the buckets of the tally; the last one is open. */
export const verifyBuckets = (counts: Counts): number[] =>
  Array.from({ length: VERIFY_BUCKETS.length + 1 }, (_, at) => counts[`verified_by:${at}`] ?? 0);

/**
 * The time (seconds) within which a share of the verifications came, read from the histogram by linear interpolation.
 *
 * @param share 0.5 for the median
 * @returns null without verifications; the last bucket's beginning for what lies in the open one
 */
export function verifyQuantile(counts: Counts, share: number): number | null {
  const buckets = verifyBuckets(counts);
  const wanted = share * buckets.reduce((sum, count) => sum + count, 0);
  if (wanted === 0) return null;
  let before = 0;
  for (const [at, count] of buckets.entries()) {
    const [start, end] = [VERIFY_BUCKETS[at - 1] ?? 0, VERIFY_BUCKETS[at]];
    if (end === undefined) return start;
    if (before + count >= wanted) return start + ((wanted - before) / count) * (end - start);
    before += count;
  }
  return null;
}
