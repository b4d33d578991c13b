import { CHANNELS, type Channel } from "../kernel/channel.ts";
import { readTable } from "../kernel/csv.ts";
import type { PriceRow } from "./money.ts";

const COLUMNS = ["country", "provider", "channel", "message_micros", "dlt_micros", "source", "date"] as const;

/**
 * Reads the price table: `country,provider,channel,message_micros,dlt_micros,source,date` in the form of `readTable`.
 * Prices are whole millionths of the currency, a country is an ISO 3166-1 alpha-2 code or `*`, and every pair of provider
 * and channel has its `*` row.
 *
 * @param isCountry true for the code of a country; the caller has the list
 * @returns the rows and their currency, or every fault with its line and column
 */
export function parsePriceTable(
  text: string,
  isCountry: (code: string) => boolean,
): { ok: true; rows: PriceRow[]; currency: string } | { ok: false; faults: string[] } {
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
  return faults.length > 0 ? { ok: false, faults } : { ok: true, rows, currency: currencyOf(text) };
}

/** The line `# currency: EUR` says what the prices are in; without it they are in US dollars. */
const currencyOf = (text: string): string => /^# *currency: *([A-Z]{3}) *$/m.exec(text)?.[1] ?? "USD";

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
