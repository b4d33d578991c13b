import type { FailurePolicy } from "./failures.policy.ts";

/** Consecutive wrong codes against one number by strangers, or by one known device, or for one user. */
export interface ConsecutiveWrongCodes {
  count: number;
  lastAtMs: number;
}

/** The subjects under whose keyed hashes wrong codes are counted across sessions. */
export interface FailureSubjects {
  /** The number; as the owner's own device knows it, it is counted apart, so that strangers cannot stop its owner. */
  number: string;
  /** The user a server named; null where none was. */
  user: string | null;
}

/** The hashes as a list, for a store that counts each of them. */
export const failureTags = ({ number, user }: FailureSubjects): string[] =>
  user === null ? [number] : [number, user];

/** Seconds to wait after consecutive wrong codes before the next code may be asked for; 0 for none. */
export function waitSecondsAfterWrongCodes(
  failures: ConsecutiveWrongCodes | null,
  policy: FailurePolicy,
  nowMs: number,
): number {
  if (failures === null || failures.count < policy.free) return 0;
  const step = Math.floor(failures.count / policy.free) - 1;
  const waits = policy.wait_seconds;
  const longest = waits.at(-1) ?? 0;
  const waitSeconds = failures.count >= policy.ceiling ? longest : (waits[step] ?? longest);
  return Math.max(0, Math.ceil((failures.lastAtMs + waitSeconds * 1000 - nowMs) / 1000));
}
