/** The last day at a glance: what everything together came to in each quarter of an hour that is over. */
import { DAY_QUARTERS, OVERALL, type QuarterTally } from "./history.ts";
import type { Tally } from "./tally.ts";

/** Sums over everything, of a quarter or of a minute. */
export interface RatioPoint {
  sent: number;
  verified: number;
  refused: number;
  challenged: number;
}

/** A quarter (since 1970) and its sums. */
export interface DayPoint extends RatioPoint {
  quarter: number;
}

export function ratioPointOf(tally: Tally): RatioPoint {
  const { sent = 0, verified = 0, refused = 0, challenged = 0 } = tally.get(OVERALL) ?? {};
  return { sent, verified, refused, challenged };
}

/** Puts a quarter that is over at the end, an empty one too; what is older than a day goes. */
export const updateDay = (day: readonly DayPoint[], { quarter, tally }: QuarterTally): DayPoint[] => [
  ...day.filter((point) => point.quarter > quarter - DAY_QUARTERS && point.quarter !== quarter),
  { quarter, ...ratioPointOf(tally) },
];
