/** Groups of countries that share tighter (or wider) budgets and limits than the rest. */
import * as z from "zod";
import { country, name, type PolicyOf } from "../kernel/shapes.policy.ts";
import { namedBudget } from "./exposure.policy.ts";
import { limitRules } from "./limits.policy.ts";

/** A group's budgets, in place of the general ones; one that is not named is the general one. */
const groupExposure = z
  .strictObject({
    block: namedBudget(3, 0.5).optional(),
    prefix: namedBudget(5, 0.5).optional(),
    country: namedBudget(5, 0.5).optional(),
  })
  .transform(({ block, prefix, country }) => ({
    ...(block && { block }),
    ...(prefix && { prefix }),
    ...(country && { country }),
  }))
  .prefault({});

export const groupPolicy = z
  .record(
    name,
    z.strictObject({
      countries: z.array(country).min(1),
      exposure: groupExposure,
      /** In place of `limits.number`. */
      number_limits: limitRules.optional(),
    }),
  )
  .default({});

export type GroupPolicy = PolicyOf<typeof groupPolicy>;
