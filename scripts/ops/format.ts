/** Figures, times and tables for people at a terminal. */
import { stripVTControlCharacters, styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Colours on a terminal; the bare text in files, pipes and under NO_COLOR. */
export const styled = (style: Style, text: string): string =>
  styleText(style, text, { stream: process.stdout, validateStream: true });

/** As many characters of a styled text as a line has room for; a style that was begun is ended. */
export function cutVisible(text: string, columns: number): string {
  if (stripVTControlCharacters(text).length <= columns) return text;
  let left = columns - 1;
  const kept = text.replace(ESCAPE_OR_TEXT, (part) => {
    if (part.startsWith(ESCAPE)) return part;
    const some = part.slice(0, Math.max(0, left));
    left -= some.length;
    return some;
  });
  return `${kept}…`;
}

const ESCAPE = String.fromCharCode(27);
const ESCAPE_OR_TEXT = new RegExp(`${ESCAPE}[[0-9;]*m|[^${ESCAPE}]+`, "g");

const MICROS = 1_000_000;
const MINUTE_MS = 60_000;

export const number = (value: number): string => new Intl.NumberFormat().format(value);

/** A share as a percentage, `-` where there is none. */
export function share(value: number | null): string {
  return value === null
    ? "-"
    : new Intl.NumberFormat(undefined, { style: "percent", maximumFractionDigits: 1 }).format(value);
}

/** Micros in their currency. */
export function money(micros: number, currency: string): string {
  const value = micros / MICROS;
  // A single message is worth less than a cent, and not nothing.
  const digits = value !== 0 && Math.abs(value) < 0.01 ? { maximumFractionDigits: 4 } : {};
  return new Intl.NumberFormat(undefined, { style: "currency", currency, ...digits }).format(value);
}

/** A time in this machine's zone, to the minute. */
export function clock(rfc3339: string): string {
  return new Intl.DateTimeFormat(undefined, {
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    hourCycle: "h23",
  }).format(new Date(rfc3339));
}

/** How far a time lies ahead or behind: `in 43 min`, `5 min ago`. */
export function distance(rfc3339: string, nowMs: number): string {
  const minutes = Math.round((Date.parse(rfc3339) - nowMs) / MINUTE_MS);
  const [count, unit] =
    Math.abs(minutes) < 120 ? ([minutes, "minute"] as const) : ([Math.round(minutes / 60), "hour"] as const);
  return new Intl.RelativeTimeFormat("en").format(count, unit);
}

export interface Column {
  title: string;
  /** Numbers stand on the right. */
  right?: boolean;
}

export interface Cell {
  text: string;
  style?: Style;
}

/** Lines of a table as wide as its content; the last column is not padded. */
export function table(columns: readonly Column[], rows: readonly (readonly (Cell | string)[])[]): string[] {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "string" ? { text: cell } : cell)));
  const widths = columns.map(({ title }, at) =>
    Math.max(title.length, ...cells.map((row) => row[at]?.text.length ?? 0)),
  );
  const line = (row: readonly Cell[]) =>
    columns
      .map(({ right }, at) => {
        const { text, style } = row[at] ?? { text: "" };
        const isLast = at === columns.length - 1;
        const width = widths[at] ?? 0;
        const padded = right ? text.padStart(width) : isLast ? text : text.padEnd(width);
        return style === undefined ? padded : styled(style, padded);
      })
      .join("  ")
      .trimEnd();
  const head = columns.map(({ title }): Cell => ({ text: title, style: "dim" }));
  return [line(head), ...cells.map(line)];
}

const BARS = "▁▂▃▄▅▆▇█";

/** Counts as a row of bars, the largest of them full. */
export function bars(values: readonly number[]): string {
  const most = Math.max(1, ...values);
  return values.map((value) => BARS.charAt(Math.round((value / most) * (BARS.length - 1)))).join("");
}

/**
 * Text that came from outside, safe on a terminal: without control characters, which could move the cursor or colour what
 * follows.
 */
export const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, "�");
