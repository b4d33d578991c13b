/**
 * The name that somebody most likely meant who typed something else; null where nothing is near. What was typed may go on
 * behind the name (`posture sett shutdown`).
 */
export function nearest(typed: string, names: readonly string[]): string | null {
  const words = typed.toLowerCase().split(/\s+/);
  const ranked = names
    .map((name) => {
      const begun = words.slice(0, name.split(" ").length).join(" ");
      return { name, distance: editDistance(begun, name) - (name.startsWith(begun) ? 1 : 0) };
    })
    .toSorted((a, b) => a.distance - b.distance);
  const [best] = ranked;
  return best !== undefined && best.distance <= Math.max(1, best.name.length / 3) ? best.name : null;
}

/** Insertions, deletions, replacements and swaps of neighbours that lead from one text to the other. */
function editDistance(from: string, to: string): number {
  const rows = [Array.from({ length: to.length + 1 }, (_, i) => i)];
  for (let i = 1; i <= from.length; i += 1) {
    const row = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const isSame = from[i - 1] === to[j - 1];
      const isSwap = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1];
      const at = (r: number, c: number) => rows[r]?.[c] ?? Number.POSITIVE_INFINITY;
      row.push(
        Math.min(
          at(i - 1, j) + 1,
          (row[j - 1] ?? 0) + 1,
          at(i - 1, j - 1) + (isSame ? 0 : 1),
          isSwap ? at(i - 2, j - 2) + 1 : Number.POSITIVE_INFINITY,
        ),
      );
    }
    rows.push(row);
  }
  return rows.at(-1)?.at(-1) ?? 0;
}
