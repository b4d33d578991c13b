import { describe, expect, test } from "vitest";
import {
  capWarnings,
  numberLimitWarnings,
  type PricedCountry,
  sessionFitFaults,
} from "../../../../src/domain/admission/session-fit.ts";
import { policySchema } from "../../../../src/domain/policy.ts";

const EXPOSURE = policySchema.shape.exposure.parse({});
const country = (more: Partial<PricedCountry> = {}): PricedCountry => ({
  country: "UZ",
  textMicros: 300_000,
  callMicros: 400_000,
  exposure: EXPOSURE,
  group: null,
  ...more,
});

describe("a person's session fits the shipped budgets", () => {
  test.each([3_000, 60_000, 120_000, 200_000, 400_000, 1_200_000])("at %i micros a message", (textMicros) => {
    expect(sessionFitFaults([country({ textMicros, callMicros: textMicros })], 3, true)).toEqual([]);
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
    const faults = sessionFitFaults([country({ exposure: { ...EXPOSURE, ...more } })], 3, true);
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
  const faults = sessionFitFaults(
    [country({ country: "IN", textMicros: 3_000, exposure }), country({ exposure })],
    3,
    true,
  );
  expect(faults).toHaveLength(1);
  expect(faults[0]).toContain("to UZ");
});

test("a budget of a group of countries is named as the group's, and the others as the general ones", () => {
  const exposure = { ...EXPOSURE, country: { base: 3, gain: 0.46 }, unknown: { base: 6, gain: 0.5 } };
  const group = { name: "dear", budgets: ["block", "country"] };
  expect(sessionFitFaults([country({ country: "SO", exposure, group })], 3, true)).toEqual([
    expect.stringMatching(
      /^groups\.dear\.exposure\.country\.base: a session of 4 messages to SO takes 4 units and finds 3;/,
    ),
    expect.stringMatching(
      /^exposure\.unknown\.base: a session of 4 messages to SO takes 10 units and finds 6;/,
    ),
  ]);
});

test.each([
  [[{ max: 4, window_seconds: 600 }], [60, 60, 60], null],
  [[{ max: 1, window_seconds: 60 }], [60, 60, 60], null],
  [
    [{ max: 1, window_seconds: 61 }],
    [60, 60, 60],
    "limits.number.0: a session's waits offer 2 messages in 61 s, and only 1 may leave",
  ],
  [
    [
      { max: 9, window_seconds: 60 },
      { max: 3, window_seconds: 600 },
    ],
    [60, 120, 240],
    "limits.number.1: a session's waits offer 4 messages in 600 s, and only 3 may leave",
  ],
  [[{ max: 1, window_seconds: 3600 }], [], null],
])("limits %j of a number and waits %j are told where they do not fit", (rules, waits, warning) => {
  expect(numberLimitWarnings([{ setting: "limits.number", rules }], waits)).toEqual(
    warning === null ? [] : [warning],
  );
});

test("a cap below the price of one session is told, with the dearest country", () => {
  const metersOf = (where: string, amount: number) => [
    { scope: "spend:all", period: "hour" as const, amount, cap: 1_000_000, lifted: false },
    ...(where === "IN"
      ? [{ scope: "spend:IN", period: "day" as const, amount, cap: 9_000, lifted: false }]
      : []),
  ];
  const countries = [country({ country: "IN", textMicros: 3_000, callMicros: 1_000 }), country()];
  expect(capWarnings(countries, 3, metersOf)).toEqual([
    "money.caps.hour_micros: a session to UZ costs 1300000 micros, and the cap is 1000000",
    "money.country_caps.IN.day_micros: a session to IN costs 10000 micros, and the cap is 9000",
  ]);
});

test("a session must fit the money that new numbers of a country may cost", () => {
  const exposure = { ...EXPOSURE, growth: { ...EXPOSURE.growth, base_micros: 1_000_000 } };
  expect(sessionFitFaults([country({ exposure })], 3, true)).toEqual([
    "exposure.growth.base_micros: a session to UZ costs 1300000, more than the 1000000 that new numbers of a country may cost in a day",
  ]);
});

test("without a call three messages must fit", () => {
  const exposure = { ...EXPOSURE, country: { base: 3, gain: 0.46 } };
  expect(sessionFitFaults([country({ exposure })], 3, false)).toEqual([]);
});
