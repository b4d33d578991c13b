import { readFileSync } from "node:fs";
import type { CountryCode } from "libphonenumber-js/max";
import { getCountries, getCountryCallingCode, getExampleNumber } from "libphonenumber-js/max";
import { describe, expect, test } from "vitest";
import { maskPhone, parsePhone, refuseNumber } from "../../../../src/domain/kernel/phone.ts";

const examples = JSON.parse(readFileSync("node_modules/libphonenumber-js/examples.mobile.json", "utf8"));
const NUMBERS = {
  refuse_types: ["premium_rate", "shared_cost", "toll_free", "personal", "pager", "uan", "voicemail", "voip"],
} as const;
const EVERYWHERE = { allow: ["*"], deny: [] };

const refusalOf = (
  text: string,
  region?: string,
  countries: { allow: string[]; deny: string[] } = EVERYWHERE,
) => {
  const phone = parsePhone(text, region);
  return "kind" in phone ? phone : refuseNumber(phone, "sms", NUMBERS, countries);
};

test.each(["IN", "US", "GB", "NG", "PH", "BD", "AE", "SG", "BR", "ID"])(
  "a mobile number of %s may get a code",
  (country) => {
    const example = getExampleNumber(country as CountryCode, examples);
    expect(refusalOf(example?.number ?? "")).toBeNull();
    expect(refusalOf(example?.nationalNumber ?? "", country)).toBeNull();
  },
);

describe("numbers that cost or reach nobody are refused by their kind", () => {
  test.each([
    ["+19002345678", "premium_rate"],
    ["+18002345678", "toll_free"],
    ["+442079460958", "fixed_line"],
    ["+449012345678", "premium_rate"],
    ["+448001234567", "toll_free"],
    ["+447012345678", "personal"],
    ["+443031234567", "uan"],
    ["+911800123456", "toll_free"],
    ["+911124123456", "fixed_line"],
    ["+915876543210", "fixed_line"],
    ["+33891123456", "premium_rate"],
    ["+33801234567", "toll_free"],
    ["+33123456789", "fixed_line"],
    ["+499001234567", "premium_rate"],
    ["+498001234567890", "toll_free"],
    ["+4930123456", "fixed_line"],
    ["+611901234567", "premium_rate"],
    ["+611800123456", "toll_free"],
    ["+61290123456", "fixed_line"],
    ["+390612345678", "fixed_line"],
    ["+39800123456", "toll_free"],
    ["+34803123456", "premium_rate"],
    ["+34900123456", "toll_free"],
    ["+81312345678", "fixed_line"],
    ["+81120123456", "toll_free"],
    ["+6561234567", "fixed_line"],
    ["+6519001234567", "premium_rate"],
    ["+881612345678", "satellite"],
    ["+870773111632", "satellite"],
    ["+80012345678", "global_service"],
    ["+979123456789", "global_service"],
  ])("%s is %s", (text, numberType) => {
    expect(refusalOf(text)).toEqual({ kind: "number_type_refused", numberType });
  });
});

test.each([
  ["", undefined],
  ["+", undefined],
  ["9876543210", undefined],
  ["+9112345", undefined],
  ["+919", undefined],
  ["+1415555010", undefined],
  ["+447400", undefined],
  ["+2348", undefined],
  ["+999123456789", undefined],
  ["98765 43210 ext 5", "IN"],
  ["call +919876543210 now", undefined],
])("%j with region %j is no number", (text, region) => {
  expect(refusalOf(text, region)).toEqual({ kind: "number_invalid" });
});

test.each([
  ["9876543210", "XX", "XX is no country with telephone numbers (ISO 3166-1 alpha-2)"],
  ["+919876543210", "__proto__", "__proto__ is no country with telephone numbers (ISO 3166-1 alpha-2)"],
  ["07976 399087", "UK", "UK is no ISO 3166-1 code; write GB"],
  ["694 123 4567", "EL", "EL is no ISO 3166-1 code; write GR"],
])("%j with region %j names the region as the fault", (text, region, reason) => {
  expect(parsePhone(text, region)).toEqual({ kind: "number_invalid", errors: [{ field: "region", reason }] });
});

test("a country is served when it is allowed and not denied", () => {
  const refused = { kind: "country_not_served", country: "IN" };
  expect(refusalOf("+919876543210", undefined, { allow: ["US"], deny: [] })).toEqual(refused);
  expect(refusalOf("+919876543210", undefined, { allow: ["*"], deny: ["IN"] })).toEqual(refused);
  expect(refusalOf("+919876543210", undefined, { allow: ["IN"], deny: [] })).toBeNull();
});

test("a landline may be called but not texted", () => {
  const phone = parsePhone("+442079460958", undefined);
  if ("kind" in phone) throw new Error("it is a number");
  expect(refuseNumber(phone, "voice", NUMBERS, EVERYWHERE)).toBeNull();
});

test("spaces, dashes and brackets are read, and the block and prefix are cut from the end", () => {
  expect(parsePhone(" (0)98765-43210 ", "IN")).toEqual({
    e164: "+919876543210",
    country: "IN",
    type: "mobile",
    block: "+91987654",
    prefix: "+91987",
  });
});

test.each([
  ["+919876543210", "+91••••••••10"],
  ["+971501234567", "+971•••••••67"],
  ["+14155550132", "+1••••••••32"],
  ["+22901959512", "+229••••••12"],
  ["+2290195951234", "+229••••••••34"],
  ["+79161234567", "+7••••••••67"],
  ["+290512345", "+290••••45"],
  ["+870773111632", "+••••••••••32"],
])("the masked number of %s is %s: its whole calling code and two digits", (e164, masked) => {
  expect(maskPhone(e164)).toBe(masked);
});

test.each(getCountries())(
  "a masked number of %s shows its calling code and no subscriber's digit but the last",
  (country) => {
    const e164 = getExampleNumber(country, examples)?.number ?? "";
    const callingCode = `+${getCountryCallingCode(country)}`;
    const masked = maskPhone(e164);
    expect(masked).toHaveLength(e164.length);
    expect(masked).toMatch(new RegExp(`^\\${callingCode}•{2,}\\d{2}$`));
  },
);
