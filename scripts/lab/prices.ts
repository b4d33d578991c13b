/**
 * What a message costs in the lab, so that opponents pay the same. Micros of a US dollar; India from its providers' list
 * prices of 2026 (0.25 INR), the others of the order of public list prices, the premium destinations as dear as the
 * dearest routes have become (0.20 to 0.40 USD). Only the relations matter here.
 */
const PRICES_MICROS: Record<string, number> = {
  IN: 3_000,
  US: 8_000,
  CA: 8_000,
  GB: 40_000,
  AE: 31_000,
  SG: 40_000,
  AU: 55_000,
  SA: 60_000,
  DE: 85_000,
  BR: 57_000,
  NP: 80_000,
  UZ: 300_000,
  TJ: 250_000,
  AZ: 300_000,
};

/** For countries that are not listed; errs high. */
const OTHER_MICROS = 100_000;

/** @param country ISO 3166-1 alpha-2 */
export const priceMicros = (country: string): number => PRICES_MICROS[country] ?? OTHER_MICROS;

/** What the micros are millionths of. */
export const CURRENCY = "USD";
