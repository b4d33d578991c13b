/**
 * An address without slashes at its end, so that a path can follow. By a loop: the regular expression for it takes quadratic
 * time on many slashes.
 */
export function withoutEndSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === "/") end--;
  return url.slice(0, end);
}
