/**
 * A BCP 47 tag in its canonical form (`pt-br` is `pt-BR`, the old `in` is `id`), also of one written with `_` as Android, iOS
 * and POSIX do; null for text that is no tag.
 */
export function canonicalLocale(tag: string): string | null {
  try {
    return Intl.getCanonicalLocales(tag.replaceAll("_", "-"))[0] ?? null;
  } catch {
    return null;
  }
}

/**
 * The best of the available locales by RFC 4647, 3.4 (lookup): the wanted tag loses its last subtag until one is
 * available, so `es-419` finds `es`.
 *
 * @param wanted in the order of preference; text that is no tag is passed over
 * @param available canonical tags
 * @returns null when none fits
 */
export function lookUpLocale(wanted: readonly string[], available: readonly string[]): string | null {
  for (const tag of wanted) {
    for (let range = canonicalLocale(tag) ?? ""; range !== ""; range = shorter(range)) {
      if (available.includes(range)) return range;
    }
  }
  return null;
}

/** A tag without its last subtag. A single letter announces an extension, and is dropped together with it. */
function shorter(range: string): string {
  const rest = range.split("-").slice(0, -1);
  return (rest.at(-1)?.length === 1 ? rest.slice(0, -1) : rest).join("-");
}
