/** The customer's flows (sign-up, login, payment ...), each with what it does otherwise than the general settings. */
import * as z from "zod";
import { countryPolicy } from "../kernel/phone.policy.ts";
import { name, type PolicyOf } from "../kernel/shapes.policy.ts";
import { riskPolicy } from "./risk.policy.ts";

export const flowPolicy = z
  .record(
    name,
    z.strictObject({
      /** Audience of this flow's proofs; the general one (`proof.audience`) where absent. */
      audience: z.string().min(1).optional(),
      /** Countries of this flow; the general ones where absent. */
      countries: countryPolicy.optional(),
      /** Other channels or factors that a stopped person may use instead, in the words of the customer's app. */
      step_up: z.array(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/)).default([]),
      /**
       * `unknown`: nobody ever says whether the codes of this flow were typed. Its messages are paid from
       * `exposure.unreported` alone, prove nothing, and do not count for or against a destination's conversion.
       */
      verified: z.enum(["reported", "unknown"]).optional(),
      /** Risk rules of this flow; the general ones where absent. */
      risk: riskPolicy.optional(),
    }),
  )
  // Whoever signs up has an address and no passkey yet; money wants the stronger factor alone.
  .default({
    default: { step_up: ["email"] },
    signup: { step_up: ["email"] },
    login: { step_up: ["passkey", "email"] },
    recovery: { step_up: ["email"] },
    payment: { step_up: ["passkey"] },
  });

export type FlowPolicy = PolicyOf<typeof flowPolicy>;
