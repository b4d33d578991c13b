import fc from "fast-check";
import { expect, test } from "vitest";
import { dayOf, instantMs, rfc3339 } from "../../../../src/domain/kernel/instant.ts";
import { MINUTE_MS } from "../../../../src/domain/kernel/time.ts";

const two = (n: number) => String(n).padStart(2, "0");
const dates = fc.date({
  min: new Date("1970-01-01"),
  max: new Date("9999-12-31T23:59:59.999Z"),
  noInvalidDate: true,
});

test("from 1970 to 9999 an instant is read as the platform reads it, with any offset", () => {
  fc.assert(
    fc.property(dates, fc.integer({ min: -12 * 60, max: 14 * 60 }), (date, offset) => {
      const local = new Date(date.getTime() + offset * MINUTE_MS);
      fc.pre(local.getTime() >= 0 && local.getUTCFullYear() <= 9999);
      const zone = `${offset < 0 ? "-" : "+"}${two(Math.floor(Math.abs(offset) / 60))}:${two(Math.abs(offset) % 60)}`;
      const text = `${local.toISOString().slice(0, 19)}${zone}`;
      expect(instantMs(text)).toBe(Date.parse(text));
    }),
  );
});

test("from 1970 to 9999 an instant is written so that it reads back, to the second", () => {
  fc.assert(
    fc.property(dates, (date) => {
      expect(instantMs(rfc3339(date.getTime()))).toBe(Math.floor(date.getTime() / 1000) * 1000);
      expect(dayOf(date.getTime())).toBe(date.toISOString().slice(0, 10));
    }),
  );
});

test.each([
  ["a leap second is the second after it", "2016-12-31T23:59:60Z", Date.UTC(2017, 0, 1)],
  ["a leap day", "2024-02-29T12:00:00Z", Date.UTC(2024, 1, 29, 12)],
  ["a century without one", "2100-03-01T00:00:00Z", Date.UTC(2100, 1, 29)],
  ["the zero time of Go", "0001-01-01T00:00:00Z", -62_135_596_800_000],
  ["no seconds", "2026-07-16T02:14Z", Date.UTC(2026, 6, 16, 2, 14)],
  ["a fraction", "2026-07-16T02:14:00.25Z", Date.UTC(2026, 6, 16, 2, 14, 0, 250)],
])("%s", (_, text, ms) => {
  expect(instantMs(text)).toBe(ms);
});

test.each([
  ["30 February", "2026-02-30T00:00:00Z"],
  ["29 February of a common year", "2026-02-29T12:00:00Z"],
  ["29 February of a century", "2100-02-29T12:00:00Z"],
  ["31 April", "2026-04-31T00:00Z"],
  ["day 0", "2026-03-00T00:00:00Z"],
  ["month 0", "2026-00-10T00:00:00Z"],
  ["month 13", "2026-13-01T00:00:00Z"],
  ["hour 24", "2026-03-01T24:00:00Z"],
  ["minute 60", "2026-03-01T10:60:00Z"],
  ["second 61", "2026-03-01T10:00:61Z"],
  ["an offset of 24 hours", "2026-03-01T10:00:00+24:00"],
  ["an offset of 60 minutes", "2026-03-01T10:00:00+01:60"],
])("%s is refused, not moved to another time", (_, text) => {
  expect(instantMs(text)).toBeNaN();
});
