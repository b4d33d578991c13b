/** Number lookups: asking a source about strangers' numbers before a message to them is paid for. */
import * as z from "zod";
import { type PolicyOf, seconds } from "../kernel/shapes.policy.ts";
import { DAY_SECONDS } from "../kernel/time.ts";

export const lookupPolicy = z
  .strictObject({
    /** None by default: each needs an account, and costs a part of a message. */
    provider: z.enum(["none", "twilio", "vonage_number_insight", "vonage_identity_insights"]).default("none"),
    /**
     * Price of one lookup, all its packages together, in the price table's currency. The default errs high: the real price of
     * the packages that are asked for is in the source's price list.
     */
    cost_micros: z.int().min(0).default(40_000),
    /**
     * Ceiling of lookups in a UTC day; then nobody is asked about any more. A fiftieth of what messages may cost in a day by
     * default.
     */
    day_cap_micros: z.int().min(0).default(2_000_000),
    /** A source that has not answered by then counts as silent: people wait for this. */
    timeout_ms: z.int().min(100).max(3000).default(800),
    /** How long an answer counts. A SIM that is changed meanwhile is not seen. */
    memory_seconds: seconds(60, 90 * DAY_SECONDS).default(30 * DAY_SECONDS),
    /** A risk of SMS pumping (0 to 100) from which on nothing is sent. */
    max_pumping_risk: z.number().gt(0).max(100).default(75),
    /** A SIM changed within so many hours may be in other hands: another factor must do. Vonage looks back 2400 at most. */
    sim_swap_hours: z.int().min(1).max(2400).default(72),
  })
  .prefault({});

export type LookupPolicy = PolicyOf<typeof lookupPolicy>;
