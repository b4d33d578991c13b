/** The customer's side: what its flows are, what its backend hears and reports, which pages may call. */
import { z } from "zod";
import { CUSTOMER_EVENT_TYPES } from "../domain/session/customer-event.ts";
import { countries, riskPolicy } from "./admission.ts";
import { name } from "./shapes.ts";

// Told where EVENTS_WEBHOOK_URL is set. That a message left, the answer has said, and that it arrived asks nothing of a
// backend: two of the three events of an honest verification, each a queue's write, read and delete, and a call.
export const events = z
  .strictObject({
    types: z
      .array(z.enum(CUSTOMER_EVENT_TYPES))
      .default([
        "verification.undelivered",
        "verification.attempt_failed",
        "verification.locked",
        "verification.approved",
        "verification.expired",
        "fraud.suspected",
        "posture.changed",
      ]),
  })
  .prefault({});

// What a backend may report of people who verified; each is compared with what was spent.
export const outcomes = z.array(name).max(8).default(["signup", "login", "payment"]);

export const cors = z.strictObject({ origins: z.array(z.string().min(1)).default([]) }).prefault({});

export const flows = z
  .record(
    name,
    z.strictObject({
      audience: z.string().min(1).optional(),
      countries: countries.optional(),
      step_up: z.array(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/)).default([]),
      risk: riskPolicy.optional(),
    }),
  )
  .default({
    default: { step_up: ["email"] },
    signup: { step_up: ["email"] },
    login: { step_up: ["passkey", "email"] },
    recovery: { step_up: ["email"] },
    payment: { step_up: ["passkey"] },
  });
