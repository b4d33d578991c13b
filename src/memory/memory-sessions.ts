import { attemptCode, attemptOnce, unknownSession } from "../domain/session/attempt.ts";
import { cancelSession, confirmSession } from "../domain/session/conclude.ts";
import { SESSION_GRACE_MS } from "../domain/session/lifetimes.ts";
import { resendMessage } from "../domain/session/resend.ts";
import { openSession, type SessionState } from "../domain/session/session.ts";
import { receiveReceipt, settleSend } from "../domain/session/settle.ts";
import { viewSession } from "../domain/session/view.ts";
import type { SessionsPort } from "../ports/session.ts";
import { expiringMap } from "./expiring-map.ts";

const GONE = { kind: "gone", cause: "no such session" } as const;

/**
 * Keeps sessions in one process: the session object's transitions without the object, its alarm and its messages. They carry no receipt,
 * because nothing would hand it over at their end.
 */
export function memorySessions(
  nowMs: () => number,
): SessionsPort & { stateOf(id: string): SessionState | undefined } {
  const sessions = expiringMap<SessionState>(nowMs);
  const keep = (id: string, state: SessionState) =>
    sessions.set(id, state, (state.endsAtMs + SESSION_GRACE_MS - nowMs()) / 1000);

  return {
    stateOf: (id) => sessions.get(id),
    async open(id, command, rules) {
      const existing = sessions.get(id);
      const state = existing ?? openSession(command, rules, nowMs());
      if (!existing) keep(id, state);
      return viewSession(state, rules, nowMs());
    },
    async resend(id, command, rules) {
      const state = sessions.get(id);
      if (!state) return GONE;
      const next = resendMessage(state, command, rules, nowMs());
      keep(id, next.state);
      return next.result;
    },
    async receipt(id, sendIndex, receipt) {
      const state = sessions.get(id);
      if (!state) return false;
      const next = receiveReceipt(state, sendIndex, receipt);
      if (next.state !== state) keep(id, next.state);
      return next.changed;
    },
    async settle(id, sendIndex, outcome) {
      const state = sessions.get(id);
      if (state) keep(id, settleSend(state, sendIndex, outcome));
    },
    async attempt(id, digest, rules) {
      const state = sessions.get(id);
      if (!state) return GONE;
      const next = attemptCode(state, digest, rules, nowMs());
      keep(id, next.state);
      return next.result;
    },
    async attemptOnce(id, command, rules) {
      const state = sessions.get(id);
      if (!state) return unknownSession(command, nowMs());
      const next = attemptOnce(state, command, rules, nowMs());
      keep(id, next.state);
      return next.result;
    },
    async view(id, rules) {
      const state = sessions.get(id);
      return state ? viewSession(state, rules, nowMs()) : null;
    },
    async cancel(id) {
      const state = sessions.get(id);
      if (!state) return GONE;
      const next = cancelSession(state, nowMs());
      keep(id, next.state);
      return next.result;
    },
    async confirm(id) {
      const state = sessions.get(id);
      if (!state) return GONE;
      const next = confirmSession(state);
      keep(id, next.state);
      return next.result;
    },
    forget: async (id) => sessions.delete(id),
  };
}
