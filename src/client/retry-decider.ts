/** How long a repetition waits for an earlier try of the same request; a provider may take most of it. */
const MOST_WAITED_MS = 30_000;
const SHORTEST_WAIT_MS = 500;
/** A longer wait is for people to know of. */
const LONGEST_BUSY_SECONDS = 5;
const BUSY_REPEATS = 2;

interface RefusedTry {
  /** HTTP status. */
  status: number;
  /** The problem's code. */
  code: string;
  retrySeconds: number;
}

/**
 * Decides for one call when its request is made again under the same key: while an earlier try of it is in progress, and
 * where the service is busy for a moment.
 *
 * @returns asked after each refusal, it gives the wait in milliseconds, or null where the refusal is the caller's to handle
 */
export function makeRetryDecider(): (refused: RefusedTry) => number | null {
  let repeats = 0;
  let waitedMs = 0;
  return ({ status, code, retrySeconds }) => {
    const waitMs = Math.max(SHORTEST_WAIT_MS, retrySeconds * 1000);
    const isInProgress = code === "in_progress" && waitedMs + waitMs <= MOST_WAITED_MS;
    // A message that was refused stays so under its key.
    const isBusy = code === "too_many_requests" || (status === 503 && code !== "delivery_failed");
    const isSoon = retrySeconds > 0 && retrySeconds <= LONGEST_BUSY_SECONDS && repeats < BUSY_REPEATS;
    if (!isInProgress && !(isBusy && isSoon)) return null;
    repeats++;
    waitedMs += waitMs;
    return waitMs;
  };
}
