/** ASCII digits for those of every script, so that a code copied from an Arabic or Hindi message is a code. */
export const asciiDigits = (text: string): string =>
  text.replace(/\p{Nd}/gu, (digit) => {
    const point = digit.codePointAt(0) ?? 0;
    let zero = point;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String((point - zero) % 10);
  });

/** The code in what a person pasted or an app filled in: its digits, or the run of them in a whole message. */
export function codeIn(text: string, length: number): string {
  const ascii = asciiDigits(text);
  const run = new RegExp(`(?<![0-9])[0-9](?:[ \\u00a0-]?[0-9]){${length - 1}}(?![0-9])`).exec(ascii);
  return (run?.[0] ?? ascii).replace(/[^0-9]/g, "").slice(0, length);
}
