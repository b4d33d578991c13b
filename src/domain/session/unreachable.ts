/**
 * Thrown by the sessions' port when a call to a session was lost: nobody knows whether it was done. It passes through the
 * flows, which give back what they took, and becomes a 503 at the edge.
 */
export class SessionUnreachable extends Error {
  override name = "SessionUnreachable";
}

/** Seconds after which a lost call is worth another try: an object moves to another machine within these. */
export const UNREACHABLE_RETRY_SECONDS = 2;
