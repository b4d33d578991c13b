import { expect, test } from "vitest";
import { rulesForCountry } from "../../../../src/domain/admission/country-rules.ts";
import { exposurePolicy } from "../../../../src/domain/admission/exposure.policy.ts";
import type { GroupPolicy } from "../../../../src/domain/admission/groups.policy.ts";
import { limitPolicy } from "../../../../src/domain/admission/limits.policy.ts";
import { policySchema } from "../../../../src/domain/policy.ts";

const GENERAL = { exposure: exposurePolicy.parse({}), limits: limitPolicy.parse({}) };
const LIMITS = [{ max: 2, window_seconds: 3600 }];
const BUDGET = { base: 1, gain: 0 };
const policyWith = (groups: GroupPolicy) => ({ ...GENERAL, groups });

test("a country without a group has the general rules", () => {
  const policy = policyWith({ dear: { countries: ["SO"], exposure: { block: BUDGET } } });
  expect(rulesForCountry(policy, "IN")).toEqual({
    exposure: GENERAL.exposure,
    numberLimits: GENERAL.limits.number,
  });
});

test.each([
  [
    "one budget",
    { exposure: { block: BUDGET } },
    { exposure: { ...GENERAL.exposure, block: BUDGET }, numberLimits: GENERAL.limits.number },
  ],
  [
    "number limits alone",
    { exposure: {}, number_limits: LIMITS },
    { exposure: GENERAL.exposure, numberLimits: LIMITS },
  ],
  [
    "nothing of its own",
    { exposure: {} },
    { exposure: GENERAL.exposure, numberLimits: GENERAL.limits.number },
  ],
])("a group changes what it names and nothing else: %s", (_, own, expected) => {
  const policy = policyWith({
    other: { countries: ["DE"], exposure: {} },
    dear: { countries: ["SO", "ML"], ...own },
  });
  expect(rulesForCountry(policy, "ML")).toEqual(expected);
});

test("what a group of the policy does not name is the general rule, whatever that was set to", () => {
  const policy = policySchema.shape;
  const general = policy.exposure.parse({
    block: { base: 2, gain: 0.1 },
    prefix: { base: 4, gain: 0.2 },
    country: { base: 6, gain: 0.3 },
  });
  const groups = policy.groups.parse({
    plain: { countries: ["DE"] },
    dear: { countries: ["SO"], exposure: { block: { base: 1 } } },
  });
  const rules = { exposure: general, limits: GENERAL.limits, groups };
  expect(rulesForCountry(rules, "DE").exposure).toEqual(general);
  expect(rulesForCountry(rules, "SO").exposure).toEqual({ ...general, block: { base: 1, gain: 0.5 } });
});

test("of two groups with a country the first one counts", () => {
  const policy = policyWith({
    first: { countries: ["SO"], exposure: { country: BUDGET } },
    second: { countries: ["SO"], exposure: { prefix: BUDGET } },
  });
  expect(rulesForCountry(policy, "SO").exposure).toEqual({
    ...GENERAL.exposure,
    country: BUDGET,
  });
});
