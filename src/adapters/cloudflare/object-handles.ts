import { SessionUnreachable } from "../../domain/session/unreachable.ts";
import type { HandlesPort } from "../../ports/handles.ts";
import type { SessionObject } from "./session-object.ts";

/**
 * Handles in Durable Objects: a session's own id is kept with the session, any other name in an object that holds nothing else.
 * A code can so be checked while the store of limits is away. A call that is lost is repeated once, on a new stub.
 *
 * @throws SessionUnreachable when a call is lost for good
 */
export function objectHandles(namespace: DurableObjectNamespace<SessionObject>): HandlesPort {
  const object = (name: string) => namespace.get(namespace.idFromName(name));

  async function repeatably<T>(call: () => Promise<T>): Promise<T> {
    try {
      return await call().catch(call);
    } catch {
      throw new SessionUnreachable("session object lost");
    }
  }

  return {
    keep: (name, handle, untilMs) => repeatably(async () => object(name).keepHandle(handle, untilMs)),
    find: (name) => repeatably(async () => object(name).handle()),
  };
}
