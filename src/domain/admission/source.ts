import { readTable } from "../kernel/csv.ts";
import type { Phone } from "../kernel/phone.ts";
import { isInAddressRanges } from "./address.ts";
import type { SourcePolicy } from "./source.policy.ts";

/** The origin of a request, as the platform knows it or an authenticated server states it of its user. */
export interface Source {
  /** null where a server states nobody's address: then no limit or budget of an address is drawn on. */
  ip: string | null;
  asn: number | null;
  /** ISO 3166-1 alpha-2, or `T1` for Tor (Cloudflare's country code for it). */
  country: string | null;
}

/** One observation about the origin of a request. */
export type SourceFinding =
  | { finding: "blocked_source"; list: "ip" | "network" | "country" }
  | { finding: "listed_source"; list: "ip" | "network" | "country" }
  | { finding: "tor" }
  | { finding: "hosting_network"; asn: number; owner: string }
  | { finding: "country_mismatch"; sourceCountry: string; phoneCountry: string };

/**
 * The findings about the origin of a request. People are at home, at work or behind their carrier, mostly in the country of
 * their number; SMS pumping typically comes from a machine in a data centre that asks for codes to another country.
 *
 * @param hosting owner by ASN of hosting, cloud and VPN networks
 */
export function inspectSource(
  source: Source,
  phone: Phone,
  policy: SourcePolicy,
  hosting: ReadonlyMap<number, string>,
): SourceFinding[] {
  const { ip, asn, country } = source;
  const findings: SourceFinding[] = [];
  const lists = (ips: readonly string[], networks: readonly number[], countries: readonly string[]) => {
    if (ip !== null && isInAddressRanges(ip, ips)) return "ip" as const;
    if (asn !== null && networks.includes(asn)) return "network" as const;
    return country !== null && countries.includes(country) ? ("country" as const) : null;
  };
  const blocked = lists(policy.block_ips, policy.block_networks, policy.block_countries);
  if (blocked) findings.push({ finding: "blocked_source", list: blocked });
  const listed = lists(policy.challenge_ips, policy.challenge_networks, policy.challenge_countries);
  if (listed) findings.push({ finding: "listed_source", list: listed });
  if (country === "T1") findings.push({ finding: "tor" });
  const owner = asn === null ? undefined : hosting.get(asn);
  if (asn !== null && owner !== undefined) findings.push({ finding: "hosting_network", asn, owner });
  if (country !== null && country !== "T1" && country !== "XX" && country !== phone.country) {
    findings.push({ finding: "country_mismatch", sourceCountry: country, phoneCountry: phone.country });
  }
  return findings;
}

/** Autonomous system numbers have 32 bits; 0 and the last one are reserved (RFC 6793, RFC 7607, RFC 7300). */
const LAST_ASN = 4_294_967_294;

/**
 * Reads a list of networks: `asn,owner` in the form of `readTable`. A list with a header and no lines is valid and
 * names no network.
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
