/** The parts that every operation of the API document is made of. */
import type * as z from "zod";
import { type ProblemCode, problem } from "../contract.ts";
import { PROBLEM_EXAMPLES } from "./problem-examples.ts";

type Failures = Record<string, { description: string; content: object }>;

/** A body with one example. */
export function json(schema: z.ZodType, value: unknown) {
  return { "application/json": { schema, examples: { answer: { summary: "Answer", value } } } };
}

/** The problems an operation answers with, by the status of each. */
export function failures(...codes: ProblemCode[]): Failures {
  const byStatus = Map.groupBy(codes, (code) => PROBLEM_EXAMPLES[code].status);
  return Object.fromEntries(
    [...byStatus].map(([status, group]) => [
      String(status),
      {
        description: group.map((code) => `[${code}](/problems/${code})`).join(", "),
        content: {
          "application/problem+json": {
            schema: problem,
            examples: Object.fromEntries(
              group.map((code) => [code, { $ref: `#/components/examples/${code}` }]),
            ),
          },
        },
      },
    ]),
  );
}
