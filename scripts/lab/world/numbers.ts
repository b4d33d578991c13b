/** Telephone numbers that exist on paper: valid mobile numbers of any country, checked with the full metadata. */
import { type CountryCode, getCountryCallingCode, parsePhoneNumberFromString } from "libphonenumber-js/max";
import examples from "libphonenumber-js/mobile/examples";
import { type Random, seededRandom } from "./random.ts";

/** A block is a number without its last 4 digits: the unit in which ranges are sold and pumped. */
const BLOCK_DIGITS = 4;
/** A series is a number without its last 6 digits: a hundred blocks, about what a regulator assigns at once. */
const SERIES_DIGITS = 6;

/** Where a country's mobile numbers live. */
interface NumberPlan {
  country: CountryCode;
  /** With the plus sign. */
  callingCode: string;
  nationalDigits: number;
  /** Leading digits of the national number. */
  series: readonly string[];
}

const plans = new Map<string, NumberPlan>();
const knownBlocks = new Map<string, boolean>();
const countriesByHead = new Map<string, string>();

/** A mobile number of the country, drawn evenly over its series, as a stranger's is. */
export function randomNumber(random: Random, country: string): string {
  return randomBlock(random, country) + random.digits(BLOCK_DIGITS);
}

/** A block of valid mobile numbers of the country: append any 4 digits. */
export function randomBlock(random: Random, country: string): string {
  const plan = planOf(country);
  for (;;) {
    const series = random.pick(plan.series);
    const rest = random.digits(plan.nationalDigits - series.length - BLOCK_DIGITS);
    const block = plan.callingCode + series + rest;
    if (isMobileBlock(block, plan.country)) return block;
  }
}

/** Another number of the same block. */
export const numberInBlock = (random: Random, block: string): string => block + random.digits(BLOCK_DIGITS);

/** ISO country of a number, `ZZ` where there is none. */
export function countryOf(phone: string): string {
  const head = phone.slice(0, -BLOCK_DIGITS);
  let country = countriesByHead.get(head);
  if (country === undefined) {
    country = parsePhoneNumberFromString(phone)?.country ?? "ZZ";
    countriesByHead.set(head, country);
  }
  return country;
}

/** True for a valid number of the country that can get a message (the US and Canada do not tell mobiles apart). */
export function isMobile(phone: string, country: string): boolean {
  const parsed = parsePhoneNumberFromString(phone);
  if (parsed?.country !== country || !parsed.isValid()) return false;
  // Lines of Indian businesses that only call (160 series) pass as mobiles in the metadata; people's begin with 6 to 9.
  if (country === "IN" && !/^[6-9]/.test(parsed.nationalNumber)) return false;
  const type = parsed.getType();
  return type === "MOBILE" || type === "FIXED_LINE_OR_MOBILE";
}

/** No numbering plan tells numbers apart by their last digits, so that two ends stand for the whole block. */
function isMobileBlock(block: string, country: string): boolean {
  let valid = knownBlocks.get(block);
  if (valid === undefined) {
    valid = isMobile(`${block}0000`, country) && isMobile(`${block}9999`, country);
    knownBlocks.set(block, valid);
  }
  return valid;
}

function planOf(country: string): NumberPlan {
  const known = plans.get(country);
  if (known) return known;
  const example = examples[country as CountryCode];
  if (example === undefined) throw new RangeError(`no mobile numbers known for country ${country}`);
  const code = country as CountryCode;
  const callingCode = `+${getCountryCallingCode(code)}`;
  const series = discoverSeries(code, callingCode, example);
  const plan = { country: code, callingCode, nationalDigits: example.length, series };
  plans.set(country, plan);
  return plan;
}

/**
 * Finds series by trying random numbers; where hits are rare, it keeps more of the metadata's example number. The seed is
 * the country's own, so that a plan never depends on who asked for it first.
 */
function discoverSeries(country: CountryCode, callingCode: string, example: string): string[] {
  const random = seededRandom(`series/${country}`);
  const seriesDigits = Math.max(1, example.length - SERIES_DIGITS);
  const tries = 2000;
  for (let kept = 0; kept <= seriesDigits; kept++) {
    const found = new Set<string>();
    let hits = 0;
    for (let at = 0; at < tries; at++) {
      const national = example.slice(0, kept) + random.digits(example.length - kept);
      if (!isMobile(callingCode + national, country)) continue;
      found.add(national.slice(0, seriesDigits));
      hits++;
    }
    if (hits >= tries / 20) return [...found].sort();
  }
  return [example.slice(0, seriesDigits)];
}
