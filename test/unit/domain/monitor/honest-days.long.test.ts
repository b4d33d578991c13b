import { expect, test } from "vitest";
import { fortnight } from "../../../support/watch-world.ts";

test("a thousand honest messages a day for a fortnight, with nights, weekends and a five-fold day: no emergency, elevated once at most", {
  timeout: 120_000,
}, () => {
  const { emergencies, elevated, shut, kinds, incidents } = fortnight("h0", 1000);
  expect(emergencies).toBe(0);
  expect(elevated).toBeLessThanOrEqual(1);
  expect(incidents.size).toBeLessThanOrEqual(1);
  // Of all that honest people asked for at most one range or network was shut for an hour.
  expect(shut.length).toBeLessThanOrEqual(1);
  // The five-fold day is told to people, and no other.
  expect(kinds["volume_high notice"]).toBeGreaterThan(300);
  expect(kinds["volume_high notice"]).toBeLessThanOrEqual(1455);
});
