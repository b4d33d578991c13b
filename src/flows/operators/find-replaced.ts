/** Splits the settings that have not ended into the one that a new setting replaces, and all others. */
export function findReplaced<T extends { untilMs: number }>(
  all: readonly T[],
  isSame: (other: T) => boolean,
  nowMs: number,
): { others: T[]; replaced: T | null } {
  const running = all.filter(({ untilMs }) => nowMs < untilMs);
  return { others: running.filter((other) => !isSame(other)), replaced: running.find(isSame) ?? null };
}
