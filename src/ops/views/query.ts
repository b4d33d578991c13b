/** Reads the question in a table's address, and writes addresses of the same table; bounded, and free of anything personal. */

/** One of these; the first where it is none. */
export function queryChoice<T extends string>(
  query: URLSearchParams,
  name: string,
  all: readonly [T, ...T[]],
): T {
  const given = query.get(name);
  return all.find((one) => one === given) ?? all[0];
}

/** A page from 1 on. */
export function pageNumber(query: URLSearchParams): number {
  const text = query.get("page") ?? "";
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1;
}

const LONGEST = 40;

/** A search text: letters, digits and the signs in ranges and networks. */
export const soughtText = (query: URLSearchParams): string =>
  (query.get("q") ?? "").replaceAll(/[^\p{L}\p{N}+ .-]/gu, "").slice(0, LONGEST);

/**
 * The same table with something changed; the page is its first unless one is named. What is as it is by itself is left out.
 *
 * @param path below `/ops`
 */
export function tableLink(
  path: string,
  now: Readonly<Record<string, string>>,
  change: Readonly<Record<string, string>>,
): string {
  const { page: _, ...kept } = now;
  const all = Object.entries({ ...kept, ...change }).filter(([, value]) => value !== "");
  const query = new URLSearchParams(all).toString();
  return query === "" ? path : `${path}?${query}`;
}

/** The path an action leads back to: a table, as {@link tableLink} writes it. */
export const BACK_PATH = /^\/(destinations|sources|providers)(\?[\w=&%+.*~-]{0,400})?$/;
