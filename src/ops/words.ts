/** Numbers for people, as their own language writes them: 12,34,567 and ₹1.2 Cr for a reader of `en-IN`. */
import { roundedDurationText } from "../flows/audit/run-operator-action.ts";

export interface PageFormats {
  locale: string;
  /** A whole number, in full. */
  count(value: number): string;
  /** A whole number short enough to be read from afar: `12.3K`, `1.2L`. */
  short(value: number): string;
  /** Micros of the currency of the policy, with what matters of its fractions. */
  money(micros: number): string;
  /** The same of one message, which may cost less than a cent. */
  price(micros: number): string;
  /** 0 to 1 as a percentage; a dash for null. */
  share(ratio: number | null): string;
  /** Seconds to a second, or a tenth of one. */
  seconds(value: number | null): string;
  /** A duration, in milliseconds below a second. */
  took(ms: number): string;
  /** A length of time. */
  lasting(ms: number): string;
  /** An ISO 3166-1 code's country by name. */
  country(code: string): string;
}

const MICROS = 1_000_000;
const SHORT_FROM = 100_000;
const FALLBACK = "en";
const MOST_LOCALES = 50;

const made = new Map<string, PageFormats>();

/** @param accepts an `Accept-Language` header; its first language counts */
export function formatsFor(accepts: string | undefined, currency: string): PageFormats {
  const locale = localeOf(accepts);
  const key = `${locale} ${currency}`;
  const known = made.get(key);
  if (known !== undefined) return known;
  if (made.size >= MOST_LOCALES) made.clear();
  const words = makeWords(locale, currency);
  made.set(key, words);
  return words;
}

function makeWords(locale: string, currency: string): PageFormats {
  const whole = new Intl.NumberFormat(locale, { maximumFractionDigits: 0 });
  const compact = new Intl.NumberFormat(locale, { notation: "compact", maximumFractionDigits: 1 });
  const percent = new Intl.NumberFormat(locale, { style: "percent", maximumFractionDigits: 0 });
  const amount = { style: "currency", currency } as const;
  const exact = new Intl.NumberFormat(locale, amount);
  const fine = new Intl.NumberFormat(locale, { ...amount, maximumFractionDigits: 4 });
  const round = new Intl.NumberFormat(locale, { ...amount, maximumFractionDigits: 0 });
  const short = new Intl.NumberFormat(locale, { ...amount, notation: "compact", maximumFractionDigits: 1 });
  const regions = new Intl.DisplayNames(locale, { type: "region", fallback: "code" });
  const tenths = new Intl.NumberFormat(locale, { maximumFractionDigits: 1 });
  const seconds = (value: number) => `${(value < 10 ? tenths : whole).format(value)} s`;
  return {
    locale,
    count: (value) => whole.format(value),
    short: (value) => (value < SHORT_FROM ? whole : compact).format(value),
    money(micros) {
      const value = micros / MICROS;
      // A single message is worth less than a cent, and not nothing.
      if (value !== 0 && Math.abs(value) < 0.01) return fine.format(value);
      if (Math.abs(value) >= SHORT_FROM) return short.format(value);
      return (Math.abs(value) >= 1000 ? round : exact).format(value);
    },
    price: (micros) => fine.format(micros / MICROS),
    share: (ratio) => (ratio === null ? "–" : percent.format(ratio)),
    seconds: (value) => (value === null ? "–" : seconds(value)),
    took: (ms) => (Math.round(ms) < 1000 ? `${whole.format(ms)} ms` : seconds(ms / 1000)),
    lasting: roundedDurationText,
    country: (code) => (/^[A-Z]{2}$/.test(code) ? (regions.of(code) ?? code) : code),
  };
}

function localeOf(accepts: string | undefined): string {
  const first = /^[\w-]{2,35}/.exec(accepts ?? "")?.[0] ?? FALLBACK;
  try {
    return Intl.NumberFormat.supportedLocalesOf([first])[0] ?? FALLBACK;
  } catch {
    return FALLBACK;
  }
}
