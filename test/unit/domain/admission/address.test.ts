import { expect, test } from "vitest";
import { addressUnit } from "../../../../src/domain/admission/address.ts";

test.each([
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2::1", "2001:db8:1:2::/64"],
  ["2001:db8:1:2:ffff:ffff:ffff:ffff", "2001:db8:1:2::/64"],
  ["2001:0DB8:0001:0002:0:0:0:9", "2001:db8:1:2::/64"],
  ["::1", "::/64"],
  ["unknown", null],
  ["", null],
  ["1.2.3.4.5", null],
])("%j is counted as %j", (text, unit) => {
  expect(addressUnit(text)).toBe(unit);
});
