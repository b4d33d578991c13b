export interface CodePolicy {
  /** Digits in a code, 4 to 10. */
  length: number;
  /** How long a code is good for, 60 to 600 s (NIST SP 800-63B-4 section 3.1.3.2 ends at ten minutes). */
  ttl_seconds: number;
  /** How long a session lives over all its resends; never more than 600 s. */
  session_seconds: number;
}

/** The largest multiple of ten in a byte: bytes from here on are thrown away, or 0 to 5 would come up more often. */
const UNBIASED_BYTES = 250;

/**
 * Draws a decimal code by rejection sampling.
 *
 * @param randomBytes a CSPRNG: gives as many bytes as asked for
 */
export function drawCode(length: number, randomBytes: (count: number) => Uint8Array): string {
  let code = "";
  while (code.length < length) {
    for (const byte of randomBytes(length * 2)) {
      if (byte < UNBIASED_BYTES && code.length < length) code += String(byte % 10);
    }
  }
  return code;
}
