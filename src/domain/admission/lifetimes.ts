/** Lifetimes of budgets and of people's marks, in whatever store they are kept. */

import { DAY_SECONDS, HOUR_SECONDS } from "../kernel/time.ts";

/** Life of what a destination has earned: one that verified nobody for this long is new again. */
export const EARNED_SECONDS = 30 * DAY_SECONDS;

/** Least life of a reservation that can still be released or credited: longer than any session lives. */
const RESERVATION_SECONDS = HOUR_SECONDS;

/**
 * Life of a reservation: its number may verify in another session as long as its units count.
 *
 * @param taken the levels it took of
 */
export const reservationSeconds = (taken: readonly { windowSeconds: number }[]): number =>
  Math.max(RESERVATION_SECONDS, ...taken.map(({ windowSeconds }) => windowSeconds));

/** Life of a verified number's mark as known, and of a device's token. */
export const KNOWN_SECONDS = 180 * DAY_SECONDS;

/** Time a demanded challenge may take to come back. */
export const CHALLENGE_DEMAND_SECONDS = 600;
