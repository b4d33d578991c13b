import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { verifiedShareBy } from "../../../../src/domain/monitor/cohorts.ts";
import {
  answerCurve,
  foldQuarter,
  type History,
  quartersToFold,
  usualSent,
  usualTraffic,
} from "../../../../src/domain/monitor/history.ts";
import type { Counts } from "../../../../src/domain/monitor/tally.ts";
import { OVERALL_TALLY_KEY } from "../../../../src/domain/monitor/tally.ts";
import { policySchema } from "../../../../src/domain/policy.ts";
import { MINUTE, T0 } from "../../../support/watch-tables.ts";

const PRIOR = policySchema.shape.monitor.parse({}).answer_curve;
const QUARTER = T0 / (15 * MINUTE);
const quarter = (at: number, subjects: Record<string, Counts>) => ({
  quarter: at,
  tally: new Map(Object.entries(subjects)),
});
const fold = (history: History | null, at: number, subjects: Record<string, Counts>) =>
  foldQuarter(history, quarter(at, subjects), at * 15 * MINUTE);

test("rules in record-only mode leave no trace in the history", () => {
  const counted = {
    "country IN": { sent: 40, verified: 3 },
    "rule tor/signup": { met: 50, sent: 40, verified: 3 },
  };
  const { subjects } = fold(null, QUARTER, counted);
  expect(Object.keys(subjects)).toEqual(["country IN"]);
});

describe("ripe quarters", () => {
  test("are those that ended at least fifteen minutes ago", () => {
    expect(quartersToFold(QUARTER - 3, T0)).toEqual([QUARTER - 2]);
    expect(quartersToFold(QUARTER - 3, T0 - MINUTE)).toEqual([]);
    expect(quartersToFold(QUARTER - 2, T0 + 14 * MINUTE)).toEqual([]);
    expect(quartersToFold(QUARTER - 2, T0 + 15 * MINUTE)).toEqual([QUARTER - 1]);
  });

  test("of missed runs are caught up with as far as every minute of them is still there", () => {
    const all = quartersToFold(0, T0);
    expect(all[0]).toBe(QUARTER - 7);
    expect(all.at(-1)).toBe(QUARTER - 2);
  });

  test("come each exactly once, whatever runs are missed for less than an hour", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 5, maxLength: 60 }), (gaps) => {
        let [nowMs, foldedTo] = [T0, QUARTER - 2];
        const folded: number[] = [];
        for (const gap of gaps) {
          nowMs += gap * MINUTE;
          for (const ripe of quartersToFold(foldedTo, nowMs)) {
            folded.push(ripe);
            foldedTo = ripe;
          }
        }
        expect(folded).toEqual(folded.map((_, i) => QUARTER - 1 + i));
      }),
    );
  });
});

describe("the history", () => {
  test("fades to half in three days, with or without quarters in between", () => {
    const first = fold(null, QUARTER, { "country IN": { sent: 100, verified: 70 } });
    const after = fold(first, QUARTER + 288, {});
    expect(after.subjects["country IN"]).toEqual({ sent: 50, verified: 35 });
    const steps = Array.from({ length: 288 }, (_, i) => QUARTER + 1 + i);
    const stepwise = steps.reduce((history, at) => fold(history, at, {}), first);
    expect(stepwise.subjects["country IN"]?.sent).toBeCloseTo(50, 0);
    expect(after.sinceMs).toBe(first.sinceMs);
  });

  test("takes a quarter once", () => {
    const first = fold(null, QUARTER, { "country IN": { sent: 10, verified: 7 } });
    expect(fold(first, QUARTER, { "country IN": { sent: 10, verified: 7 } })).toBe(first);
    expect(fold(first, QUARTER - 1, { "country IN": { sent: 10, verified: 7 } })).toBe(first);
  });

  test("keeps destinations, sources and flows, and neither addresses nor hundreds nor what was not told apart", () => {
    const counts = { sent: 1, verified: 1 };
    const { subjects } = fold(null, QUARTER, {
      [OVERALL_TALLY_KEY]: { ...counts, "verified_by:3": 1, turned_away: 2, refused: 9 },
      "prefix +91987": counts,
      "network AS1": { ...counts, numbers: 1 },
      "address abc": counts,
      "hundred +9198765432": counts,
      "block *": counts,
    });
    expect(subjects).toEqual({
      [OVERALL_TALLY_KEY]: { ...counts, "verified_by:3": 1, turned_away: 2 },
      "prefix +91987": counts,
      "network AS1": counts,
    });
  });

  test("is bounded, and keeps the busiest: a quarter over ten thousand ranges does not grow it", () => {
    const many = Object.fromEntries(
      Array.from({ length: 10_000 }, (_, i) => [
        `block +91${900_000 + i}`,
        { sent: 1 + (i % 50), verified: 0 },
      ]),
    );
    const history = fold(null, QUARTER, many);
    expect(Object.keys(history.subjects)).toHaveLength(150);
    expect(Math.min(...Object.values(history.subjects).map(({ sent = 0 }) => sent))).toBe(12);
    expect(JSON.stringify(history).length).toBeLessThan(10_000);
  });

  test("an hour of an attack that nobody answers does not become the normal case", () => {
    let history: History | null = null;
    for (let at = QUARTER; at < QUARTER + 288; at++) {
      history = fold(history, at, { "country IN": { sent: 5, verified: 3.5 } });
    }
    for (let at = QUARTER + 288; at < QUARTER + 292; at++) {
      history = fold(history, at, { "country IN": { sent: 300, verified: 4 } });
    }
    expect(usualTraffic(history, "country IN").share).toBeGreaterThan(0.65);
  });

  test("a lasting change is learned within days", () => {
    let history: History | null = null;
    for (let at = QUARTER; at < QUARTER + 288; at++) {
      history = fold(history, at, { "country IN": { sent: 30, verified: 21 } });
    }
    for (let at = QUARTER + 288; at < QUARTER + 6 * 96; at++) {
      history = fold(history, at, { "country IN": { sent: 30, verified: 12 } });
    }
    expect(usualTraffic(history, "country IN").share).toBeLessThan(0.55);
  });
});

