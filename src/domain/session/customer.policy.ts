/** The customer's backend: the events it receives, and the outcomes it may report. */
import * as z from "zod";
import { name } from "../kernel/shapes.policy.ts";
import { CUSTOMER_EVENT_TYPES } from "./customer-event.ts";

export const eventPolicy = z
  .strictObject({
    /**
     * Sent where EVENTS_WEBHOOK_URL is set. By default without `.sent`, which the answer has said, and `.delivered`, which asks
     * nothing of a backend: they are two of the three events of an honest verification, each a queue's write, read and delete,
     * and a call.
     */
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

/** Outcomes that a backend may report of people who verified; each is compared with what was spent. */
export const outcomePolicy = z.array(name).max(8).default(["signup", "login", "payment"]);
