/** Networks and addresses: carriers whose people share a few addresses, home networks, hosting. */
import { getCountries } from "libphonenumber-js/max";
import type { Random } from "./random.ts";

export interface Network {
  asn: number;
  /** ISO 3166-1 alpha-2. */
  country: string;
  kind: "mobile" | "home" | "hosting";
  /** Which slice of the address space is this network's. */
  slice: number;
}

/** Where a request comes from, as the edge sees it. */
export interface Origin {
  ip: string;
  asn: number;
  ip_country: string;
}

/**
 * Large access networks of the honest countries (public BGP names); the addresses below are made up. What is missing to
 * 3 carriers and 9 home networks a country is filled with numbers from the private range (RFC 6996).
 */
const KNOWN_ASNS: Record<string, { mobile: readonly number[]; home: readonly number[] }> = {
  IN: { mobile: [55836, 45609, 38266], home: [24560, 9829, 24309, 17488, 18209, 45820, 17813] },
  US: { mobile: [21928, 22394, 20057], home: [7922, 20115, 7018, 22773, 701, 11427] },
  GB: { mobile: [12576, 25135, 35228], home: [2856, 5607, 5089, 13285] },
  AE: { mobile: [5384, 15802], home: [5384, 15802] },
  SG: { mobile: [45143, 17547], home: [9506, 4657] },
  AU: { mobile: [1221, 4804, 133612], home: [1221, 7545, 4739] },
  CA: { mobile: [812, 852], home: [577, 812, 852] },
  DE: { mobile: [3209, 6805], home: [3320, 3209, 6805, 8881] },
  SA: { mobile: [25019, 35819], home: [25019, 35819] },
  NP: { mobile: [23752], home: [17501, 23752] },
};

/** Hosting and cloud networks, all on the public lists of such networks. */
const HOSTING: readonly (readonly [asn: number, country: string])[] = [
  [16276, "FR"],
  [24940, "DE"],
  [14061, "US"],
  [16509, "US"],
  [63949, "US"],
  [20473, "US"],
  [9009, "GB"],
  [51167, "DE"],
  [60781, "NL"],
  [8075, "US"],
];

const MOBILE_SLOTS = 3;
const HOME_SLOTS = 9;
const SLOTS = MOBILE_SLOTS + HOME_SLOTS;
const PRIVATE_ASN = 4_200_000_000;
/** Slices of 2^18 addresses from 11.0.0.0 on end below 60.0.0.0: no private, shared or reserved range is touched. */
const FIRST_ADDRESS = 11 * 2 ** 24;
const SLICE_ADDRESSES = 2 ** 18;

const COUNTRIES: readonly string[] = [...getCountries()].sort();

/** Every country that has numbers, sorted. */
export const allCountries = (): readonly string[] => COUNTRIES;

/** The country's mobile carriers. */
export function carriersOf(country: string): Network[] {
  return Array.from({ length: MOBILE_SLOTS }, (_, slot) => network(country, "mobile", slot));
}

/** The country's home networks, the largest first. */
export function homeNetworksOf(country: string): Network[] {
  return Array.from({ length: HOME_SLOTS }, (_, slot) => network(country, "home", slot));
}

/** All hosting networks. */
export function hostingNetworks(): Network[] {
  return HOSTING.map(([asn, country], slot) => ({
    asn,
    country,
    kind: "hosting",
    slice: COUNTRIES.length * SLOTS + slot,
  }));
}

/** Draws one, the first ones more often: the first has about three times the people of the last. */
export function pickNetwork(random: Random, networks: readonly Network[]): Network {
  return networks[random.weighted(networks.map((_, rank) => 1 / (rank + 3)))] as Network;
}

/** A subscriber line of the network; the same `line` is always the same address. */
export function ipv4Origin(from: Network, line: number): Origin {
  const address = FIRST_ADDRESS + from.slice * SLICE_ADDRESSES + (line % SLICE_ADDRESSES);
  const octets = [24, 16, 8, 0].map((shift) => (address >>> shift) & 255);
  return { ip: octets.join("."), asn: from.asn, ip_country: from.country };
}

/** A subscriber's /64; the last groups change as privacy addresses do. */
export function ipv6Origin(random: Random, from: Network, line: number): Origin {
  const group = (value: number): string => (value & 0xffff).toString(16);
  const host = [0, 1, 2, 3].map(() => group(1 + random.int(0xffff))).join(":");
  const ip = `2a00:${group(0x1000 + from.slice)}:${group(line >>> 16)}:${group(line)}:${host}`;
  return { ip, asn: from.asn, ip_country: from.country };
}

function network(country: string, kind: "mobile" | "home", slot: number): Network {
  const index = COUNTRIES.indexOf(country);
  if (index < 0) throw new RangeError(`no networks known for country ${country}`);
  const slice = index * SLOTS + (kind === "mobile" ? slot : MOBILE_SLOTS + slot);
  return { asn: KNOWN_ASNS[country]?.[kind][slot] ?? PRIVATE_ASN + slice, country, kind, slice };
}
