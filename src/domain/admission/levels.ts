import type { Phone } from "../kernel/phone.ts";
import type { BudgetRule, ExposurePolicy } from "./exposure.policy.ts";
import { type BudgetGroup, type Level, type LevelName, type Pool, UNIT_HUNDREDTHS } from "./exposure.ts";

/** The subjects whose budgets a message may draw on; people and addresses as keyed hashes. */
export interface ExposureSubjects {
  phone: Phone;
  numberTag: string;
  addressTag: string;
  asn: number | null;
  /**
   * A device that verified this very number before, by the token we gave it: strangers' messages to the number do not count
   * against it. Any other device is a stranger's, or one verified number would open the known people's budget for all others.
   */
  ownDevice: string | null;
}

/** Every level that any verdict could draw on, by budget group: they are read together, in one round trip. */
export function exposureLevels(
  subjects: ExposureSubjects,
  policy: ExposurePolicy,
): Record<BudgetGroup, Level[]> {
  const { phone, numberTag, addressTag, asn, ownDevice } = subjects;
  const { window_seconds: windowSeconds, known, proven } = policy;
  const stranger = levelMaker({ pool: "stranger", windowSeconds });
  const ofKnown = levelMaker({ pool: "known", windowSeconds: known.window_seconds });
  const ofProven = levelMaker({ pool: "proven", windowSeconds });
  const range: Level = { ...stranger("block", phone.block, policy.block), maxMessages: policy.block_density };
  const address = stranger("address", addressTag, policy.address);
  const challengedRange = levelMaker({ pool: "challenged", windowSeconds })(
    "block",
    phone.block,
    policy.challenged.block,
  );
  const afterChallenge = (pool: "challenged" | "returned"): Level[] => {
    const { country, overall, window_seconds } = policy[pool];
    const level = levelMaker({ pool, windowSeconds: window_seconds });
    return [challengedRange, level("country", phone.country, country), level("overall", "all", overall)];
  };
  return {
    stranger: [
      range,
      stranger("prefix", `${phone.country} ${phone.prefix}`, policy.prefix),
      stranger("country", phone.country, policy.country),
      ...(asn === null ? [] : [stranger("network", `AS${asn}`, policy.network)]),
      address,
      stranger("overall", "all", policy.overall),
    ],
    proven: [
      address,
      range,
      ofProven("country", phone.country, proven.country),
      ofProven("overall", "all", proven.overall),
    ],
    challenged: afterChallenge("challenged"),
    returned: afterChallenge("returned"),
    known: [
      ownDevice === null
        ? ofKnown("number", numberTag, known.number)
        : ofKnown("device", ownDevice, known.device),
      ofKnown("block", phone.block, known.block),
      ofKnown("country", phone.country, known.country),
      ofKnown("overall", "all", known.overall),
    ],
    suspicious: [
      stranger("odd", "all", policy.odd),
      stranger("odd_country", phone.country, policy.odd_country),
    ],
    unknown: [stranger("unknown", "all", policy.unknown)],
  };
}

/** Makes the levels of one pool, which share its window. */
const levelMaker =
  ({ pool, windowSeconds }: { pool: Pool; windowSeconds: number }) =>
  (name: LevelName, subject: string, rule: BudgetRule): Level => ({
    name,
    key: `${pool}:${name}:${subject}`,
    rule,
    base: Math.round(rule.base * UNIT_HUNDREDTHS),
    windowSeconds,
    maxMessages: null,
  });
