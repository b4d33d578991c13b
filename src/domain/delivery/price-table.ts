import type { Channel } from "../session/session.ts";
import type { PriceRow } from "./money.ts";

const COLUMNS = ["country", "provider", "channel", "message_micros", "dlt_micros", "source", "date"] as const;
const CHANNELS: readonly Channel[] = ["sms", "voice", "whatsapp"];

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

/**
 * Reads the price table: `country,provider,channel,message_micros,dlt_micros,source,date` in the form of `readTable`.
 * Prices are whole millionths of the currency, a country is an ISO 3166-1 alpha-2 code or `*`, and every pair of provider
 * and channel has its `*` row.
 *
 * @param isCountry whether a code names a country; the caller has the list
 * @returns the rows, or every fault with its line and column
 */
export function parsePriceTable(
  text: string,
  isCountry: (code: string) => boolean,
): { ok: true; rows: PriceRow[] } | { ok: false; faults: string[] } {
  const { lines, faults } = readTable(text, COLUMNS);
  if (lines.length === 0 && faults.length === 0) faults.push("line 1: the table has no rows");
  const rows: PriceRow[] = [];
  const firstLines = new Map<string, number>();
  for (const { line, fields } of lines) {
    const { country, provider, channel } = fields;
    faults.push(...fieldFaults(fields, isCountry).map((fault) => `line ${line}: ${fault}`));
    const key = `${country} ${provider} ${channel}`;
    const first = firstLines.get(key);
    if (first === undefined) firstLines.set(key, line);
    else faults.push(`line ${line}: country, provider and channel are those of line ${first}`);
    rows.push({
      country,
      provider,
      channel: channel as Channel,
      message_micros: Number(fields.message_micros),
      dlt_micros: Number(fields.dlt_micros),
    });
  }
  const missing = new Map<string, number>();
  for (const { line, fields } of lines) {
    const pair = `${fields.provider} ${fields.channel}`;
    if (!firstLines.has(`* ${pair}`) && !missing.has(pair)) missing.set(pair, line);
  }
  for (const [pair, line] of missing) faults.push(`line ${line}: ${pair} has no row with country *`);
  return faults.length > 0 ? { ok: false, faults } : { ok: true, rows };
}

function fieldFaults(
  fields: Record<(typeof COLUMNS)[number], string>,
  isCountry: (code: string) => boolean,
): string[] {
  const faults: string[] = [];
  if (fields.country !== "*" && !isCountry(fields.country)) faults.push("country is unknown");
  if (!/^[a-z][a-z0-9_-]*$/.test(fields.provider)) faults.push("provider is not a name in lower case");
  if (!CHANNELS.some((channel) => channel === fields.channel)) {
    faults.push(`channel is none of ${CHANNELS.join(", ")}`);
  }
  for (const column of ["message_micros", "dlt_micros"] as const) {
    if (!/^-?\d{1,15}$/.test(fields[column])) faults.push(`${column} is not a whole number`);
    else if (Number(fields[column]) < 0) faults.push(`${column} is negative`);
  }
  if (fields.source === "") faults.push("source is empty");
  if (!/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/.test(fields.date)) {
    faults.push("date is not of the form 2026-01-31");
  }
  return faults;
}
