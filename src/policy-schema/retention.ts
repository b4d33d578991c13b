/** How long things are kept, and keys used. */
import { z } from "zod";

export const retention = z
  .strictObject({
    number_days: z.int().min(1).max(400).default(30),
    ip_days: z.int().min(1).max(400).default(30),
    events_days: z.int().min(1).max(3650).default(400),
  })
  .refine(({ number_days, ip_days, events_days }) => Math.max(number_days, ip_days) <= events_days, {
    error: "numbers and addresses must not outlive their events",
  })
  .prefault({});

export const keys = z.strictObject({ rotate_days: z.int().min(1).max(3650).default(90) }).prefault({});
