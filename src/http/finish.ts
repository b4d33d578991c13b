import type { Deps } from "../ports/deps.ts";

/** Lets work end though its client has left, which cancels a request; its error is the answer's to tell. */
export function finish<T>(
  { defer }: Pick<Deps, "defer">,
  work: Promise<T>,
  correlationId: string,
): Promise<T> {
  defer(
    work.catch(() => undefined),
    correlationId,
  );
  return work;
}
