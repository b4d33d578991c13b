import { expect, test } from "vitest";
import { addressUnit, isInAddressRanges, subnetOf } from "../../../../src/domain/admission/address.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002:0:0:0:9", "2001:db8:1:2::/64"],
  ["64:ff9b::192.0.2.1", "192.0.2.1"],
  ["64:ff9b::c000:201", "192.0.2.1"],
  ["0064:FF9B:0:0:0:0:C000:0201", "192.0.2.1"],
  ["64:ff9b:0:0:1::1", "64:ff9b::/64"],
  ["64:ff9b:1::c000:201", "64:ff9b:1::/64"],
  ["2002:c000:201::", "192.0.2.1"],
  ["2002:c000:201::1", "192.0.2.1"],
  ["2002:c000:201:ffff:ffff:ffff:ffff:ffff", "192.0.2.1"],
  ["2003:c000:201::1", "2003:c000:201::/64"],
  ["::1", "::/64"],
  ["unknown", null],
  ["", null],
  ["1.2.3.4.5", null],
])("%j is counted as %j", (text, unit) => {
  expect(addressUnit(text)).toBe(unit);
});

test.each([
  ["192.0.2.1", "192.0.2.0/24"],
  ["64:ff9b::192.0.2.1", "192.0.2.0/24"],
  ["2002:c000:201::1", "192.0.2.0/24"],
  ["2001:db8:1:2::1", "2001:db8:1::/48"],
])("%j lies in the network %j", (text, subnet) => {
  expect(subnetOf(text)).toBe(subnet);
});

test.each([
  ["64:ff9b::192.0.2.1", ["192.0.2.0/24"], true],
  ["64:ff9b::192.0.2.1", ["64:ff9b::/96"], true],
  ["64:ff9b::192.0.2.1", ["198.51.100.0/24"], false],
  ["2002:c000:201::1", ["192.0.2.1"], true],
  ["2002:c000:201::1", ["2002::/16"], true],
  ["192.0.2.1", ["2002::/16"], false],
])("%j in %j: %j", (text, ranges, isIn) => {
  expect(isInAddressRanges(text, ranges)).toBe(isIn);
});
