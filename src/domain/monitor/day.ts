/** The last day at a glance: the sums over all traffic of each quarter of an hour that is over. */
import { DAY_QUARTERS, type QuarterTally } from "./history.ts";
import type { Tally } from "./tally.ts";
import { OVERALL } from "./tally.ts";

/** Sums over all traffic of a quarter of an hour or a minute. */
export interface RatioPoint {
  sent: number;
  verified: number;
  refused: number;
  challenged: number;
}

/** A quarter of an hour (since 1970) and its sums. */
export interface DayPoint extends RatioPoint {
  quarter: number;
}

/** The sums over all traffic in a tally. */
export function ratioPointOf(tally: Tally): RatioPoint {
  const { sent = 0, verified = 0, refused = 0, challenged = 0 } = tally.get(OVERALL) ?? {};
  return { sent, verified, refused, challenged };
}

/** Appends a quarter that is over, an empty one too, and drops those older than a day. */
export const updateDay = (day: readonly DayPoint[], { quarter, tally }: QuarterTally): DayPoint[] => [
  ...day.filter((point) => point.quarter > quarter - DAY_QUARTERS && point.quarter !== quarter),
  { quarter, ...ratioPointOf(tally) },
];
