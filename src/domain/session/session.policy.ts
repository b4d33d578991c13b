/** One verification: its code, the attempts and resends it has, the proof it ends in. */
import * as z from "zod";
import { type PolicyOf, seconds } from "../kernel/shapes.policy.ts";

/** Ten minutes, where NIST SP 800-63B-4 (section 3.1.3.2) ends the life of a code, and so that of a session. */
const LONGEST_SECONDS = 600;

export const codePolicy = z
  .strictObject({
    /** Digits in a code. */
    length: z.int().min(4).max(10).default(6),
    /** How long a code is good for; a resend lengthens it, never past the session. */
    ttl_seconds: seconds(60, LONGEST_SECONDS).default(180),
    /** How long a session lives over all its resends. */
    session_seconds: seconds(60, LONGEST_SECONDS).default(600),
  })
  .refine((code) => code.session_seconds >= code.ttl_seconds, {
    path: ["session_seconds"],
    error: "must not be shorter than ttl_seconds",
  })
  .prefault({});

export type CodePolicy = PolicyOf<typeof codePolicy>;

export const attemptPolicy = z
  .strictObject({
    /** Wrong codes that one session takes. */
    max: z.int().min(3).max(5).default(5),
    /** Wait after the 1st, 2nd, ... wrong code; the last one repeats. The first typo is free. */
    wait_seconds: z.array(seconds(0, 300)).min(1).default([0, 2, 5, 10]),
  })
  .prefault({});

export type AttemptPolicy = PolicyOf<typeof attemptPolicy>;

export const resendPolicy = z
  .strictObject({
    /** Wait before the 1st, 2nd, ... resend. As many resends as waits. */
    wait_seconds: z.array(seconds(1, LONGEST_SECONDS - 1)).default([60, 120, 240]),
    /**
     * The longest wait after a message that came back undelivered. Nothing is left to wait for, but a number's own limit lets no
     * second message through sooner (`limits.number`): what the person is told must be what then happens.
     */
    undelivered_wait_seconds: seconds(1, LONGEST_SECONDS - 1).default(60),
  })
  .prefault({});

export type ResendPolicy = PolicyOf<typeof resendPolicy>;

export const proofPolicy = z.strictObject({
  /** The service's own address, where its public keys are found. */
  issuer: z.url(),
  /** The customer's backend, unless the flow names another. */
  audience: z.string().min(1),
  /** Long enough to hand it on, and no longer: a proof is good once. */
  ttl_seconds: seconds(30, 900).default(300),
  /** `keys` of PROOF_KEYS in the Worker, or `aws_kms`, whose private key nobody can read. */
  signer: z.enum(["keys", "aws_kms"]).default("keys"),
  /** A person waits for it; KMS takes tens of milliseconds in its own region. */
  signer_timeout_ms: z.int().min(100).max(10_000).default(2000),
});
