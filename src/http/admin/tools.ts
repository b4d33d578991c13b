/** Helpers of every part of the operators' API: roles, reasons, queries, problems. */
import type { Context } from "hono";
import { routePath } from "hono/route";
import type { z } from "zod";
import type { Operator } from "../../domain/access/operator.ts";
import type { NotPerformed, OperatorCommand } from "../../flows/audit/run-operator-action.ts";
import type { Deps } from "../../ports/deps.ts";
import { fieldErrors, NAMING_INPUT, readBody } from "../body.ts";
import { problemWire } from "../problems.ts";
import { type AdminWire, answerAdminProblem, notDoneToWire, VIEWER_FORBIDDEN } from "./problems.ts";

/** The authenticated operator. */
export type AdminEnv = { Variables: { operator: Operator } };

type Answer = { answer: object } | { wire: AdminWire };

export interface AdminTools {
  /** Checks the role, reads the body, performs the action and answers. */
  action<S extends z.ZodType<{ why: string }>>(
    c: Context<AdminEnv>,
    schema: S,
    perform: (act: OperatorCommand, body: z.infer<S>) => Promise<Answer>,
  ): Promise<Response>;
  /** @param cause for the log alone */
  problem(c: Context<AdminEnv>, failure: AdminWire, cause?: string | null): Response;
}

export function adminTools({ vault, log }: Pick<Deps, "vault" | "log">): AdminTools {
  const problem: AdminTools["problem"] = (c, failure, cause = null) => {
    const correlationId = vault.newId();
    log("admin_refused", {
      correlation_id: correlationId,
      path: routePath(c, -1),
      code: failure.code,
      cause,
    });
    return answerAdminProblem(c, failure, correlationId);
  };
  return {
    problem,
    async action(c, schema, perform) {
      const { who, role } = c.get("operator");
      if (role !== "operator") return problem(c, VIEWER_FORBIDDEN, `${who} may only look`);
      const body = await readBody(c, schema);
      if (!body.ok) return problem(c, body.wire);
      const outcome = await perform({ who, why: body.value.why }, body.value);
      return "wire" in outcome ? problem(c, outcome.wire) : c.json(outcome.answer);
    },
  };
}

/** The answer of an action, or the problem that prevented it. */
export function actionAnswer<T extends { kind: "done" }>(
  outcome: T | NotPerformed,
  toWire: (done: T) => object,
): Answer {
  return outcome.kind === "done"
    ? { answer: toWire(outcome as T) }
    : { wire: notDoneToWire(outcome as NotPerformed) };
}

/** Reads a query; an unknown name and a repeated one are problems. */
export function readQuery<S extends z.ZodType>(
  c: Context,
  schema: S,
): { value: z.infer<S> } | { wire: AdminWire } {
  const all = Object.entries(c.req.queries());
  const twice = all
    .filter(([, values]) => values.length > 1)
    .map(([name]) => ({ field: name, reason: "comes twice" }));
  const parsed = schema.safeParse(
    Object.fromEntries(all.map(([name, [value]]) => [name, value])),
    NAMING_INPUT,
  );
  if (parsed.success && twice.length === 0) return { value: parsed.data };
  const errors = parsed.success ? twice : fieldErrors(parsed.error);
  return { wire: problemWire(400, "invalid_request", "The query cannot be read", { errors }) };
}
