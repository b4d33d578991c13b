import { describe, expect, test } from "vitest";
import { type PricedCountry, sessionFaults } from "../../../../src/domain/admission/session-fit.ts";
import { policySchema } from "../../../../src/domain/policy.ts";

const EXPOSURE = policySchema.shape.exposure.parse({});
const country = (more: Partial<PricedCountry> = {}): PricedCountry => ({
  country: "UZ",
  textMicros: 300_000,
  callMicros: 400_000,
  exposure: EXPOSURE,
  ...more,
});

describe("a person's session fits the shipped budgets", () => {
  test.each([3_000, 60_000, 120_000, 200_000, 400_000, 1_200_000])("at %i micros a message", (textMicros) => {
    expect(sessionFaults([country({ textMicros, callMicros: textMicros })], 3, true)).toEqual([]);
  });
});

test.each([
  ["a country's base", { country: { base: 3, gain: 0.46 } }, "exposure.country.base"],
  ["the room of unknown countries", { unknown: { base: 6, gain: 0.5 } }, "exposure.unknown.base"],
  ["a suspicious source's country", { odd_country: { base: 3, gain: 0.5 } }, "exposure.odd_country.base"],
  ["both second pools' day", { second_pools: { base: 9, gain: 1 } }, "exposure.second_pools.base"],
  ["a weight that grew", { max_weight: 3 }, "exposure.unknown.base"],
])(
  "%s that is too small for it is a fault that names the setting, the country and both figures",
  (_, more, setting) => {
    const faults = sessionFaults([country({ exposure: { ...EXPOSURE, ...more } })], 3, true);
    expect(faults).toEqual([
      expect.stringMatching(
        new RegExp(
          `^${setting}: a session of 4 messages to UZ takes [\\d.]+ units and finds \\d+; raise the base$`,
        ),
      ),
    ]);
  },
);

test("the same fault of many countries is told once, for the dearest", () => {
  const exposure = { ...EXPOSURE, country: { base: 3, gain: 0.46 } };
  const faults = sessionFaults(
    [country({ country: "IN", textMicros: 3_000, exposure }), country({ exposure })],
    3,
    true,
  );
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain("to UZ");
});

test("a session must fit the money that new numbers of a country may cost", () => {
  const exposure = { ...EXPOSURE, growth: { ...EXPOSURE.growth, base_micros: 1_000_000 } };
  expect(sessionFaults([country({ exposure })], 3, true)).toEqual([
    "exposure.growth.base_micros: a session to UZ costs 1300000, more than the 1000000 that new numbers of a country may cost in a day",
  ]);
});

test("without a call three messages must fit", () => {
  const exposure = { ...EXPOSURE, country: { base: 3, gain: 0.46 } };
  expect(sessionFaults([country({ exposure })], 3, false)).toEqual([]);
});
