/** Results that ports of every subject have in common. */

/** A dependency that was silent, broken or slow; each caller decides what that means, and never allows by accident. */
export interface Unavailable {
  kind: "unavailable";
  cause: string;
}

/** The result of a write. */
export type WriteResult = { kind: "done" } | Unavailable;
