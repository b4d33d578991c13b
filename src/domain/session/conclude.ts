/** The two ways in which a caller's system ends a session without typing its code. */
import { type AttemptResult, verifiedBy } from "./attempt.ts";
import { isSessionOver, type SessionState, sessionEndCause } from "./session.ts";

/** The result of calling a session off. */
export type CancelResult = { kind: "cancelled" } | { kind: "gone"; cause: string };

/** Calls a session off: its code is worth nothing from now on. A session that is over stays as it ended. */
export function cancelSession(
  state: SessionState,
  nowMs: number,
): { state: SessionState; result: CancelResult } {
  if (isSessionOver(state, nowMs)) return { state, result: { kind: "gone", cause: sessionEndCause(state) } };
  return { state: { ...state, status: "closed" }, result: { kind: "cancelled" } };
}

/** The result of hearing that a code was typed. */
export type ConfirmResult =
  | Extract<AttemptResult, { kind: "verified" }>
  /** It was heard before. */
  | { kind: "repeated" }
  | { kind: "gone"; cause: string };

/**
 * Hears from the system whose code it is that it was typed. Such codes may live longer than the session, so that the news counts
 * for as long as the session is kept.
 */
export function confirmSession(state: SessionState): { state: SessionState; result: ConfirmResult } {
  if (state.status === "verified") return { state, result: { kind: "repeated" } };
  if (state.status === "closed") return { state, result: { kind: "gone", cause: sessionEndCause(state) } };
  return { state: { ...state, status: "verified" }, result: verifiedBy(state) };
}
