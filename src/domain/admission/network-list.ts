import { readTable } from "../kernel/csv.ts";

/** Autonomous system numbers have 32 bits; 0 and the last one are reserved (RFC 6793, RFC 7607, RFC 7300). */
const LAST_ASN = 4_294_967_294;

/**
 * Reads a list of networks: `asn,owner` in the form of `readTable`. A list with a header and no lines is valid and
 * names nobody.
 *
 * @returns owners by autonomous system number, or every fault with its line and column
 */
export function parseNetworkList(
  text: string,
): { ok: true; networks: Map<number, string> } | { ok: false; faults: string[] } {
  const { lines, faults } = readTable(text, ["asn", "owner"]);
  const networks = new Map<number, string>();
  const firstLines = new Map<number, number>();
  for (const { line, fields } of lines) {
    const asn = Number(fields.asn);
    if (!/^\d{1,10}$/.test(fields.asn) || asn < 1 || asn > LAST_ASN) {
      faults.push(`line ${line}: asn is not a whole number from 1 to ${LAST_ASN}`);
      continue;
    }
    if (fields.owner === "") faults.push(`line ${line}: owner is empty`);
    const first = firstLines.get(asn);
    if (first !== undefined) faults.push(`line ${line}: asn is that of line ${first}`);
    else firstLines.set(asn, line);
    networks.set(asn, fields.owner);
  }
  return faults.length > 0 ? { ok: false, faults } : { ok: true, networks };
}
