import { type CountryCode, type PhoneNumber, parsePhoneNumberWithError } from "libphonenumber-js/max";
import type { Channel } from "./channel.ts";
import { callingCodeOf, countryFault, homeOf } from "./country.ts";
import type { CountryPolicy, NumberPolicy, NumberType } from "./phone.policy.ts";
import type { Refusal } from "./refusal.ts";
import { typedNumber } from "./typed-text.ts";

/** A telephone number that the numbering plans allow: parsed, valid, and classified by libphonenumber's full metadata. */
export interface Phone {
  /** E.164, for example `+919876543210`. */
  e164: string;
  /** ISO 3166-1 alpha-2; of a territory without numbers of its own, the country that it shares its plan with. */
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
 * Mexico dropped these prefixes in August 2019 (IFT, Plan Técnico Fundamental de Numeración), and they are still written:
 * 521 in WhatsApp's numbers, 044 and 045 before mobiles, 01 and 02 before the area.
 */
const MEXICO = { callingCode: "52", retired: /^(?:0(?:1|2|44|45)|1)(\d{10})$/ };

/** Argentina's numbers have a 9 before the area where they are mobile and called, or written to, from abroad. */
const ARGENTINA = { callingCode: "54", landline: /^[1-8]\d{9}$/ };

/**
 * Reads a number as a person or an app wrote it, in any script and with any marks (`typedNumber`).
 *
 * @param text E.164, or national together with `region`
 * @param region ISO 3166-1 alpha-2 of a national number
 * @returns the number, or `number_invalid`, or `number_type_refused` for satellite and global services, which belong to
 * no country and are expensive everywhere
 */
export function parsePhone(text: string, region: string | undefined): Phone | Refusal {
  const regionFault = region === undefined ? null : countryFault(region);
  if (regionFault !== null) {
    return { kind: "number_invalid", errors: [{ field: "region", reason: regionFault }] };
  }
  const parsed = parseTyped(text, region as CountryCode | undefined);
  if (parsed === null) return { kind: "number_invalid" };
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
  const [block, prefix] = [e164.slice(0, -4), e164.slice(0, prefixLength)];
  return { e164, country: homeOf(country), type, block, prefix };
}

/** A number as the library reads it, without prefixes that its plan has retired; null for what is no single number. */
function parseTyped(text: string, region: CountryCode | undefined): PhoneNumber | null {
  const parsed = parseOne(typedNumber(text), region);
  if (parsed?.countryCallingCode !== MEXICO.callingCode) return parsed;
  const [, subscriber] = MEXICO.retired.exec(parsed.nationalNumber) ?? [];
  return subscriber === undefined ? parsed : parseOne(`+${MEXICO.callingCode}${subscriber}`, undefined);
}

function parseOne(text: string, defaultCountry: CountryCode | undefined): PhoneNumber | null {
  try {
    const parsed = parsePhoneNumberWithError(text, {
      ...(defaultCountry && { defaultCountry }),
      extract: false,
    });
    return parsed.ext ? null : parsed;
  } catch {
    return null;
  }
}

/**
 * Reads a number that is to be reached by a channel. Argentines write their mobile numbers as landlines, without the 9 that
 * texts need: one that is a mobile number with it is taken for that (libphonenumber's FAQ on Argentina), unless it is to be
 * called.
 */
export function parsePhoneFor(channel: Channel, text: string, region: string | undefined): Phone | Refusal {
  const phone = parsePhone(text, region);
  if ("kind" in phone || channel === "voice" || phone.type !== "fixed_line") return phone;
  const national = phone.e164.slice(1 + ARGENTINA.callingCode.length);
  if (phone.country !== "AR" || !ARGENTINA.landline.test(national)) return phone;
  const mobile = parsePhone(`+${ARGENTINA.callingCode}9${national}`, undefined);
  return "kind" in mobile || mobile.type !== "mobile" ? phone : mobile;
}

/**
 * The one rule for types of numbers, whoever named the type, the numbering plan or a paid lookup: a landline hears calls alone,
 * and the policy's types get nothing by any channel.
 */
export const refusesType = (
  type: NumberType,
  channel: Channel,
  { refuse_types }: Pick<NumberPolicy, "refuse_types">,
): boolean => (channel !== "voice" && type === "fixed_line") || refuse_types.includes(type);

/** True for a country that is allowed and not denied. */
export const servesCountry = ({ allow, deny }: CountryPolicy, country: string): boolean =>
  (allow.includes("*") || allow.includes(country)) && !deny.includes(country);

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
  if (refusesType(phone.type, channel, numbers)) {
    return { kind: "number_type_refused", numberType: phone.type };
  }
  if (!servesCountry(countries, phone.country)) {
    return { kind: "country_not_served", country: phone.country };
  }
  return null;
}

/**
 * The number with its subscriber's digits hidden, as it may be shown to the client: the whole calling code, so that nothing
 * of the number itself stands behind it, and the last two digits.
 */
export function maskPhone(e164: string): string {
  const shown = callingCodeOf(e164) ?? "+";
  return `${shown}${"•".repeat(Math.max(e164.length - shown.length - 2, 0))}${e164.slice(-2)}`;
}
