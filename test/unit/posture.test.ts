import { expect, test } from "vitest";
import { answeredBy, readRatio } from "../../src/domain/watch/cohorts.ts";
import {
  type ControlDocument,
  isAttack,
  type MonitorPolicy,
  nextControl,
} from "../../src/domain/watch/posture.ts";

const POLICY: MonitorPolicy = {
  window_minutes: 15,
  min_sends: 30,
  alarm_ratio: 0.3,
  clear_after_minutes: 15,
  flag_seconds: 3600,
  answer_curve: [
    [0, 0],
    [60, 0.8],
    [120, 1],
  ],
};
const T0 = 1_800_000_000_000;
const MINUTE = 60_000;
const reading = (due: number, verified: number) => ({ sent: due, verified, due, ratio: verified / due });
const flag = (over: Partial<ControlDocument> = {}): ControlDocument => ({
  posture: "emergency",
  since_ms: T0,
  until_ms: T0 + 60 * MINUTE,
  by: "cron",
  why: "test",
  healthy_since_ms: null,
  ...over,
});

test.each([
  [-5, 0],
  [0, 0],
  [30, 0.4],
  [60, 0.8],
  [90, 0.9],
  [1000, 1],
])("at %d s %d of the answers are in", (age, share) => {
  expect(answeredBy(age, POLICY.answer_curve)).toBeCloseTo(share);
});

test("a young cohort counts only as far as it could have been answered", () => {
  const minute = T0 / MINUTE;
  const cohorts = [{ minute, sent: 100, verified: 0 }];
  expect(readRatio(cohorts, T0 + 30_000, POLICY.answer_curve).due).toBe(0);
  expect(readRatio(cohorts, T0 + 90_000, POLICY.answer_curve).due).toBe(80);
  expect(readRatio(cohorts, T0 + 10 * MINUTE, POLICY.answer_curve).due).toBe(100);
  expect(readRatio([], T0, POLICY.answer_curve).ratio).toBeNull();
});

test.each([
  [31, 0, true],
  [31, 9, true],
  [31, 10, false],
  [30, 0, false],
  [1000, 299, true],
  [1000, 300, false],
])("%d due and %d verified is an attack: %s", (due, verified, attack) => {
  expect(isAttack(reading(due, verified), POLICY)).toBe(attack);
});

test("the flag goes up for an hour, is extended while the attack lasts, and keeps its beginning", () => {
  const raised = nextControl(null, reading(100, 5), POLICY, T0);
  expect(raised).toMatchObject({
    kind: "write",
    document: { posture: "emergency", since_ms: T0, until_ms: T0 + 60 * MINUTE },
  });
  expect(nextControl(flag(), reading(100, 5), POLICY, T0 + 20 * MINUTE)).toMatchObject({
    kind: "write",
    document: { since_ms: T0, until_ms: T0 + 80 * MINUTE, healthy_since_ms: null },
  });
});

test("fifteen healthy minutes in a row take it down; one bad minute starts them again", () => {
  const first = nextControl(flag(), reading(100, 70), POLICY, T0 + MINUTE);
  if (first.kind !== "write") throw new Error("the first healthy minute is written down");
  expect(nextControl(first.document, reading(100, 70), POLICY, T0 + 15 * MINUTE).kind).toBe("keep");
  expect(nextControl(first.document, reading(100, 5), POLICY, T0 + 15 * MINUTE)).toMatchObject({
    document: { healthy_since_ms: null },
  });
  expect(nextControl(first.document, reading(100, 70), POLICY, T0 + 16 * MINUTE).kind).toBe("clear");
});

test("what a person set stays, whatever the cron sees; what has ended counts no more", () => {
  expect(nextControl(flag({ by: "operator", posture: "normal" }), reading(100, 0), POLICY, T0).kind).toBe(
    "keep",
  );
  expect(nextControl(flag({ by: "operator" }), reading(100, 90), POLICY, T0 + 61 * MINUTE).kind).toBe("keep");
  expect(nextControl(flag({ by: "operator" }), reading(100, 0), POLICY, T0 + 61 * MINUTE).kind).toBe("write");
});