describe("what is usual", () => {
  test("is 70 % of nothing before anything is known", () => {
    expect(usualTraffic(null, "country IN")).toEqual({ sent: 0, verified: 0, share: 0.7 });
  });

  test("is drawn to the overall conversion while there are few messages", () => {
    const history = fold(null, QUARTER, {
      [OVERALL_TALLY_KEY]: { sent: 10_000, verified: 6000 },
      "country IN": { sent: 2, verified: 2 },
      "country BR": { sent: 5000, verified: 4000 },
    });
    expect(usualTraffic(history, "country IN").share).toBeCloseTo(0.636, 2);
    expect(usualTraffic(history, "country BR").share).toBeCloseTo(0.8, 2);
  });

  test("the usual traffic is found again from the faded sums, young or old", () => {
    let history: History | null = null;
    for (let at = QUARTER; at < QUARTER + 10; at++)
      history = fold(history, at, { "country IN": { sent: 6 } });
    expect(usualSent(history, "country IN", 15)).toBeCloseTo(6, 1);
    for (let at = QUARTER + 10; at < QUARTER + 900; at++) {
      history = fold(history, at, { "country IN": { sent: 6, verified: 4 } });
    }
    expect(usualSent(history, "country IN", 30)).toBeCloseTo(12, 1);
    expect(usualSent(null, "country IN", 15)).toBe(0);
  });
});

describe("the answer curve", () => {
  const measured = (counts: Record<number, number>): Counts =>
    Object.fromEntries(Object.entries(counts).map(([bucket, count]) => [`verified_by:${bucket}`, count]));
  const curveOf = (counts: Counts) =>
    answerCurve({ quarter: QUARTER, sinceMs: T0, subjects: { [OVERALL_TALLY_KEY]: counts } }, PRIOR);

  test("is the prior before anything was measured", () => {
    expect(answerCurve(null, PRIOR)).toBe(PRIOR);
    expect(curveOf({ sent: 5, verified: 0 })).toBe(PRIOR);
  });

  test("two hundred verifications weigh as much as the prior", () => {
    // All within 5 s, where the prior has none; at 30 s the prior has 65 %.
    expect(verifiedShareBy(5, curveOf(measured({ 0: 200 })))).toBeCloseTo(0.5);
    expect(verifiedShareBy(30, curveOf(measured({ 0: 200 })))).toBeCloseTo((0.65 + 1) / 2);
  });

  test("many slow answers make messages ripen later", () => {
    const curve = curveOf(measured({ 9: 100_000 }));
    expect(verifiedShareBy(60, curve)).toBeLessThan(0.01);
    expect(verifiedShareBy(180, curve)).toBeCloseTo(1);
  });

  test("always rises and never passes the whole, whatever was measured", () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5000), { minLength: 13, maxLength: 13 }), (counts) => {
        const curve = curveOf(measured(Object.fromEntries(counts.entries())));
        for (const [i, [age, share]] of curve.entries()) {
          expect(age).toBeGreaterThan(curve[i - 1]?.[0] ?? -1);
          expect(share).toBeGreaterThanOrEqual(curve[i - 1]?.[1] ?? 0);
          expect(share).toBeLessThanOrEqual(1);
        }
      }),
    );
  });
});
