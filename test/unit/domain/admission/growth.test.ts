import { describe, expect, test } from "vitest";
import type { Level, LevelReading } from "../../../../src/domain/admission/exposure.ts";
import { growthLevels, lacksVerifiedHistory } from "../../../../src/domain/admission/growth.ts";
import { exposureLevels } from "../../../../src/domain/admission/levels.ts";
import { policySchema } from "../../../../src/domain/policy.ts";

const EXPOSURE = policySchema.shape.exposure.parse({});
const DAY_MS = 86_400_000;
const NOW_MS = 1_800_000_000_000;

test.each([
  ["one that never verified", null, true],
  ["one of an hour ago", NOW_MS - 3_600_000, true],
  ["one of almost seven days ago", NOW_MS - 7 * DAY_MS + 1, true],
  ["one of seven days ago", NOW_MS - 7 * DAY_MS, false],
  ["one whose time an earlier version did not keep", 0, false],
])("a number is fresh for seven days: %s", (_, since, fresh) => {
  expect(lacksVerifiedHistory(since, EXPOSURE, NOW_MS)).toBe(fresh);
});

describe("the money that fresh numbers may cost", () => {
  const phone = {
    e164: "+998901234567",
    country: "UZ",
    type: "mobile",
    block: "+99890123",
    prefix: "+99890",
  } as const;
  const levels = exposureLevels(
    { phone, numberTag: "n", addressTag: "a", asn: null, ownDevice: null, costMicros: 300_000 },
    EXPOSURE,
  );
  const reading = (level: Level, earned = 0): LevelReading => ({
    level,
    unverified: 0,
    verified: 0,
    verifiedEarlier: 0,
    messages: 0,
    earned,
    past: { unverified: 0, verified: 0 },
  });
  const roomsWith = (country: number, overall: number) =>
    growthLevels(
      {
        growth: levels.growth.map((level) => reading(level)),
        settled: levels.settled.map((level) => reading(level, level.name === "country" ? country : overall)),
      },
      EXPOSURE,
    ).map(({ level }) => [level.name, level.base * 100]);

  test("is not bound while the service knows no number for long", () => {
    expect(roomsWith(0, 19)).toEqual([]);
  });

  test("is a country's and, of all countries that are not settled, one sum", () => {
    expect(roomsWith(0, 20)).toEqual([
      ["country", 10_000_000],
      ["overall", 40_000_000],
    ]);
  });

  test("grows with the verifications of numbers known for long there, three messages each", () => {
    expect(roomsWith(100, 1000)).toEqual([["country", 10_000_000 + 3 * 100 * 300_000]]);
  });

  test("is kept: answers give nothing of it back", () => {
    expect(levels.growth.every(({ kept }) => kept)).toBe(true);
  });
});
