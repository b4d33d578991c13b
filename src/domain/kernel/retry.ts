/** Waits between attempts at work that others may fail to take: queue messages, alerts, webhooks. */
import { HOUR_SECONDS } from "./time.ts";

const FIRST_WAIT_SECONDS = 10;
const LONGEST_WAIT_SECONDS = HOUR_SECONDS;

/**
 * Seconds until the next attempt: twice as long after each one, between half and all of it by chance, and never before the
 * other side allows.
 *
 * @param attempts made so far, at least 1
 * @param askedSeconds the wait the other side asked for; null where it did not
 * @param random numbers from 0 up to, but not including, 1
 */
export function retryDelaySeconds(
  attempts: number,
  askedSeconds: number | null,
  random: () => number,
): number {
  const full = FIRST_WAIT_SECONDS * 2 ** (attempts - 1);
  const wait = Math.max(full * (0.5 + random() / 2), askedSeconds ?? 0);
  return Math.min(LONGEST_WAIT_SECONDS, Math.ceil(wait));
}
