/** Numbers as the form shows them. Whether one exists is for the service to say. */
import {
  AsYouType,
  type CountryCode,
  getCountries,
  getCountryCallingCode,
  type MetadataJson,
} from "libphonenumber-js/core/es6";
import { typedNumber } from "../../domain/kernel/typed-text.ts";
import plans from "./phone-metadata.json";

const metadata = plans as unknown as MetadataJson;

export interface Country {
  /** ISO 3166-1 alpha-2. */
  code: CountryCode;
  name: string;
  /** With its plus. */
  callingCode: string;
}

interface Formatted {
  text: string;
  /** The country that the number itself names by its calling code. */
  country: CountryCode | undefined;
  /** With all that is known so far. */
  e164: string | undefined;
}

const callingCodeOf = (code: CountryCode): string => `+${getCountryCallingCode(code, metadata)}`;

/** How many digits and pluses there are in a text. */
export const countDigits = (text: string): number => typedNumber(text).replace(/[^0-9+]/g, "").length;

/** A number in the groups of its country. What is no single number stays as it was typed, for the service to refuse. */
export function formatNumber(typed: string, region: string): Formatted {
  const plain = typedNumber(typed);
  try {
    const typer = new AsYouType(region as CountryCode, metadata);
    const text = typer.input(plain);
    if (countDigits(text) === countDigits(plain)) {
      return { text, country: typer.getCountry(), e164: typer.getNumberValue() };
    }
  } catch {
    // The library fails at the beginnings of some national numbers: 06 in Cape Verde.
  }
  return { text: plain, country: undefined, e164: undefined };
}

/** A number as it may be read out abroad, in groups; empty where it cannot be told yet. */
export function internationalNumber({ phone, region }: { phone: string; region: string }): string {
  const { e164 } = formatNumber(phone, region);
  return e164 ? formatNumber(e164, region).text : "";
}

/** Where the browser's languages say that its person is. */
export function likelyRegion(wanted: readonly (string | null | undefined)[]): string {
  const regions: readonly string[] = getCountries(metadata);
  for (const tag of wanted) {
    const region = tag ? regionOf(tag) : undefined;
    if (region && regions.includes(region)) return region;
  }
  return "US";
}

function regionOf(tag: string): string | undefined {
  if (/^[a-z]{2}$/i.test(tag) && tag === tag.toUpperCase()) return tag;
  try {
    return new Intl.Locale(tag).maximize().region;
  } catch {
    return undefined;
  }
}

/** @param tag the language of the names, and of their order */
export function countriesByName(tag: string): Country[] {
  const names = new Intl.DisplayNames([tag, "en"], { type: "region" });
  const { compare } = new Intl.Collator(tag);
  return getCountries(metadata)
    .map((code) => ({ code, name: names.of(code) ?? code, callingCode: callingCodeOf(code) }))
    .sort((left, right) => compare(left.name, right.name));
}

const folded = (text: string): string =>
  typedNumber(text).normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();

/** Short names that people type and that no list has. */
const ALIASES: Partial<Record<string, string>> = { AE: "UAE", US: "USA" };

/** Looks a country up by its name, in the form's language or English, its code, or its calling code. */
export function countryFinder(countries: readonly Country[]): (query: string) => Country | undefined {
  const [english, short] = (["long", "short"] as const).map(
    (style) => new Intl.DisplayNames("en", { type: "region", style }),
  );
  const known = countries.map((country) => {
    const { code, name, callingCode } = country;
    const names = [name, english?.of(code), short?.of(code), ALIASES[code], code, callingCode];
    return { country, text: folded(`|${names.join("|")}|`) };
  });
  return (query) => {
    const sought = folded(query);
    if (sought === "") return undefined;
    // Of those that share a calling code the main one comes first in the plans.
    const [main] = metadata.country_calling_codes[sought.replace("+", "") as never] ?? [];
    const starts = [`|${sought}|`, `|${sought}`, ` ${sought}`, sought];
    const { country } =
      known.find((each) => each.country.code === main) ??
      starts.map((start) => known.find(({ text }) => text.includes(start))).find(Boolean) ??
      {};
    return country;
  };
}
