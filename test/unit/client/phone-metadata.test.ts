import { AsYouType, type CountryCode, getCountries, getCountryCallingCode } from "libphonenumber-js/core";
import full from "libphonenumber-js/min/metadata";
import examples from "libphonenumber-js/mobile/examples";
import { describe, expect, test } from "vitest";
import { slimPhoneMetadata } from "../../../scripts/lib/phone-metadata.ts";
import shipped from "../../../src/client/element/phone-metadata.json";

const slim = shipped as unknown as typeof full;

/** The number as it is shown after each digit, and at the end the country it is of and its E.164 form. */
function typing(text: string, country: CountryCode, metadata: typeof full): string[] {
  const shown: string[] = [];
  const typer = new AsYouType(country, metadata);
  for (const character of text) shown.push(typer.input(character));
  return [...shown, String(typer.getCountry()), String(typer.getNumberValue())];
}

describe("the form's numbering plans", () => {
  test("are those of the library that is installed: run scripts/phone-metadata.ts", () => {
    expect(shipped).toEqual(slimPhoneMetadata());
    expect(getCountries(slim).sort()).toEqual(getCountries(full).sort());
  });

  test.each(getCountries(full))(
    "format a mobile number of %s as the whole plans do, typed either way",
    (country) => {
      const national = examples[country];
      if (national === undefined) throw new Error("no example");
      const callingCode = getCountryCallingCode(country, full);
      for (const text of [national, `+${callingCode}${national}`, `00${callingCode}${national}`]) {
        expect(typing(text, country, slim)).toEqual(typing(text, country, full));
      }
    },
  );

  test.each(["+800 1234 5678", "+870 773 123 456", "+881 6 123 45678", "+979 123 456 789", "+999", "+0"])(
    "take %s, which belongs to no country, without a fault",
    (text) => {
      const typer = new AsYouType("IN", slim);
      expect(typer.input(text).replace(/\D/g, "")).toBe(text.replace(/\D/g, ""));
    },
  );
});
