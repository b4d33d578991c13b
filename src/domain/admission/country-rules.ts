import type { ExposurePolicy } from "./exposure.policy.ts";
import type { GroupPolicy } from "./groups.policy.ts";
import type { LimitPolicy, LimitRule } from "./limits.policy.ts";

/**
 * The exposure rules and number limits for a country: those of its group over the general ones.
 *
 * @param country ISO 3166-1 alpha-2
 */
export function rulesForCountry(
  policy: { exposure: ExposurePolicy; limits: Pick<LimitPolicy, "number">; groups: GroupPolicy },
  country: string,
): { exposure: ExposurePolicy; numberLimits: readonly LimitRule[] } {
  const group = Object.values(policy.groups).find(({ countries }) => countries.includes(country));
  return {
    exposure: group ? { ...policy.exposure, ...group.exposure } : policy.exposure,
    numberLimits: group?.number_limits ?? policy.limits.number,
  };
}
