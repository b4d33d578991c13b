import { readFileSync } from "node:fs";
import { getCountries, getExampleNumber, parsePhoneNumberFromString } from "libphonenumber-js/max";
import { parse } from "smol-toml";
import { expect, test } from "vitest";
import { parsePolicy } from "../../../../src/config/config.ts";
import { homeOf, ruleCountryFault } from "../../../../src/domain/kernel/country.ts";
import { parsePhone } from "../../../../src/domain/kernel/phone.ts";

const examples = JSON.parse(readFileSync("node_modules/libphonenumber-js/examples.mobile.json", "utf8"));
const TERRITORIES = getCountries().filter((country) => homeOf(country) !== country);

/** Its own example is of the series that Guernsey's and Britain's share a digit with; 7624 is the island's. */
const OTHER_EXAMPLES: Record<string, string> = { IM: "+447624123456" };

test.each(getCountries())("a mobile number of %s is of the country that a rule must name", (country) => {
  const example = OTHER_EXAMPLES[country] ?? getExampleNumber(country, examples)?.number ?? "";
  // Where the library gives the territory's own example to another country, the table has that country.
  expect(homeOf(country)).toBe(parsePhoneNumberFromString(example)?.country);
  expect(parsePhone(example, undefined)).toMatchObject({ country: homeOf(country) });
});

test.each([
  ["+358 18 12345", "FI"],
  ["+61 8 9162 1234", "AU"],
  ["+61 8 9164 1234", "AU"],
  ["+47 79 02 12 34", "NO"],
  ["+590 590 27 12 34", "GP"],
  ["+39 06 698 12345", "IT"],
])("the landline %s of a territory is of %s as well", (text, country) => {
  expect(parsePhone(text, undefined)).toMatchObject({ country, type: "fixed_line" });
});

test("the territories without numbers of their own are known", () => {
  expect(TERRITORIES).toEqual(["AX", "BL", "CC", "CX", "EH", "MF", "SJ", "VA"]);
});

const { vars } = parse(readFileSync("wrangler.toml", "utf8")) as unknown as {
  vars: { POLICY: { delivery: { providers: string[] } } };
};
const BASE = vars.POLICY;
const faultsOf = (changes: object): string[] => {
  const read = parsePolicy({ ...BASE, ...changes });
  return read.ok ? [] : read.faults;
};

test.each([...TERRITORIES, "UK", "EL", "ZZ", "AQ"])(
  "a policy that names %s is refused wherever it names it",
  (code) => {
    const fault = ruleCountryFault(code);
    const budget = { base: 3, gain: 0.5 };
    const caps = { hour_micros: 1, day_micros: 1, month_micros: 1 };
    expect(faultsOf({ countries: { allow: ["IN", code] } })).toEqual([`POLICY.countries.allow.1: ${fault}`]);
    expect(faultsOf({ countries: { allow: ["*"], deny: [code] } })).toEqual([
      `POLICY.countries.deny.0: ${fault}`,
    ]);
    expect(faultsOf({ groups: { north: { countries: [code], exposure: { block: budget } } } })).toEqual([
      `POLICY.groups.north.countries.0: ${fault}`,
    ]);
    expect(faultsOf({ flows: { default: { countries: { allow: [code] } } } })).toEqual([
      `POLICY.flows.default.countries.allow.0: ${fault}`,
    ]);
    expect(faultsOf({ money: { country_caps: { [code]: caps } } })).toEqual([
      expect.stringContaining(`POLICY.money.country_caps.${code}: ${fault}`),
    ]);
    expect(faultsOf({ delivery: { ...BASE.delivery, pin: { [code]: BASE.delivery.providers[0] } } })).toEqual(
      [expect.stringContaining(`POLICY.delivery.pin.${code}: ${fault}`)],
    );
  },
);

test("a fault of a country says what to write instead", () => {
  expect(ruleCountryFault("AX")).toBe("AX has no numbers of its own; write FI");
  expect(ruleCountryFault("UK")).toBe("UK is no ISO 3166-1 code; write GB");
  expect(ruleCountryFault("constructor")).toContain("is no country");
  expect(faultsOf({ countries: { allow: ["fi"] } })).toEqual([
    "POLICY.countries.allow.0: must be an ISO 3166-1 alpha-2 code in capitals, or *",
  ]);
});
