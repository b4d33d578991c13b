import type { SessionRules } from "../../domain/session/session.ts";
import type { SessionsPort } from "../../ports/session.ts";
import type { SessionObject } from "./session-object.ts";

/** Sessions as Durable Objects, one per session, found by the session's random id. */
export function objectSessions(namespace: DurableObjectNamespace<SessionObject>): SessionsPort {
  const object = (id: string) => namespace.get(namespace.idFromName(id));
  /** The callers hand in the whole policy; only these tables travel. */
  const pick = ({ code, attempts, resend, delivery }: SessionRules): SessionRules => ({
    code,
    attempts,
    resend,
    delivery: { channels: delivery.channels, voice_after_messages: delivery.voice_after_messages },
  });
  return {
    open: async (id, command, rules) => object(id).open(command, pick(rules)),
    resend: async (id, command, rules) => object(id).resend(command, pick(rules)),
    receipt: async (id, sendIndex, receipt) => object(id).receipt(sendIndex, receipt),
    settle: async (id, sendIndex, outcome) => object(id).settle(sendIndex, outcome),
    attempt: async (id, digest, rules) => object(id).attempt(digest, pick(rules)),
    attemptOnce: async (id, command, rules) => object(id).attemptOnce(command, pick(rules)),
    forget: async (id) => object(id).forget(),
    view: async (id, rules) => object(id).view(pick(rules)),
  };
}
