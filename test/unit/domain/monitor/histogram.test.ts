import fc from "fast-check";
import { expect, test } from "vitest";
import { countDeliveryAttemptTime, countDeliveryTime } from "../../../../src/domain/monitor/counting.ts";
import {
  bucketCounts,
  DELIVERY_ATTEMPT_TIME,
  DELIVERY_TIME,
  type HistogramDefinition,
  histogramEntries,
  histogramQuantile,
  VERIFY_TIME,
} from "../../../../src/domain/monitor/histogram.ts";
import type { CounterEntry, Counts } from "../../../../src/domain/monitor/tally.ts";

const HISTOGRAMS: [string, HistogramDefinition][] = [
  ["time to verify", VERIFY_TIME],
  ["hand-over", DELIVERY_ATTEMPT_TIME],
  ["delivery", DELIVERY_TIME],
];

/** What the counters hold after these times. */
function countsOf(histogram: HistogramDefinition, times: readonly number[]): Counts {
  const counts: Counts = {};
  for (const [metric, amount] of times.flatMap((time) => histogramEntries(histogram, time))) {
    counts[metric] = (counts[metric] ?? 0) + amount;
  }
  return counts;
}

const changes = (entries: readonly CounterEntry[]) =>
  entries.map(({ dimension, subject, metric, how }) => [`${dimension} ${subject}`, metric, how]);

test.each([
  [0, 0],
  [100, 0],
  [101, 1],
  [1000, 5],
  [4000, 9],
  [4003, 10],
  [5000, 10],
  [5001, 11],
  [60_000, 11],
])("a provider that answers after %s ms is in bucket %s, and counts for itself alone", (tookMs, bucket) => {
  expect(changes(countDeliveryAttemptTime("twilio", tookMs))).toEqual([
    ["provider twilio", "hand_over_ms", { add: tookMs }],
    ["provider twilio", `handed_over_by:${bucket}`, { add: 1 }],
  ]);
});

test("a clock that stepped back is no time at all, since a counter cannot hold less than nothing", () => {
  expect(changes(countDeliveryAttemptTime("twilio", -20))).toEqual([
    ["provider twilio", "hand_over_ms", { add: 0 }],
    ["provider twilio", "handed_over_by:0", { add: 1 }],
  ]);
});

test.each([
  ["nothing stated", null, 9000],
  ["a stated time in between", 1_004_000, 4000],
  ["a second stated in which it was handed over", 999_001, 0],
  ["the very moment it was heard", 1_009_000, 9000],
  ["the moment it was handed over", 1_000_000, 0],
  ["a time before it was handed over, by a slow clock or another zone", 999_000, 9000],
  ["a time that is yet to come", 1_009_001, 9000],
])("with %s, a delivery heard after nine seconds took %s: %s ms", (_, statedMs, tookMs) => {
  const times = { handedOverMs: 1_000_000, statedMs, heardMs: 1_009_000 };
  const [sum] = countDeliveryTime({ provider: "twilio", channel: "sms" }, times);
  expect(sum).toEqual({
    dimension: "provider",
    subject: "twilio",
    metric: "delivery_ms",
    how: { add: tookMs },
  });
});

test("a call's receipt comes when it ends, and says nothing of how long it took to arrive", () => {
  const times = { handedOverMs: 0, statedMs: null, heardMs: 40_000 };
  expect(countDeliveryTime({ provider: "twilio", channel: "voice" }, times)).toEqual([]);
  expect(countDeliveryTime({ provider: "twilio", channel: "whatsapp" }, times)).toHaveLength(2);
});

test.each([
  ["none", [], 0.5, null],
  ["one, in the middle of its bucket", [150], 0.5, 150],
  ["half of them quick", [90, 90, 400, 400], 0.5, 100],
  ["one in twenty slow, which 95 % need not wait for", [...Array(19).fill(80), 4500], 0.95, 100],
  ["one in ten given up", [...Array(18).fill(80), 4001, 4001], 0.95, 4500],
  ["what lies in the open bucket", [80, 9000, 9000, 9000], 0.95, 5000],
])("of %s, a quantile is read from the buckets", (_, times, share, expected) => {
  expect(histogramQuantile(countsOf(DELIVERY_ATTEMPT_TIME, times), DELIVERY_ATTEMPT_TIME, share)).toBe(
    expected,
  );
});

test.each(HISTOGRAMS)(
  "a quantile of %s lies in the bucket of the time that it stands for",
  (_, histogram) => {
    const most = histogram.ends.at(-1) ?? 0;
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: most * 2 }), { minLength: 1, maxLength: 60 }),
        fc.constantFrom(0.5, 0.95),
        (times, share) => {
          const found = histogramQuantile(countsOf(histogram, times), histogram, share) ?? Number.NaN;
          const exact = times.toSorted((a, b) => a - b)[Math.ceil(share * times.length) - 1] ?? Number.NaN;
          const at = histogram.ends.findIndex((end) => exact <= end);
          const start = at === -1 ? most : (histogram.ends[at - 1] ?? 0);
          expect(found).toBeGreaterThanOrEqual(start);
          expect(found).toBeLessThanOrEqual(histogram.ends[at] ?? most);
        },
      ),
    );
  },
);

test.each(HISTOGRAMS)("the buckets of %s hold every time once, and rise", (_, histogram) => {
  expect(histogram.ends).toEqual(histogram.ends.toSorted((a, b) => a - b));
  expect(new Set(histogram.ends).size).toBe(histogram.ends.length);
  fc.assert(
    fc.property(fc.array(fc.nat({ max: 1_000_000 }), { maxLength: 60 }), (times) => {
      const counts = countsOf(histogram, times);
      const total = bucketCounts(counts, histogram).reduce((sum, count) => sum + count, 0);
      expect(total).toBe(times.length);
      expect(counts[histogram.sum] ?? 0).toBe(times.reduce((sum, time) => sum + time, 0));
    }),
  );
});
