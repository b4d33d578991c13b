/** What ports of every subject come to. */

/** A dependency that was silent, broken or slow. What that means is policy, never "allow" by accident. */
export interface Unavailable {
  kind: "unavailable";
  cause: string;
}

/** What a write came to. */
export type Done = { kind: "done" } | Unavailable;
