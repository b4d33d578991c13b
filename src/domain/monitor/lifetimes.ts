/** Lifetimes of the monitor's counters and memory, in whatever store they are kept. */

import { DAY_SECONDS, HOUR_SECONDS } from "../kernel/time.ts";

/** Life of a minute's counters: longer than any window the monitor reads (60 min) and any session lives. */
export const MINUTE_COUNTERS_SECONDS = 7200;

/** Distinct members counted of one subject; far above any honest network's numbers in a quarter of an hour. */
export const MEMBERS_PER_QUARTER = 1000;

/** Life of a set of distinct members: a quarter of an hour, and time for what is booked to it late. */
export const QUARTER_MEMBERS_SECONDS = 2400;

/** Life of an outcome's claim: longer than any proof that an outcome is reported with. */
export const OUTCOME_CLAIM_SECONDS = 8 * DAY_SECONDS;

/** Life of a run's lock: shorter than the minute after which the next run comes, so that a run that died holds up none. */
export const MONITOR_LOCK_MS = 55_000;

/** The cause that a run which outlived its lock gets: nothing of it was kept. */
export const RUN_LOST_CAUSE = "the run took too long and was given up";

/** Life of a quarter's tally: the same time of day a week ago, and a quarter more. */
export const QUARTER_TALLY_SECONDS = 8 * DAY_SECONDS + HOUR_SECONDS;
