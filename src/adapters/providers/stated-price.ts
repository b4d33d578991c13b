/**
 * A price as a provider states it: a decimal in text, negative where the provider books it as a charge.
 *
 * @param currency ISO 4217, of the price table
 * @returns millionths of the currency; null for a price in another currency, for none and for anything unreadable
 */
export function statedMicros(amount: unknown, unit: unknown, currency: string): number | null {
  if (typeof amount !== "string" || !/^-?\d{1,9}(\.\d{1,18})?$/.test(amount)) return null;
  if (typeof unit !== "string" || unit.toUpperCase() !== currency) return null;
  return Math.round(Math.abs(Number(amount)) * 1_000_000);
}
