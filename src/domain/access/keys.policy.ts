/** The life of the service's own keys. */
import * as z from "zod";
import type { PolicyOf } from "../kernel/shapes.policy.ts";

export const keyPolicy = z
  .strictObject({
    /** A key that has made signatures or hashes for longer than this is overdue, and people are alerted. In days. */
    rotate_days: z.int().min(1).max(3650).default(90),
  })
  .prefault({});

export type KeyPolicy = PolicyOf<typeof keyPolicy>;
