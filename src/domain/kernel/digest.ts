/**
 * Compares two digests without telling by time where they differ. Both are fixed-length digests, so their length is no
 * secret.
 */
export function sameDigest(left: string, right: string): boolean {
  let difference = left.length ^ right.length;
  for (let i = 0; i < left.length; i++) difference |= left.charCodeAt(i) ^ right.charCodeAt(i);
  return difference === 0;
}
