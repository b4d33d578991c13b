import type { Phone } from "../kernel/phone.ts";
import type { BudgetRule, ExposurePolicy } from "./exposure.policy.ts";
import { type BudgetGroup, type Level, type LevelName, type Pool, UNIT_HUNDREDTHS } from "./exposure.ts";

/** Where a message would go and come from; hashed where it names a person. */
export interface ExposureSubjects {
  phone: Phone;
  numberTag: string;
  addressTag: string;
  asn: number | null;
  /**
   * A device that verified this very number before, by the token we gave it: strangers' messages to the number do not count
   * against it. Any other device is a stranger's, or one verified number would open the purse for all others.
   */
  ownDevice: string | null;
}

/** Every level any verdict could draw on: they are read together, in one round trip. */
export function exposureLevels(
  subjects: ExposureSubjects,
  policy: ExposurePolicy,
): Record<BudgetGroup, Level[]> {
  const { phone, numberTag, addressTag, asn, ownDevice } = subjects;
  const { window_seconds: day, known } = policy;
  const level = (
    pool: Pool,
    name: LevelName,
    subject: string,
    rule: BudgetRule,
    windowSeconds: number,
  ): Level => ({
    name,
    key: `${pool}:${name}:${subject}`,
    rule,
    base: Math.round(rule.base * UNIT_HUNDREDTHS),
    windowSeconds,
    maxMessages: pool === "stranger" && name === "block" ? policy.block_density : null,
  });
  const block = level("stranger", "block", phone.block, policy.block, day);
  const address = level("stranger", "address", addressTag, policy.address, day);
  const challengedBlock = level("challenged", "block", phone.block, policy.challenged.block, day);
  const smallPurse = (pool: "challenged" | "returned") => {
    const { country, overall, window_seconds } = policy[pool];
    return [
      challengedBlock,
      level(pool, "country", phone.country, country, window_seconds),
      level(pool, "overall", "all", overall, window_seconds),
    ];
  };
  return {
    stranger: [
      block,
      level("stranger", "prefix", `${phone.country} ${phone.prefix}`, policy.prefix, day),
      level("stranger", "country", phone.country, policy.country, day),
      ...(asn === null ? [] : [level("stranger", "network", `AS${asn}`, policy.network, day)]),
      address,
      level("stranger", "overall", "all", policy.overall, day),
    ],
    proven: [
      address,
      block,
      level("proven", "country", phone.country, policy.proven.country, day),
      level("proven", "overall", "all", policy.proven.overall, day),
    ],
    challenged: smallPurse("challenged"),
    returned: smallPurse("returned"),
    known: [
      ownDevice === null
        ? level("known", "number", numberTag, known.number, known.window_seconds)
        : level("known", "device", ownDevice, known.device, known.window_seconds),
      level("known", "block", phone.block, known.block, known.window_seconds),
      level("known", "country", phone.country, known.country, known.window_seconds),
      level("known", "overall", "all", known.overall, known.window_seconds),
    ],
    odd: [
      level("stranger", "odd", "all", policy.odd, day),
      level("stranger", "odd_country", phone.country, policy.odd_country, day),
    ],
    unknown: [level("stranger", "unknown", "all", policy.unknown, day)],
  };
}
