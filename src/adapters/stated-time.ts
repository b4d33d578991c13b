/** Milliseconds since 1970 of a time that somebody outside states; null for none, and for text that is no time. */
export function statedTimeMs(text: string | null | undefined): number | null {
  const ms = Date.parse(text ?? "");
  return Number.isNaN(ms) ? null : ms;
}
