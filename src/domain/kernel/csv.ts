/**
 * Tables for spreadsheets and other programs (RFC 4180), in which nothing that came from outside can act.
 *
 * A spreadsheet takes a cell for a formula when it begins with `=`, `+`, `-` or `@`, or with a tab or a line break before one
 * (OWASP, "CSV Injection"; the full-width forms count in Japanese, Chinese and Korean editions). A telephone number begins
 * with `+`. Such a text gets an apostrophe in front: spreadsheets then show it as text, and a program strips one leading
 * apostrophe to have the value as it was. A text that begins with an apostrophe gets one too, so that stripping is safe.
 */

export type Cell = string | number | boolean | null;

const RISKY = /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠'\t\r\n]/u;
const NEEDS_QUOTES = /[",\r\n']|^\s|\s$/;

/** One cell; null is empty. Numbers are figures of ours and stand as they are. */
export function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = RISKY.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line with its end (CR LF, as RFC 4180 has it). */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(",")}\r\n`;
