/** Numbers that may get a message at all: by their type, and by their country. */
import * as z from "zod";
import { country, type PolicyOf } from "./shapes.policy.ts";

const numberType = z.enum([
  "mobile",
  "fixed_line",
  "fixed_line_or_mobile",
  "voip",
  "premium_rate",
  "shared_cost",
  "toll_free",
  "personal",
  "pager",
  "uan",
  "voicemail",
  "satellite",
  "global_service",
  "unknown",
]);

/** A kind of telephone number, as libphonenumber classifies it; `satellite` and `global_service` belong to no country. */
export type NumberType = z.output<typeof numberType>;

export const numberPolicy = z
  .strictObject({
    /** Types that never get a message, whatever the channel: nobody holds them, or they pay whoever makes them ring. */
    refuse_types: z
      .array(numberType)
      .default([
        "premium_rate",
        "shared_cost",
        "toll_free",
        "personal",
        "pager",
        "uan",
        "voicemail",
        "voip",
        "satellite",
        "global_service",
        "unknown",
      ]),
  })
  .prefault({});

export type NumberPolicy = PolicyOf<typeof numberPolicy>;

export const countryPolicy = z.strictObject({
  /** No default: only the operator knows where the customers are. */
  allow: z.array(country).min(1),
  /** Exceptions to `allow`. */
  deny: z.array(country).default([]),
});

export type CountryPolicy = PolicyOf<typeof countryPolicy>;
