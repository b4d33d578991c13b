import { expect, test } from "vitest";
import { policySchema } from "../../../src/domain/policy.ts";
import { attackBudgets } from "../../support/bound-attack.ts";
import { budgetsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";

const EXPOSURE = policySchema.shape.exposure.parse({});
const RISK = policySchema.shape.risk.parse({});
/** `BOUND_REDIS_STEPS=100000` for a longer run. */
const STEPS = Number(process.env.BOUND_REDIS_STEPS ?? 200);

describeOnRedis("the bound", (upstash) => {
  test(
    "no attacker gets above it on the store itself, over three isolates",
    async () => {
      const seed = Number(process.env.BOUND_SEED ?? Date.now() % 1_000_000_000);
      console.info(`bound: seed ${seed}, ${STEPS} steps`);
      const clock = { nowMs: 0 };
      const attack = await attackBudgets(
        () => budgetsOf(storeOn(upstash().connect(), () => clock.nowMs)),
        clock,
        { seed, steps: STEPS, exposure: EXPOSURE, risk: RISK },
      );
      expect(attack.violations).toEqual([]);
      expect(attack.left).toBeGreaterThan(0);
    },
    120_000 + 50 * STEPS,
  );
});
