/**
 * Compares two digests in a time that does not depend on the place where they differ. Both have a fixed length, so that is no
 * secret.
 */
export function sameDigest(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let i = 0; i < left.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i);
  return difference === 0;
}
