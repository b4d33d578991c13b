import type { SessionRules } from "../../domain/session/session.ts";
import { SessionUnreachable } from "../../domain/session/unreachable.ts";
import type { SessionsPort } from "../../ports/session.ts";
import type { SessionObject } from "./session-object.ts";

type Stub = DurableObjectStub<SessionObject>;

/**
 * Sessions as Durable Objects, one per session, found by the session's random id.
 *
 * A call that is lost (the object moves, is reset, the connection breaks) is repeated once where it does the same when done
 * twice, on a new stub, because a broken one stays broken. An overloaded object is left alone.
 *
 * @throws SessionUnreachable when a call is lost for good
 * @see https://developers.cloudflare.com/durable-objects/best-practices/error-handling/
 */
export function objectSessions(namespace: DurableObjectNamespace<SessionObject>): SessionsPort {
  const stubOf = (id: string): Stub => namespace.get(namespace.idFromName(id));

  async function once<T>(id: string, call: (stub: Stub) => Promise<T>): Promise<T> {
    try {
      return await call(stubOf(id));
    } catch (error) {
      throw unreachable(error);
    }
  }

  async function repeatably<T>(id: string, call: (stub: Stub) => Promise<T>): Promise<T> {
    try {
      return await call(stubOf(id));
    } catch (error) {
      if (isOverloaded(error)) throw unreachable(error);
      return once(id, call);
    }
  }

  return {
    open: (id, command, rules) => repeatably(id, async (stub) => stub.open(command, pick(rules))),
    resend: (id, command, rules) => once(id, async (stub) => stub.resend(command, pick(rules))),
    receipt: (id, sendIndex, receipt, carried) =>
      once(id, async (stub) => stub.receipt(sendIndex, receipt, carried)),
    settle: (id, sendIndex, outcome) => repeatably(id, async (stub) => stub.settle(sendIndex, outcome)),
    attempt: (id, digest, rules) => once(id, async (stub) => stub.attempt(digest, pick(rules))),
    attemptOnce: (id, command, rules) =>
      repeatably(id, async (stub) => stub.attemptOnce(command, pick(rules))),
    cancel: (id) => once(id, async (stub) => stub.cancel()),
    confirm: (id) => once(id, async (stub) => stub.confirm()),
    forget: (id) => once(id, async (stub) => stub.forget()),
    view: (id, rules) => repeatably(id, async (stub) => stub.view(pick(rules))),
  };
}

/** The callers hand in the whole policy; only these tables travel. */
const pick = ({ code, attempts, resend, delivery }: SessionRules): SessionRules => ({
  code,
  attempts,
  resend,
  delivery: { channels: delivery.channels, voice_after_messages: delivery.voice_after_messages },
});

const isOverloaded = (error: unknown): boolean =>
  error instanceof Error && "overloaded" in error && error.overloaded === true;

/** The message of a platform's error may say anything; its kind is enough for the log. */
function unreachable(error: unknown): SessionUnreachable {
  return new SessionUnreachable(isOverloaded(error) ? "session object overloaded" : "session object lost");
}
