/** The largest multiple of ten in a byte: bytes from here on are rejected, or the digits 0 to 5 would be more frequent. */
const UNBIASED_BYTES = 250;

/**
 * Draws a decimal code by rejection sampling.
 *
 * @param randomBytes a CSPRNG that returns as many bytes as asked for
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
