/**
 * Numbers and codes as people type, paste and dictate them, brought to one form. The API and the form use these same
 * functions, so this file imports nothing and each function takes time linear in its text.
 */

/** Characters that show nothing: bidirectional and zero-width marks, variation selectors, and the frame of a keycap digit. */
const INVISIBLE = /[\p{Cf}\p{Default_Ignorable_Code_Point}]|\u20e3/gu;
const SPACE_IN_LINE = /[\p{Zs}\t]/gu;
const DASH = /[\p{Pd}\u2212]/gu;
const PLUS = /[\uff0b\ufe62]/g;
/** A telephone URI (RFC 3966); its plus may be percent-encoded. */
const TEL_SCHEME = /^tel:(?:\/\/)?(?:%2b)?/i;
const CALLING_CODE_IN_BRACKETS = /^\([ -]*\+[ -]*(\d{1,3})[ -]*\)/;
/** "G-123456", "code: 123456". */
const LONGEST_CODE_PREFIX = 8;

/** ASCII digits for the decimal digits of every script; all other characters stay. */
export function asciiDigits(text: string): string {
  return text.replace(/\p{Nd}/gu, (digit) => {
    const point = digit.codePointAt(0) ?? 0;
    // Unicode keeps the digits of a script together, zero first.
    let zero = point;
    while (/\p{Nd}/u.test(String.fromCodePoint(zero - 1))) zero--;
    return String((point - zero) % 10);
  });
}

/**
 * A telephone number as it was typed, with ASCII digits, spaces, dashes and plus, without marks that nobody sees, and
 * without the scheme of a `tel:` URI. Letters, commas, inner line breaks and the parameters of a URI stay, so that a
 * number with an extension and two numbers in one field are still refused by whoever parses the result.
 */
export function typedNumber(text: string): string {
  const plain = asciiDigits(text.replace(INVISIBLE, ""))
    .replace(SPACE_IN_LINE, " ")
    .replace(DASH, "-")
    .replace(PLUS, "+")
    .trim();
  return plain
    .replace(TEL_SCHEME, (scheme) => (scheme.endsWith("b") || scheme.endsWith("B") ? "+" : ""))
    .replace(CALLING_CODE_IN_BRACKETS, "+$1")
    .trim();
}

/**
 * The digits of a code that stands alone, however it is grouped: "374 914", "G-374914", "٣٧٤٩١٤".
 *
 * @returns ASCII digits, or null where the text holds something else, a sentence for example; how many digits a code
 * has is for the caller to check
 */
export function typedCode(text: string): string | null {
  const signs = asciiDigits(text.replace(INVISIBLE, "")).replace(/[^\p{L}0-9]/gu, "");
  const [, prefix = "", digits = null] = /^(\p{L}*)([0-9]+)$/u.exec(signs) ?? [];
  return prefix.length > LONGEST_CODE_PREFIX ? null : digits;
}

/** "14:05", "2026-11-30", "30.11.2026": their digits are of no code, though they may stand right beside one. */
const DATE_OR_TIME =
  /(?<![0-9])(?:[0-9]{1,2}(?::[0-9]{2}){1,2}|[0-9]{4}-[0-9]{2}-[0-9]{2}|[0-9]{1,2}[./][0-9]{1,2}[./][0-9]{2,4})(?![0-9])/g;

/** "123 456", "12-34-56", "123 4567": joined in one way, and no part of an amount or a telephone number. */
const GROUPS = /(?<![0-9+]|[0-9][ .,:/-])[0-9]+([ -])[0-9]+(?:\1[0-9]+)*(?![0-9]|[ .,:/-][0-9])/g;

/**
 * The code in what a person pasted or an app filled in, which may be a whole message. The code of a message's last line,
 * `@host #123456`, wins (origin-bound one-time codes); then an unbroken run of the right length that is no part of a
 * longer number, a date or a time; then one in even groups, "123 456".
 *
 * @param length digits in a code
 * @returns as many ASCII digits as are there, at most `length`; empty where a message holds no code of that length
 */
export function codeIn(text: string, length: number): string {
  const plain = asciiDigits(text.replace(INVISIBLE, "")).replace(SPACE_IN_LINE, " ").replace(DASH, "-");
  const bound = new RegExp(`^@\\S+ #([0-9]{${length}})(?![0-9])`, "m").exec(plain)?.[1];
  const undated = plain.replace(DATE_OR_TIME, "|");
  const run = new RegExp(`(?<![0-9+]|[0-9][ .,:/-])[0-9]{${length}}(?![0-9]|[ .,:/-][0-9])`);
  const found = bound ?? run.exec(undated)?.[0] ?? groupedCode(undated, length);
  if (found !== undefined) return found;
  // A code that is being typed; among words the digits are of something else.
  const digits = typedCode(plain) ?? "";
  return /\p{L}/u.test(plain) && digits.length > length ? "" : digits.slice(0, length);
}

/** The fewest groups win: "123 456" is a code sooner than "30-11-26" is. */
function groupedCode(plain: string, length: number): string | undefined {
  return (plain.match(GROUPS) ?? [])
    .map((chain) => chain.split(/[ -]/))
    .filter((groups) => groups.join("").length === length && isEven(groups))
    .sort((left, right) => left.length - right.length)[0]
    ?.join("");
}

function isEven(groups: string[]): boolean {
  const sizes = groups.map((group) => group.length);
  return Math.max(...sizes) - Math.min(...sizes) <= 1;
}
