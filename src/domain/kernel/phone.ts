import parsePhoneNumberFromString, {
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  isSupportedCountry,
  parsePhoneNumberWithError,
} from "libphonenumber-js/max";
import type { Channel } from "./channel.ts";
import type { CountryPolicy, NumberPolicy, NumberType } from "./phone.policy.ts";
import type { Refusal } from "./refusal.ts";
import { typedNumber } from "./typed-text.ts";

/** A telephone number that the numbering plans allow: parsed, valid, and classified by libphonenumber's full metadata. */
export interface Phone {
  /** E.164, for example `+919876543210`. */
  e164: string;
  /** ISO 3166-1 alpha-2. */
  country: string;
  type: NumberType;
  /** The number without its last 4 digits: ten thousand neighbours, the unit in which ranges are sold and pumped. */
  block: string;
  /** The number without its last 7 digits: about one operator's series. */
  prefix: string;
}

const TYPE_NAMES: Record<string, NumberType> = {
  MOBILE: "mobile",
  FIXED_LINE: "fixed_line",
  FIXED_LINE_OR_MOBILE: "fixed_line_or_mobile",
  VOIP: "voip",
  PREMIUM_RATE: "premium_rate",
  SHARED_COST: "shared_cost",
  TOLL_FREE: "toll_free",
  PERSONAL_NUMBER: "personal",
  PAGER: "pager",
  UAN: "uan",
  VOICEMAIL: "voicemail",
};

/** Calling codes of satellite operators (ITU-T E.164 list: Inmarsat 870, GMSS 881, networks 882 and 883). */
const SATELLITE_CALLING_CODES = new Set(["870", "881", "882", "883"]);

/**
 * India's numbering plan gives mobile numbers ten digits starting 6 to 9 (DoT, National Numbering Plan); the metadata
 * is looser than that.
 */
const INDIAN_MOBILE = /^[6-9]\d{9}$/;

/**
 * Reads a number as a person or an app wrote it, in any script and with any marks (`typedNumber`).
 *
 * @param text E.164, or national together with `region`
 * @param region ISO 3166-1 alpha-2 of a national number
 * @returns the number, or `number_invalid`, or `number_type_refused` for satellite and global services, which belong to
 * no country and are expensive everywhere
 */
export function parsePhone(text: string, region: string | undefined): Phone | Refusal {
  if (region !== undefined && !isSupportedCountry(region)) return { kind: "number_invalid" };
  let parsed: ReturnType<typeof parsePhoneNumberWithError>;
  try {
    parsed = parsePhoneNumberWithError(typedNumber(text), {
      ...(region === undefined ? {} : { defaultCountry: region as CountryCode }),
      extract: false,
    });
  } catch {
    return { kind: "number_invalid" };
  }
  if (parsed.ext) return { kind: "number_invalid" };
  if (parsed.isNonGeographic()) {
    const satellite = SATELLITE_CALLING_CODES.has(parsed.countryCallingCode);
    return { kind: "number_type_refused", numberType: satellite ? "satellite" : "global_service" };
  }
  const { country } = parsed;
  if (country === undefined || !parsed.isValid()) return { kind: "number_invalid" };
  const type = TYPE_NAMES[parsed.getType() ?? ""] ?? "unknown";
  if (country === "IN" && type === "mobile" && !INDIAN_MOBILE.test(parsed.nationalNumber)) {
    return { kind: "number_invalid" };
  }
  const e164 = parsed.number;
  // Numbers of small plans are short: a prefix never ends before the digit after the calling code.
  const prefixLength = Math.max(e164.length - 7, parsed.countryCallingCode.length + 2);
  return { e164, country, type, block: e164.slice(0, -4), prefix: e164.slice(0, prefixLength) };
}

/**
 * Applies the policy's number types and countries. The type goes first: a premium number is refused as such wherever
 * it is, so that the operator's figures name the fraud and not the map.
 *
 * @returns null when the number may be written to
 */
export function refuseNumber(
  phone: Phone,
  channel: Channel,
  numbers: NumberPolicy,
  countries: CountryPolicy,
): Refusal | null {
  const deaf = channel !== "voice" && phone.type === "fixed_line";
  if (deaf || numbers.refuse_types.includes(phone.type)) {
    return { kind: "number_type_refused", numberType: phone.type };
  }
  const allowed = countries.allow.includes("*") || countries.allow.includes(phone.country);
  if (!allowed || countries.deny.includes(phone.country)) {
    return { kind: "country_not_served", country: phone.country };
  }
  return null;
}

/** True for an ISO 3166-1 alpha-2 code that has telephone numbers. */
export const isCountry = (code: string): boolean => isSupportedCountry(code);

const CALLING_CODES = new Map<string, string>(
  getCountries().map((country) => [country, `+${getCountryCallingCode(country)}`]),
);
const COUNTRIES_BY_CALLING_CODE = Map.groupBy(
  CALLING_CODES.keys(),
  (country) => CALLING_CODES.get(country) ?? "",
);

/** Last digits that make a number of a prefix, and of a range of ten thousand numbers. */
const SPECIMENS = ["2345678", "5678"];

/** The country that a number's first digits lie in; null where they leave several open, as `+1` and `+44` do. */
export function countryOfRange(range: string): string | null {
  const callingCode = [2, 3, 4]
    .map((end) => range.slice(0, end))
    .find((code) => COUNTRIES_BY_CALLING_CODE.has(code));
  const sharing = COUNTRIES_BY_CALLING_CODE.get(callingCode ?? "") ?? [];
  if (sharing.length < 2) return sharing[0] ?? null;
  for (const rest of SPECIMENS) {
    const { country } = parsePhoneNumberFromString(range + rest) ?? {};
    if (country !== undefined) return country;
  }
  return null;
}

/** The calling code of a country as a range; null for an unknown country, and for one that shares its code with others. */
export function rangeOfCountry(country: string): string | null {
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

/** The number with its middle digits hidden, as it may be shown to the client: its first two and its last two remain. */
export function maskPhone(e164: string): string {
  return `${e164.slice(0, 3)}${"•".repeat(Math.max(e164.length - 5, 0))}${e164.slice(-2)}`;
}
