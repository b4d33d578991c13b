import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type AnswerCurve,
  cohortsOf,
  dueShare,
  ratioOfCohorts,
  verifiedShareBy,
} from "../../../../src/domain/monitor/cohorts.ts";
import { MINUTE, T0, windowOf } from "../../../support/watch-tables.ts";

const CURVE: AnswerCurve = [
  [0, 0],
  [60, 0.8],
  [120, 1],
];
const AT = T0 / MINUTE;

test.each([
  [-5, 0],
  [0, 0],
  [30, 0.4],
  [60, 0.8],
  [90, 0.9],
  [1000, 1],
])("at %d s %d of the answers are in", (age, share) => {
  expect(verifiedShareBy(age, CURVE)).toBeCloseTo(share);
});

test("a young cohort counts only as far as it could have been answered, whenever in its minute it left", () => {
  const cohorts = [{ minute: AT, sent: 100, verified: 0 }];
  expect(ratioOfCohorts(cohorts, T0, CURVE).due).toBe(0);
  expect(ratioOfCohorts(cohorts, T0 + MINUTE, CURVE).due).toBeCloseTo(40);
  expect(ratioOfCohorts(cohorts, T0 + 2 * MINUTE, CURVE).due).toBeCloseTo(90);
  expect(ratioOfCohorts(cohorts, T0 + 10 * MINUTE, CURVE).due).toBeCloseTo(100);
  expect(ratioOfCohorts([], T0, CURVE).ratio).toBeNull();
});

test("an answer that came early makes its message due", () => {
  expect(ratioOfCohorts([{ minute: AT, sent: 10, verified: 3 }], T0, CURVE)).toEqual({
    sent: 10,
    verified: 3,
    due: 3,
    ratio: 1,
  });
});

test("cohorts of a subject are in the order of the minutes, and empty where nothing was counted", () => {
  const minutes = windowOf(T0, (ago) => (ago === 1 ? { "country IN": { sent: 4, verified: 2 } } : {}), 3);
  expect(cohortsOf(minutes, "country IN")).toEqual([
    { minute: AT - 2, sent: 0, verified: 0 },
    { minute: AT - 1, sent: 4, verified: 2 },
    { minute: AT, sent: 0, verified: 0 },
  ]);
});

test("a cohort only ripens, and never past the whole", () => {
  const seconds = fc.integer({ min: -100, max: 5000 });
  fc.assert(
    fc.property(seconds, fc.nat(600), (at, later) => {
      const [first, then] = [at, at + later].map((second) => dueShare(AT, T0 + second * 1000, CURVE));
      expect(first).toBeGreaterThanOrEqual(0);
      expect(then).toBeGreaterThanOrEqual(first ?? 0);
      expect(then).toBeLessThanOrEqual(1);
    }),
  );
});
