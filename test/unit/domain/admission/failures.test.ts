import { expect, test } from "vitest";
import { waitSecondsAfterWrongCodes } from "../../../../src/domain/admission/failures.ts";

const POLICY = { free: 5, wait_seconds: [30, 120, 600], ceiling: 100, memory_seconds: 86_400 };
const NOW = 1_800_000_000_000;

test.each([
  [0, 0],
  [4, 0],
  [5, 30],
  [9, 30],
  [10, 120],
  [15, 600],
  [99, 600],
  [100, 600],
  [5000, 600],
])("after %d failures in a row the wait is %d s", (count, wait) => {
  expect(waitSecondsAfterWrongCodes({ count, lastAtMs: NOW }, POLICY, NOW)).toBe(wait);
});

test("the wait runs from the last failure and ends", () => {
  expect(waitSecondsAfterWrongCodes({ count: 5, lastAtMs: NOW }, POLICY, NOW + 29_001)).toBe(1);
  expect(waitSecondsAfterWrongCodes({ count: 5, lastAtMs: NOW }, POLICY, NOW + 30_000)).toBe(0);
  expect(waitSecondsAfterWrongCodes(null, POLICY, NOW)).toBe(0);
});
