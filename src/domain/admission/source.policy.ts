/** The operator's own lists of sources: addresses, networks and countries that are refused, or challenged. */
import * as z from "zod";
import type { PolicyOf } from "../kernel/shapes.policy.ts";
import { isAddressRange } from "./address.ts";

/** An address, or a range in CIDR notation. */
const range = z.string().refine(isAddressRange, { error: "must be an address or a CIDR range" });

/** A network by its ASN. */
const network = z.int().positive();

/** ISO 3166-1 alpha-2, or `T1` for Tor (Cloudflare's code for it). */
const sourceCountry = z.string().regex(/^[A-Z][A-Z0-9]$/);

/** Empty by default: people anywhere may ask, and what does not fit its number is found by rules (`risk`). */
export const sourcePolicy = z
  .strictObject({
    block_ips: z.array(range).default([]),
    block_networks: z.array(network).default([]),
    block_countries: z.array(sourceCountry).default([]),
    challenge_ips: z.array(range).default([]),
    challenge_networks: z.array(network).default([]),
    challenge_countries: z.array(sourceCountry).default([]),
  })
  .prefault({});

export type SourcePolicy = PolicyOf<typeof sourcePolicy>;
