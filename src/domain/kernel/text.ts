/** Figures and names as people read them, in English and the same on every machine. */

const MICROS = 1_000_000;

const counts = new Intl.NumberFormat("en-US");
/** `1,200`. */
export const countText = (count: number): string => counts.format(count);

const shares = new Intl.NumberFormat("en-US", { style: "percent", maximumFractionDigits: 1 });
/** `29.3%`; `-` where there is no share. */
export const shareText = (share: number | null): string => (share === null ? "-" : shares.format(share));

/** `$24.72`, `₹1,200.00`, `$0.0625`: to the cent, and below one unit to four digits. */
export function moneyText(micros: number, currency: string): string {
  const amount = micros / MICROS;
  return new Intl.NumberFormat("en-US", {
    style: "currency",
    currency,
    maximumFractionDigits: Math.abs(amount) < 1 ? 4 : 2,
  }).format(amount);
}

const amounts = new Intl.NumberFormat("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 6 });
/** `USD 1,234.565`: to the millionth, for claims that are compared with a bill. */
export const exactMoneyText = (micros: number, currency: string): string =>
  `${currency} ${amounts.format(micros / MICROS)}`;

/** `conversion collapse` of `conversion_collapse`. */
export const spacedName = (name: string): string => name.replaceAll("_", " ");
