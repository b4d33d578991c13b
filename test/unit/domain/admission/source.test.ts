import { expect, test } from "vitest";
import { isInAddressRanges } from "../../../../src/domain/admission/address.ts";
import { inspectSource } from "../../../../src/domain/admission/source.ts";
import { parsePhone } from "../../../../src/domain/kernel/phone.ts";

const EMPTY = {
  block_ips: [],
  block_networks: [],
  block_countries: [],
  challenge_ips: [],
  challenge_networks: [],
  challenge_countries: [],
};
const HOSTING = new Map([[16_509, "Amazon"]]);
const phone = (() => {
  const parsed = parsePhone("+919876543210", undefined);
  if ("kind" in parsed) throw new Error("it is a number");
  return parsed;
})();
const findings = (source: { ip?: string; asn?: number | null; country?: string | null }, policy = {}) =>
  inspectSource(
    { ip: "49.36.1.1", asn: null, country: "IN", ...source },
    phone,
    { ...EMPTY, ...policy },
    HOSTING,
  ).map(({ finding }) => finding);

test.each([
  ["a carrier at home", { asn: 55_836 }, []],
  ["nothing known of the address", { country: null }, []],
  ["an unknown country", { country: "XX" }, []],
  ["another country", { country: "GB" }, ["country_mismatch"]],
  ["Tor", { country: "T1" }, ["tor"]],
  ["a data centre", { asn: 16_509 }, ["hosting_network"]],
  ["a data centre abroad", { asn: 16_509, country: "US" }, ["hosting_network", "country_mismatch"]],
])("%s is seen as %j", (_, source, expected) => {
  expect(findings(source)).toEqual(expected);
});

test("lists of addresses, networks and countries block or challenge", () => {
  expect(findings({}, { block_ips: ["49.36.0.0/16"] })).toEqual(["blocked_source"]);
  expect(findings({ asn: 7 }, { challenge_networks: [7] })).toEqual(["listed_source"]);
  expect(findings({ country: "KP" }, { block_countries: ["KP"] })).toContain("blocked_source");
});

test.each([
  ["192.0.2.7", ["192.0.2.0/24"], true],
  ["192.0.3.7", ["192.0.2.0/24"], false],
  ["192.0.2.7", ["192.0.2.7"], true],
  ["::ffff:192.0.2.7", ["192.0.2.0/24"], true],
  ["2001:db8::1", ["2001:db8::/32"], true],
  ["2001:db9::1", ["2001:db8::/32", "192.0.2.0/24"], false],
  ["unknown", ["0.0.0.0/0"], false],
])("%s in %j: %s", (address, ranges, expected) => {
  expect(isInAddressRanges(address, ranges)).toBe(expected);
});
