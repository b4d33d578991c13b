/** How many days the ledger keeps what; numbers and addresses are personal data and go long before the events they belong to. */
import * as z from "zod";
import type { PolicyOf } from "../kernel/shapes.policy.ts";

export const retentionPolicy = z
  .strictObject({
    /** Numbers of messages that were sent, encrypted: as long as a dispute with a provider may need them. */
    number_days: z.int().min(1).max(400).default(30),
    /** Addresses, encrypted; afterwards their network stays. */
    ip_days: z.int().min(1).max(400).default(30),
    /** 400 days hold the same month of the year before. */
    events_days: z.int().min(1).max(3650).default(400),
    /**
     * The most verifications, whatever their age; the oldest go first. A verification takes about a kilobyte, and a D1 database holds 10 GB
     * (500 MB on the free plan: set 400000 there).
     */
    max_rows: z.int().min(1000).max(100_000_000).default(7_000_000),
  })
  .refine(({ number_days, ip_days, events_days }) => Math.max(number_days, ip_days) <= events_days, {
    error: "numbers and addresses must not outlive their events",
  })
  .prefault({});

export type RetentionPolicy = PolicyOf<typeof retentionPolicy>;
