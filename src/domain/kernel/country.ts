/** Countries as the numbering plans know them: their calling codes, and where the numbers of small territories are. */
import parsePhoneNumberFromString, {
  getCountries,
  getCountryCallingCode,
  isSupportedCountry,
} from "libphonenumber-js/max";

/**
 * Territories that share the numbers of another country: libphonenumber gives none of their mobile numbers to them, and of
 * their landlines some. Every number of theirs counts as one of that country, so that no rule can name them in vain.
 */
const SHARES_NUMBERS_WITH: ReadonlyMap<string, string> = new Map([
  ["AX", "FI"],
  ["BL", "GP"],
  ["CC", "AU"],
  ["CX", "AU"],
  ["EH", "MA"],
  ["MF", "GP"],
  ["SJ", "NO"],
  ["VA", "IT"],
]);

/** Codes of the EU's own style guide that are others in ISO 3166-1. */
const MISTAKEN_FOR: ReadonlyMap<string, string> = new Map([
  ["UK", "GB"],
  ["EL", "GR"],
]);

/** The country whose numbers a country's numbers are: its own, for all but a few territories. */
export const homeOf = (country: string): string => SHARES_NUMBERS_WITH.get(country) ?? country;

/** True for an ISO 3166-1 alpha-2 code that has telephone numbers. */
export const isCountry = (code: string): boolean => isSupportedCountry(code);

/** The fault of a code in the place of a telephone country, with the code to write instead; null where there is none. */
export function countryFault(code: string): string | null {
  const meant = MISTAKEN_FOR.get(code);
  if (meant !== undefined) return `${code} is no ISO 3166-1 code; write ${meant}`;
  return isCountry(code) ? null : `${code} is no country with telephone numbers (ISO 3166-1 alpha-2)`;
}

/** The fault of a country in a rule about numbers; null where numbers can be of that country. */
export function ruleCountryFault(code: string): string | null {
  const home = homeOf(code);
  return home === code ? countryFault(code) : `${code} has no numbers of its own; write ${home}`;
}

const CALLING_CODES = new Map<string, string>(
  getCountries()
    .filter((country) => homeOf(country) === country)
    .map((country) => [country, `+${getCountryCallingCode(country)}`]),
);
const COUNTRIES_BY_CALLING_CODE = Map.groupBy(
  CALLING_CODES.keys(),
  (country) => CALLING_CODES.get(country) ?? "",
);

/** Last digits that make a number of a prefix, and of a range of ten thousand numbers. */
const SPECIMENS = ["2345678", "5678"];

/** The country that a number's first digits lie in; null where they leave several open, as `+1` and `+44` do. */
export function countryOfRange(range: string): string | null {
  const sharing = COUNTRIES_BY_CALLING_CODE.get(callingCodeOf(range) ?? "") ?? [];
  if (sharing.length < 2) return sharing[0] ?? null;
  for (const rest of SPECIMENS) {
    const { country } = parsePhoneNumberFromString(range + rest) ?? {};
    if (country !== undefined) return homeOf(country);
  }
  return null;
}

/** The calling code of a country as a range; null for an unknown country, and for one that shares its code with others. */
export function callingCodeRange(country: string): string | null {
  const callingCode = CALLING_CODES.get(country);
  if (callingCode === undefined) return null;
  return COUNTRIES_BY_CALLING_CODE.get(callingCode)?.length === 1 ? callingCode : null;
}

/** True where a range may lie in a country, as far as its digits tell. */
export function mayLieIn(range: string, country: string): boolean {
  const callingCode = CALLING_CODES.get(country);
  return (
    callingCode !== undefined &&
    range.startsWith(callingCode) &&
    (countryOfRange(range) ?? country) === country
  );
}

/** The calling code of a number or a range in E.164, with its plus; null where it is no country's. */
export const callingCodeOf = (e164: string): string | null =>
  [2, 3, 4].map((end) => e164.slice(0, end)).find((code) => COUNTRIES_BY_CALLING_CODE.has(code)) ?? null;
