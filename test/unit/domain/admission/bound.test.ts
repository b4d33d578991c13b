import { describe, expect, test } from "vitest";
import {
  BOUND_POOLS,
  dearestUnitMicros,
  worstCasePoolBounds,
  worstCaseUnits,
  worstCaseUntilMidnight,
} from "../../../../src/domain/admission/bound.ts";
import type { LevelReading } from "../../../../src/domain/admission/exposure.ts";
import { policySchema } from "../../../../src/domain/policy.ts";
import { memoryStore } from "../../../../src/memory/memory-store.ts";
import { attackBudgets } from "../../../support/bound-attack.ts";
import { budgetsOf } from "../../../support/store-parts.ts";

const EXPOSURE = policySchema.shape.exposure.parse({});
const RISK = policySchema.shape.risk.parse({});

describe("the bound by policy", () => {
  test("with nothing verified an attack gets 330 units in a day, whatever it does", () => {
    const bounds = worstCasePoolBounds(EXPOSURE);
    expect(Object.fromEntries(bounds.map(({ pool, base }) => [pool, base]))).toEqual({
      stranger: 30,
      proven: 30,
      second: 150,
      named: 60,
      known: 60,
    });
    expect(worstCaseUnits(bounds, 0)).toBe(330);
  });

  test("without the day's level the short windows of the second pools are what binds", () => {
    const second_pools = { base: 100_000, gain: 1 };
    const [, , second] = worstCasePoolBounds({ ...EXPOSURE, second_pools });
    const windows = 86_400 / EXPOSURE.challenged.window_seconds;
    expect(second?.base).toBe(windows * (EXPOSURE.challenged.overall.base + EXPOSURE.returned.overall.base));
  });

  test.each([
    ["cheap ones weigh a unit", [3_000], 3_000],
    ["the reference", [60_000], 60_000],
    ["dear ones weigh their price", [150_000], 60_000],
    ["up to the most that counts", [300_000, 3_000], 120_000],
    ["nothing", [], 0],
  ])("the dearest unit: %s", (_, costs, micros) => {
    expect(dearestUnitMicros(costs, EXPOSURE)).toBe(micros);
  });
});

test("until midnight each pool has its base and what answers earned, less what is out since midnight; caps may leave less", () => {
  const reading = (unverified: number, verified: number) =>
    ({ unverified: unverified * 100, verified: verified * 100 }) as LevelReading;
  const readings = new Map([["stranger" as const, { window: reading(40, 50), today: reading(12, 20) }]]);
  const bounds = worstCasePoolBounds(EXPOSURE);
  const free = worstCaseUntilMidnight(bounds, readings, 100_000, null);
  expect(free.pools[0]).toMatchObject({ pool: "stranger", verified: 50, out: 12, left: 30 + 1.2 * 50 - 12 });
  expect(free.leftUnits).toBe(330 + 1.2 * 50 - 12);
  expect(free.mostMicros).toBe(37_800_000);
  expect(free.perAnswerMicros).toBe(220_000);
  expect(worstCaseUntilMidnight(bounds, readings, 100_000, 5_000_000).mostMicros).toBe(5_000_000);
  expect(free.pools.map(({ pool }) => pool)).toEqual([...BOUND_POOLS]);
});

/** `BOUND_STEPS=10000000 npx vitest run --project unit test/unit/domain/admission/bound.test.ts` is the long run. */
const STEPS = Number(process.env.BOUND_STEPS ?? 60_000);
const STEPS_EACH = 10_000;

test(
  "no attacker gets above the bound, in units and in money",
  async () => {
    const firstSeed = Number(process.env.BOUND_SEED ?? Date.now() % 1_000_000_000);
    console.info(`bound: first seed ${firstSeed}, ${STEPS} steps`);
    const violations: string[] = [];
    let [left, verified, days, reached] = [0, 0, 0, 0];
    for (let seed = firstSeed; seed < firstSeed + STEPS / STEPS_EACH; seed++) {
      const clock = { nowMs: 0 };
      const budgets = budgetsOf(memoryStore(() => clock.nowMs, 3600));
      const attack = await attackBudgets(() => budgets, clock, {
        seed,
        steps: STEPS_EACH,
        exposure: EXPOSURE,
        risk: RISK,
      });
      violations.push(...attack.violations.map((text) => `seed ${seed}: ${text}`));
      left += attack.left;
      verified += attack.verified;
      days += attack.days;
      reached = Math.max(reached, attack.reached);
    }
    console.info(
      `bound: ${left} left, ${verified} verified, ${days} days, at most ${(100 * reached).toFixed(1)} % of a pool's`,
    );
    expect(violations).toEqual([]);
    expect(left).toBeGreaterThan(0);
  },
  Math.max(60_000, STEPS),
);
