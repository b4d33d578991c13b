import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { SessionView } from "../../domain/session/view.ts";
import type { Deps } from "../../ports/deps.ts";

/** Reads the state of a session and of its delivery, for the bearer of its token. */
export async function readSessionStatus(
  { sessions, tokens, policy }: Pick<Deps, "sessions" | "tokens" | "policy">,
  session: string,
): Promise<({ kind: "status" } & SessionView) | Refusal> {
  const claims = await tokens.open(session);
  if (!claims) return { kind: "session_gone", cause: "token refused" };
  const view = await sessions.view(claims.sessionId, policy);
  if (view === null || view.status === "gone") return { kind: "session_gone", cause: "session over" };
  return { ...view, kind: "status" };
}
