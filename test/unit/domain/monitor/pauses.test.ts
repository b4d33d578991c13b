import { expect, test } from "vitest";
import { findPause, isProviderPaused, type Pause } from "../../../../src/domain/monitor/pause.ts";

const NOW = 1_900_000_000_000;
const paused = (kind: Pause["kind"], subject: string, untilMs = NOW + 1): Pause => ({
  kind,
  subject,
  sinceMs: NOW - 1000,
  untilMs,
  by: "anna",
  why: "a test",
});

test("a paused country or flow stops its messages until the pause ends, and no others", () => {
  const pauses = [paused("country", "NG"), paused("flow", "signup")];
  expect(findPause(pauses, { country: "NG", flow: "login" }, NOW)).toMatchObject({ subject: "NG" });
  expect(findPause(pauses, { country: "IN", flow: "signup" }, NOW)).toMatchObject({ subject: "signup" });
  expect(findPause(pauses, { country: "IN", flow: "login" }, NOW)).toBeNull();
  expect(findPause(pauses, { country: "NG", flow: "signup" }, NOW + 1)).toBeNull();
});

test("names of one kind stop nothing of another", () => {
  const pauses = [paused("flow", "NG"), paused("provider", "IN"), paused("provider", "twilio", NOW)];
  expect(findPause(pauses, { country: "NG", flow: "IN" }, NOW)).toBeNull();
  expect(isProviderPaused(pauses, "IN", NOW)).toBe(true);
  expect(isProviderPaused(pauses, "NG", NOW)).toBe(false);
  expect(isProviderPaused(pauses, "twilio", NOW), "it has ended").toBe(false);
});
