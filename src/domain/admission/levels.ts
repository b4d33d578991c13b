import type { Phone } from "../kernel/phone.ts";
import { boundPools, type TrustPool } from "./bound.ts";
import type { BudgetRule, ExposurePolicy } from "./exposure.policy.ts";
import {
  type BudgetGroup,
  type BudgetPool,
  costWeight,
  type ExposureScope,
  type Level,
  SUM_LEVELS,
  type Teachers,
  UNIT_HUNDREDTHS,
} from "./exposure.ts";

/** Micros of the price table's currency in one hundredth of a unit of money. */
const GROWTH_MICROS = 100;

/** The subjects a message's budgets are kept for; hashed where they name a person. */
export interface ExposureSubjects {
  phone: Phone;
  numberTag: string;
  /** null where nobody's address is known: no address pays or vouches then. */
  addressTag: string | null;
  asn: number | null;
  /**
   * A device that verified this very number before, by the token we gave it. Any other device is a stranger's, or one verified
   * number would open the pool for all others.
   */
  ownDevice: string | null;
  /** Price of the message by the route it most probably takes. */
  costMicros: number;
}

/** Names every level any verdict could draw on: they are read together, in one round trip. */
export function exposureLevels(
  subjects: ExposureSubjects,
  policy: ExposurePolicy,
): Record<BudgetGroup, Level[]> {
  const { phone, numberTag, addressTag, asn, ownDevice, costMicros } = subjects;
  const { window_seconds: day, known, own } = policy;
  const make = levelMaker(costWeight(costMicros, policy), day);
  const block = make("stranger:block", phone.block, policy.block, { maxMessages: policy.block_density });
  const address = addressTag === null ? [] : [make("stranger:address", addressTag, policy.address)];
  const challengedBlock = make("challenged:block", phone.block, policy.challenged.block);
  const bothSecond = make("challenged:day", "all", policy.second_pools, { quickStart: true });
  const secondPool = (
    pool: "challenged" | "returned",
    { country, overall, window_seconds: windowSeconds }: Omit<ExposurePolicy["returned"], "after_seconds">,
  ) => [
    challengedBlock,
    make(`${pool}:country`, phone.country, country, { windowSeconds }),
    make(`${pool}:overall`, "all", overall, { windowSeconds, weight: UNIT_HUNDREDTHS }),
    bothSecond,
  ];
  const knownWindow = { windowSeconds: known.window_seconds };
  return {
    stranger: [
      block,
      make("stranger:prefix", `${phone.country} ${phone.prefix}`, policy.prefix),
      make("stranger:country", phone.country, policy.country),
      ...(asn === null ? [] : [make("stranger:network", `AS${asn}`, policy.network)]),
      ...address,
      make("stranger:overall", "all", policy.overall),
    ],
    proven: [
      ...address,
      block,
      make("proven:country", phone.country, policy.proven.country),
      make("proven:overall", "all", policy.proven.overall),
    ],
    challenged: secondPool("challenged", policy.challenged),
    returned: secondPool("returned", policy.returned),
    named: [
      make("known:block", phone.block, known.block, knownWindow),
      make("known:country", phone.country, known.country, knownWindow),
      make("known:overall", "all", known.overall, knownWindow),
    ],
    known:
      ownDevice === null
        ? []
        : [
            make("known:device", ownDevice, known.device, knownWindow),
            make("own:block", phone.block, own.block, knownWindow),
            make("own:country", phone.country, own.country, knownWindow),
            make("own:overall", "all", own.overall, knownWindow),
          ],
    unreported: [
      make("unreported:number", numberTag, policy.unreported.number),
      make("unreported:block", phone.block, policy.unreported.block),
      make("unreported:country", phone.country, policy.unreported.country),
      make("unreported:overall", "all", policy.unreported.overall),
    ],
    suspicious: [
      make("stranger:odd", "all", policy.odd),
      make("stranger:odd_country", phone.country, policy.odd_country),
    ],
    unknown: [make("stranger:unknown", "all", policy.unknown)],
    person: [make("known:number", numberTag, known.number, knownWindow)],
    density: [
      make("stranger:density", phone.block, NO_ROOM, { weight: 0, maxMessages: policy.block_density }),
    ],
    growth: [
      make("growth:country", phone.country, NO_ROOM, moneyOf(policy.growth.base_micros, costMicros)),
      make("growth:overall", "all", NO_ROOM, moneyOf(policy.growth.unsettled_micros, costMicros)),
    ],
    settled: [
      make("settled:country", phone.country, NO_ROOM),
      make("settled:overall", "all", NO_ROOM, { weight: UNIT_HUNDREDTHS }),
    ],
    taught: [
      make("taught:country", phone.country, NO_ROOM),
      make("taught:overall", "all", NO_ROOM, { weight: UNIT_HUNDREDTHS }),
    ],
    taught_own: [
      make("taught_own:country", phone.country, NO_ROOM),
      make("taught_own:overall", "all", NO_ROOM, { weight: UNIT_HUNDREDTHS }),
    ],
  };
}

/** The levels that gains are learned from. */
export const teacherLevels = ({
  taught,
  taught_own,
  stranger,
}: Record<BudgetGroup, Level[]>): Teachers<Level> => ({
  taught,
  taught_own,
  stranger: stranger.filter(({ name }) => name === "country" || name === "overall"),
});

/** The rule of a level that bounds messages or money in itself, or nothing. */
const NO_ROOM: BudgetRule = { base: 0, gain: 0 };

function levelMaker(priceWeight: number, daySeconds: number) {
  return (
    name: `${BudgetPool | "own" | "growth" | "settled" | "taught" | "taught_own"}:${ExposureScope}`,
    subject: string,
    rule: BudgetRule,
    more: Partial<Level> = {},
  ): Level => {
    const level = name.slice(name.indexOf(":") + 1) as ExposureScope;
    return {
      name: level,
      key: `${name}:${subject}`,
      rule,
      base: Math.round(rule.base * UNIT_HUNDREDTHS),
      windowSeconds: daySeconds,
      maxMessages: null,
      weight: SUM_LEVELS.includes(level) ? priceWeight : UNIT_HUNDREDTHS,
      kept: false,
      quickStart: false,
      ...more,
    };
  };
}

/** The room of a level that counts money, and the part of it that a message takes for good. */
const moneyOf = (roomMicros: number, costMicros: number): Partial<Level> => ({
  base: Math.round(roomMicros / GROWTH_MICROS),
  weight: Math.round(costMicros / GROWTH_MICROS),
  kept: true,
});

/**
 * The level of each pool of the bound that counts all its messages.
 *
 * @param unreported true where a flow draws on the pool of that name
 */
export function worstCaseLevels(policy: ExposurePolicy, unreported = false): ReadonlyMap<TrustPool, Level> {
  const nobody = { e164: "", country: "", type: "unknown", block: "", prefix: "" } as const;
  const subjects = {
    phone: nobody,
    numberTag: "",
    addressTag: "",
    asn: null,
    ownDevice: "any",
    costMicros: 0,
  };
  const levels = exposureLevels(subjects, policy);
  const groups = {
    stranger: "stranger",
    proven: "proven",
    second: "challenged",
    named: "named",
    known: "known",
    unreported: "unreported",
  } as const;
  return new Map(
    boundPools(unreported).flatMap((pool) => {
      const name = pool === "second" ? "day" : "overall";
      const level = levels[groups[pool]].find((one) => one.name === name);
      return level ? [[pool, level] as const] : [];
    }),
  );
}
