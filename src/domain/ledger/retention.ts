import { DAY_MS } from "../kernel/time.ts";
import type { RetentionPolicy } from "./retention.policy.ts";

/** The times before which each class of data is deleted. Data that is exactly as old as allowed stays. */
export function retentionCutoffs(
  policy: Omit<RetentionPolicy, "max_rows">,
  nowMs: number,
): { numbersBeforeMs: number; addressesBeforeMs: number; eventsBeforeMs: number } {
  return {
    numbersBeforeMs: nowMs - policy.number_days * DAY_MS,
    addressesBeforeMs: nowMs - policy.ip_days * DAY_MS,
    eventsBeforeMs: nowMs - policy.events_days * DAY_MS,
  };
}
