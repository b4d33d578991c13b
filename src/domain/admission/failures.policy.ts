/** Wrong codes in a row, over all sessions, and the waits they cost. */
import * as z from "zod";
import { type PolicyOf, seconds } from "../kernel/shapes.policy.ts";
import { DAY_SECONDS, HOUR_SECONDS } from "../kernel/time.ts";

export const failurePolicy = z
  .strictObject({
    /** Wrong codes that cost no wait. */
    free: z.int().min(1).max(20).default(5),
    /** Wait after each further `free` failures; the last one repeats. Short, because a stranger may be causing it. */
    wait_seconds: z.array(seconds(1, HOUR_SECONDS)).min(1).default([30, 120, 600, 1800]),
    /** Failures in a row after which the longest wait applies at once (NIST SP 800-63B-4 section 3.2.2: 100). */
    ceiling: z.int().min(5).max(100).default(100),
    /** After this long without a failure they are forgotten. */
    memory_seconds: seconds(HOUR_SECONDS, 30 * DAY_SECONDS).default(DAY_SECONDS),
  })
  .prefault({});

export type FailurePolicy = PolicyOf<typeof failurePolicy>;
