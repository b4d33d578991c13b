import { QUARTER_MINUTES, quarterOf } from "./history.ts";

const QUARTERS_PER_DAY = (24 * 60) / QUARTER_MINUTES;

/** This quarter's time of day and the quarter before it, on each of the past seven days, the oldest first. */
export function sameTimeQuarters(nowMs: number): number[] {
  const quarter = quarterOf(Math.floor(nowMs / 60_000));
  return [7, 6, 5, 4, 3, 2, 1].flatMap((days) => {
    const then = quarter - days * QUARTERS_PER_DAY;
    return [then - 1, then];
  });
}
