/** The effect that rules in record-only mode would have had; mounted at `/rules`. */
import { Hono } from "hono";
import {
  type RecordOnlyHitCounts,
  readRecordOnlyHits,
} from "../../flows/operators/views/read-record-only-hits.ts";
import type { Deps } from "../../ports/deps.ts";
import { rulesQuery } from "./contract.ts";
import { notDoneToWire } from "./problems.ts";
import { type AdminEnv, type AdminTools, readQuery } from "./tools.ts";

export function rulesApi(
  deps: Pick<Deps, "policy" | "counters" | "monitorState" | "nowMs">,
  { problem }: Pick<AdminTools, "problem">,
) {
  const api = new Hono<AdminEnv>();
  api.get("/", async (c) => {
    const query = readQuery(c, rulesQuery);
    if ("wire" in query) return problem(c, query.wire);
    const found = await readRecordOnlyHits(deps, query.value.span);
    return found.kind === "answered"
      ? c.json(rulesToWire(found, deps.policy.money.currency))
      : problem(c, notDoneToWire(found));
  });
  return api;
}

export type RulesAnswer = ReturnType<typeof rulesToWire>;

const rulesToWire = ({ rows, fromMs, toMs }: RecordOnlyHitCounts, currency: string) => ({
  from: new Date(fromMs).toISOString(),
  to: new Date(toMs).toISOString(),
  currency,
  rules: rows.map((row) => ({
    rule: row.rule,
    flow: row.flow,
    record_only: row.recordOnly,
    met: row.met,
    would_challenge: row.wouldChallenge,
    would_step_up: row.wouldStepUp,
    would_deny: row.wouldDeny,
    left: row.left,
    left_verified: row.leftVerified,
    unanswered_micros: row.unansweredMicros,
  })),
});
