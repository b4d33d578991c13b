import type { Context } from "hono";
import * as z from "zod";
import type { Refusal } from "../domain/kernel/refusal.ts";
import {
  type OutcomesReported,
  type ReportedOutcome,
  reportOutcomes,
} from "../flows/verification/report-outcomes.ts";
import type { ApiKeyLookupPort } from "../ports/access.ts";
import type { LimitsPort } from "../ports/admission.ts";
import { authenticateServer, refuseByKeyLimit } from "./authenticate.ts";
import { readBody } from "./body.ts";
import type { ProblemWire } from "./problems.ts";

const MOST_OUTCOMES = 100;
const MOST_MICROS = 1_000_000_000_000_000;

export const outcomesBody = z
  .strictObject({
    outcomes: z
      .array(
        z.strictObject({
          type: z
            .string()
            .regex(/^[a-z][a-z0-9_]{0,31}$/, "must be lower-case letters, digits and _")
            .meta({ description: "One of the policy's `outcomes`", example: "signup" }),
          proof_id: z.uuid().meta({ description: "The proof's `jti`" }),
          at: z.iso
            .datetime({ offset: true })
            .optional()
            .meta({ description: "When it happened; it is counted when it is reported" }),
          value_micros: z
            .int()
            .min(0)
            .max(MOST_MICROS)
            .optional()
            .meta({ description: "What it is worth, in millionths of the price table's currency" }),
        }),
      )
      .min(1)
      .max(MOST_OUTCOMES),
  })
  .meta({ id: "OutcomesRequest" });

export const outcomesAnswer = z
  .object({
    accepted: z.int().meta({ description: "Counted now", example: 2 }),
    repeated: z.int().meta({ description: "Counted before, for the same proof and type", example: 0 }),
  })
  .meta({ id: "OutcomesAnswer" });

type OutcomesDeps = Parameters<typeof reportOutcomes>[0] & {
  apiKeys: ApiKeyLookupPort;
  limits: LimitsPort;
};

/** Reads and counts what a customer's backend reports; an API key is required. */
export async function takeOutcomes(
  c: Context,
  deps: OutcomesDeps,
): Promise<OutcomesReported | Refusal | { wire: ProblemWire }> {
  const key = await authenticateServer(c, deps.apiKeys);
  if ("kind" in key) return key;
  const body = await readBody(c, outcomesBody);
  if (!body.ok) return { wire: body.wire };
  const limited = await refuseByKeyLimit(deps, key, "outcomes");
  if (limited) return limited;
  const outcomes = body.value.outcomes.map(
    ({ type, proof_id, at, value_micros }): ReportedOutcome => ({
      type,
      proofId: proof_id,
      atMs: at === undefined ? null : Date.parse(at),
      valueMicros: value_micros ?? null,
    }),
  );
  return reportOutcomes(deps, outcomes, key.keyId);
}
