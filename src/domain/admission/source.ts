import type { Phone } from "../kernel/phone.ts";
import { inRanges } from "./address.ts";
import type { SourcePolicy } from "./source.policy.ts";

/** Who asks, as far as the platform knows (or an authenticated server says of its user). */
export interface Source {
  ip: string;
  asn: number | null;
  /** ISO 3166-1 alpha-2, or `T1` for Tor (Cloudflare's country code for it). */
  country: string | null;
}

export type SourceFinding =
  | { finding: "blocked_source"; list: "ip" | "network" | "country" }
  | { finding: "listed_source"; list: "ip" | "network" | "country" }
  | { finding: "tor" }
  | { finding: "hosting_network"; asn: number; owner: string }
  | { finding: "country_mismatch"; sourceCountry: string; phoneCountry: string };

/**
 * What an address says about a request. People sit at home, at work or behind their carrier, mostly in the country of
 * their number; a machine in a data centre that asks for codes to another country is what pumps look like.
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
    if (inRanges(ip, ips)) return "ip" as const;
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
