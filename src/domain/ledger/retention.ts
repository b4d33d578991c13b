const DAY_MS = 86_400_000;

/** How many days the ledger keeps what; numbers and addresses are personal data, and go long before the events they tell of. */
export interface RetentionPolicy {
  /** Numbers of messages that were sent, encrypted: as long as a dispute with a provider may need them. */
  number_days: number;
  /** Addresses, encrypted; afterwards their network stays. */
  ip_days: number;
  events_days: number;
}

/** Times before which each class goes. What is exactly as old as allowed stays. */
export function retentionLimits(
  policy: RetentionPolicy,
  nowMs: number,
): { numbersBeforeMs: number; addressesBeforeMs: number; eventsBeforeMs: number } {
  return {
    numbersBeforeMs: nowMs - policy.number_days * DAY_MS,
    addressesBeforeMs: nowMs - policy.ip_days * DAY_MS,
    eventsBeforeMs: nowMs - policy.events_days * DAY_MS,
  };
}
