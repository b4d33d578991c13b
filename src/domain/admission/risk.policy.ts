/** The rules of a verdict: which of them count, and two of their bounds. */
import * as z from "zod";
import type { PolicyOf } from "../kernel/shapes.policy.ts";
import { RISK_RULES } from "./risk.ts";

export const riskPolicy = z.strictObject({
  /** Rules that are reported and have no effect. */
  record_only: z.array(z.enum(RISK_RULES)).default([]),
  /** Nothing is refused by risk at all; verdicts are logged as they would have been. */
  record_all: z.boolean().default(false),
  /**
   * Distinct numbers per unproven address (in the longest window of `limits.numbers_per_ip`) above which a fresh challenge is
   * wanted: more than a household's.
   */
  many_numbers: z.int().min(1).default(5),
  /** The same for the budget pool `challenged`: a household behind one address, before any of them has answered. */
  many_numbers_challenged: z.int().min(1).default(3),
  /** Numbers more that an address may ask for, for each one that was answered from there: an office answers, a pump does not. */
  numbers_per_answer: z.int().min(0).default(3),
  /** Refused strangers get an answer that looks like a send. */
  decoy: z.boolean().default(false),
});

export type RiskPolicy = PolicyOf<typeof riskPolicy>;
