/** The most that an attack can cost until midnight: mounted at `/bound`. */
import { Hono } from "hono";
import {
  readWorstCaseBound,
  type WorstCaseBound,
  type WorstCaseBoundDeps,
} from "../../flows/operators/views/read-worst-case-bound.ts";
import { notDoneToWire } from "./problems.ts";
import type { AdminEnv, AdminTools } from "./tools.ts";

export function worstCaseBoundApi(deps: WorstCaseBoundDeps, { problem }: Pick<AdminTools, "problem">) {
  const api = new Hono<AdminEnv>();
  api.get("/", async (c) => {
    const bound = await readWorstCaseBound(deps);
    return bound.kind === "answered"
      ? c.json(boundToWire(bound, deps.policy.money.currency))
      : problem(c, notDoneToWire(bound));
  });
  return api;
}

export type WorstCaseBoundAnswer = ReturnType<typeof boundToWire>;

const boundToWire = (bound: WorstCaseBound, currency: string) => ({
  at: new Date(bound.nowMs).toISOString(),
  currency,
  most_micros: bound.mostMicros,
  caps_left_micros: bound.capsLeftMicros,
  left_units: bound.leftUnits,
  left_micros: bound.leftMicros,
  per_answer_micros: bound.perAnswerMicros,
  dearest_unit_micros: bound.dearestUnitMicros,
  day_units: bound.dayUnits,
  day_micros: bound.dayMicros,
  pools: bound.pools.map(({ pool, base, gain, verified, out, left, leftMicros }) => ({
    pool,
    base,
    gain,
    verified,
    out,
    left,
    left_micros: leftMicros,
  })),
});
