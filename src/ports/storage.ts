import type { Unavailable } from "./result.ts";

/** Counts the keys of a store whose keys all expire. */
export interface KeyCountPort {
  count(): Promise<{ kind: "answered"; count: number } | Unavailable>;
}
