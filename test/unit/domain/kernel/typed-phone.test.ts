import { describe, expect, test } from "vitest";
import { parsePhone } from "../../../../src/domain/kernel/phone.ts";

describe("a number is read as people type it", () => {
  test.each([
    ["+919876543210", undefined],
    ["tel:+91-98765-43210", undefined],
    ["TEL:%2B919876543210", undefined],
    ["\u202a+91 98765 43210\u202c", undefined],
    ["＋９１９８７６５４３２１０", undefined],
    ["+٩١٩٨٧٦٥٤٣٢١٠", undefined],
    ["९८७६५४३२१०", "IN"],
    ["98765\u00a043210", "IN"],
    ["98765\u201143210", "IN"],
    ["(+91) 98765 43210", undefined],
  ])("%j with region %s", (text, region) => {
    expect(parsePhone(text, region)).toMatchObject({ e164: "+919876543210" });
  });

  test.each([
    "+919876543210 ext. 5",
    "+919876543210,,5",
    "tel:+919876543210;ext=5",
    "+919876543210 +919876543211",
    "+919876543210\n+919876543211",
    "call +919876543210",
    "",
  ])("and %j is refused", (text) => {
    expect(parsePhone(text, undefined)).toEqual({ kind: "number_invalid" });
  });
});
