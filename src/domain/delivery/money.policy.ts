/** Money that messages may cost, in millionths of the currency. */
import * as z from "zod";
import { countryCode, type PolicyOf } from "../kernel/shapes.policy.ts";

const caps = z.strictObject({
  hour_micros: z.int().positive(),
  day_micros: z.int().positive(),
  month_micros: z.int().positive(),
});

export const moneyPolicy = z
  .strictObject({
    /** ISO 4217, the same as in the price table. */
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .default("USD"),
    /** Ceilings per UTC hour, day and month: 20, 100 and 1500 of the currency until the operator sets them. */
    caps: caps.prefault({ hour_micros: 20_000_000, day_micros: 100_000_000, month_micros: 1_500_000_000 }),
    /** Ceilings of single countries, inside the overall ones. */
    country_caps: z.record(countryCode, caps).default({}),
    /** Shares of a cap at which people are notified. */
    alert_shares: z.array(z.number().gt(0).max(1)).default([0.5, 0.8, 1]),
    /** Planned cost of a day; null when there is no plan. */
    plan_day_micros: z.int().positive().nullable().default(null),
  })
  .prefault({});

export type MoneyPolicy = PolicyOf<typeof moneyPolicy>;
