/**
 * CSV for spreadsheets and other programs (RFC 4180), in which no text from outside can act as a formula.
 *
 * A spreadsheet takes a cell for a formula when it begins with `=`, `+`, `-` or `@`, or with a tab or a line break before one
 * (OWASP, "CSV Injection"; the full-width forms count in Japanese, Chinese and Korean editions). A telephone number begins
 * with `+`. Such a text gets an apostrophe in front: spreadsheets then show it as text, and a program strips one leading
 * apostrophe to have the value as it was. A text that begins with an apostrophe gets one too, so that stripping is safe.
 */

/** One value of a table. */
export type Cell = string | number | boolean | null;

const RISKY = /^[\s\p{Cc}\p{Cf}]*[=+\-@＝＋－＠'\t\r\n]/u;
const NEEDS_QUOTES = /[",\r\n']|^\s|\s$/;

/** One cell as text; null is empty. Numbers are figures of ours and need no protection. */
export function csvCell(value: Cell): string {
  if (value === null) return "";
  if (typeof value !== "string") return String(value);
  const text = RISKY.test(value) ? `'${value}` : value;
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** One line with its end (CR LF, as RFC 4180 has it). */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(csvCell).join(",")}\r\n`;

/** One line of a table: its number in the file, counted from 1, and its fields by column. */
export interface TableLine<Column extends string> {
  line: number;
  fields: Record<Column, string>;
}

/**
 * Splits a small table: fields between commas, the first line that is no comment names the columns, in any order. Lines
 * that begin with `#` and empty lines are skipped. There are no quoted fields, so a quotation mark is a fault and not
 * part of a text.
 *
 * @returns the lines that have the right shape, and every fault of the others; a wrong header leaves no lines
 */
export function readTable<Column extends string>(
  text: string,
  columns: readonly Column[],
): { lines: TableLine<Column>[]; faults: string[] } {
  const [header, ...rest] = text
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((content, index) => ({ line: index + 1, content }))
    .filter(({ content }) => content.trim() !== "" && !content.startsWith("#"));
  if (!header) return { lines: [], faults: ["line 1: the header is missing"] };
  const names = header.content.split(",").map((name) => name.trim());
  const headerFaults = [
    ...columns.filter((name) => !names.includes(name)).map((name) => `column ${name} is missing`),
    ...names
      .filter((name) => !columns.some((known) => known === name))
      .map((name) => `column ${name} is unknown`),
    ...names
      .filter((name, index) => names.indexOf(name) < index)
      .map((name) => `column ${name} is there twice`),
  ];
  if (headerFaults.length > 0) {
    return { lines: [], faults: headerFaults.map((fault) => `line ${header.line}: ${fault}`) };
  }
  const lines: TableLine<Column>[] = [];
  const faults: string[] = [];
  for (const { line, content } of rest) {
    const values = content.split(",").map((value) => value.trim());
    if (content.includes('"'))
      faults.push(`line ${line}: has a quotation mark, and quoted fields are not read`);
    else if (values.length !== names.length) {
      faults.push(`line ${line}: has ${values.length} fields instead of ${names.length}`);
    } else {
      const fields = Object.fromEntries(names.map((name, index) => [name, values[index]]));
      lines.push({ line, fields: fields as Record<Column, string> });
    }
  }
  return { lines, faults };
}
