import fc from "fast-check";
import { expect, test } from "vitest";
import { DAY_QUARTERS, type QuarterPoint, updateDay } from "../../../../src/domain/monitor/history.ts";

const folded = (quarter: number, sent = quarter) => ({
  quarter,
  tally: new Map([
    ["overall all", { sent, verified: 1, refused: 2, challenged: 3, micros: 9 }],
    ["country IN", { sent: 7 }],
  ]),
});

test("a quarter leaves what everything together came to", () => {
  expect(updateDay([], folded(5))).toEqual([{ quarter: 5, sent: 5, verified: 1, refused: 2, challenged: 3 }]);
  expect(updateDay([], { quarter: 6, tally: new Map() })).toEqual([
    { quarter: 6, sent: 0, verified: 0, refused: 0, challenged: 0 },
  ]);
});

test("a day is remembered and no more, whatever was left out", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 200 }), (gaps) => {
      let quarter = 0;
      let day: QuarterPoint[] = [];
      for (const gap of gaps) {
        quarter += gap;
        day = updateDay(day, folded(quarter));
      }
      const quarters = day.map((point) => point.quarter);
      expect(quarters).toEqual([...new Set(quarters)].sort((a, b) => a - b));
      expect(quarters.every((each) => each > quarter - DAY_QUARTERS)).toBe(true);
      expect(quarters.at(-1) ?? 0).toBe(quarter);
    }),
  );
});

test("a quarter that comes again replaces itself", () => {
  expect(updateDay(updateDay([], folded(5, 1)), folded(5, 8)).map(({ sent }) => sent)).toEqual([8]);
});
