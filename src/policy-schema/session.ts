/** A verification itself: its code, the attempts and resends it has, the proof it ends in. */
import { z } from "zod";
import { seconds } from "./shapes.ts";

export const code = z
  .strictObject({
    length: z.int().min(4).max(10).default(6),
    ttl_seconds: seconds(60, 600).default(180),
    session_seconds: seconds(60, 600).default(600),
  })
  .refine((code) => code.session_seconds >= code.ttl_seconds, {
    path: ["session_seconds"],
    error: "must not be shorter than ttl_seconds",
  })
  .prefault({});

export const attempts = z
  .strictObject({
    max: z.int().min(3).max(5).default(5),
    wait_seconds: z.array(seconds(0, 300)).min(1).default([0, 2, 5, 10]),
  })
  .prefault({});

export const resend = z
  .strictObject({
    wait_seconds: z.array(seconds(1, 599)).default([60, 120, 240]),
    undelivered_wait_seconds: seconds(1, 599).default(60),
  })
  .prefault({});

export const proof = z.strictObject({
  issuer: z.url(),
  audience: z.string().min(1),
  ttl_seconds: seconds(30, 900).default(300),
});
