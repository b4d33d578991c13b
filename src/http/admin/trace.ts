/** One verification from its request to its end, found by its correlation id, which says nothing of a person. */
import { Hono } from "hono";
import { readTrace, type VerificationTrace } from "../../flows/evidence/read-trace.ts";
import type { Deps } from "../../ports/deps.ts";
import { eventToWire } from "./evidence-contract.ts";
import { NO_SUCH_ID, notDoneToWire } from "./problems.ts";
import type { AdminEnv, AdminTools } from "./tools.ts";

export function traceApi(deps: Pick<Deps, "ledger" | "sessions" | "policy">, { problem }: AdminTools) {
  const api = new Hono<AdminEnv>();
  api.get("/:id", async (c) => {
    const story = await readTrace(deps, c.req.param("id"));
    if (story === null) return problem(c, NO_SUCH_ID);
    return story.kind === "story" ? c.json(traceToWire(story)) : problem(c, notDoneToWire(story));
  });
  return api;
}

export type TraceAnswer = ReturnType<typeof traceToWire>;

const traceToWire = ({ correlationId, rows, session }: VerificationTrace) => ({
  correlation_id: correlationId,
  session: session && {
    status: session.status,
    channel: session.channel,
    delivery: session.delivery,
    sends: session.sends,
    attempts_left: session.attemptsLeft,
    expires_in_seconds: session.expiresInSeconds,
  },
  events: rows.map(eventToWire),
});
