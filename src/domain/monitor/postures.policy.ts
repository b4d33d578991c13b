/** What each posture asks of strangers beside what the policy does; every part is data, so that a posture is. */
import * as z from "zod";
import type { PolicyOf } from "../kernel/shapes.policy.ts";

const rules = (limitFactor: number, unknownRanges: "as_usual" | "challenge" | "stop") =>
  z
    .strictObject({
      /** `always`: every public client's send needs a CAPTCHA token. */
      challenge: z.enum(["as_usual", "always"]).default("always"),
      /** Every stranger must bring a freshly solved one. */
      fresh_challenge: z.boolean().default(false),
      /** Callers' limits are multiplied by this, never below one. */
      limit_factor: z.number().gt(0).max(1).default(limitFactor),
      /** Prefixes in which nobody ever verified. */
      unknown_ranges: z.enum(["as_usual", "challenge", "stop"]).default(unknownRanges),
    })
    .prefault({});

/** The rules of one posture. */
export type PostureRules = PolicyOf<ReturnType<typeof rules>>;

export const posturePolicy = z
  .strictObject({
    elevated: rules(1, "as_usual"),
    /** Half the limits, and nothing to where nobody has verified. A shutdown needs no rules of its own: it sends nothing. */
    emergency: rules(0.5, "stop"),
  })
  .prefault({});

export type PosturePolicy = PolicyOf<typeof posturePolicy>;
