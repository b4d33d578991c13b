/** Worlds without an attack, each with other people, prices and days: where the rules must lose nobody. */
import { DEFAULT_WORLD, type World } from "../world/build.ts";
import type { HonestPlan } from "../world/honest.ts";
import { HONEST_DEFAULTS, type HonestParams } from "../world/people.ts";
import { ABROAD_COUNTRIES } from "../world/scenarios.ts";

/** An ordinary day; a first day or a burst of ten times the people; everything hard at once. */
export const WORLD_KINDS = ["steady", "burst", "hard"] as const;
export type WorldKind = (typeof WORLD_KINDS)[number];

/** Rules are developed against one half; the other is opened for a report alone. */
export const HALVES = ["development", "closed"] as const;
export type Half = (typeof HALVES)[number];

/** Honest people lost and stranded in percent, at most. */
export const MATRIX_GOALS: Readonly<Record<WorldKind, number>> = { steady: 0.1, burst: 0.6, hard: 1 };

export interface MatrixWorld {
  id: string;
  kind: WorldKind;
  half: Half;
  world: World;
  special: Partial<HonestPlan>;
}

interface Draft {
  honest?: Partial<HonestParams>;
  /** Of a message home, in micros. */
  price?: number;
  prices?: Record<string, number>;
  learningDays?: number;
  countedDays?: number;
  special?: Partial<HonestPlan>;
}

/** Nobody has another factor here: a way that an operator may not have built saves nobody. */
const PEOPLE: HonestParams = { ...HONEST_DEFAULTS, stepUpPass: 0 };
const LEARNING_DAYS = 5;

const answering = (share: number): Partial<HonestParams> => ({
  willingShare: share / 0.95,
  arrivalShare: 0.95,
});
const sharing = (share: number): Partial<HonestParams> =>
  share === 0
    ? { mobileShare: 0, atHomeShare: 1 }
    : {
        mobileShare: Math.min(1, share / 0.92 + 0.04),
        ipv6Share: Math.max(0.04, 1 - share - 0.04),
        atHomeShare: 0.9,
      };
const thirty = Object.fromEntries(ABROAD_COUNTRIES.slice(0, 30).map((country, rank) => [country, 30 - rank]));
const firstDay = { learningDays: 0 };
const tenfold = { lastDayFactor: 10 };

function matrixWorld(kind: WorldKind, half: Half, id: string, draft: Draft): MatrixWorld {
  const {
    honest = {},
    price,
    prices = {},
    learningDays = LEARNING_DAYS,
    countedDays = 1,
    special = {},
  } = draft;
  const params = { ...PEOPLE, ...honest };
  const home = price === undefined ? {} : { [params.homeCountry]: price };
  const world = {
    ...DEFAULT_WORLD,
    learningDays,
    countedDays,
    honest: params,
    prices: { ...prices, ...home },
  };
  return { id, kind, half, world, special };
}

const pair = (kind: WorldKind, drafts: readonly [id: string, draft: Draft][]): MatrixWorld[] =>
  drafts.map(([id, draft], nth) => matrixWorld(kind, nth % 2 === 0 ? "development" : "closed", id, draft));

/** Every second world of a kind belongs to the closed half, so that both halves know every kind of change. */
export const MATRIX: readonly MatrixWorld[] = [
  ...pair("steady", [
    ["price-0.04", { price: 40_000 }],
    ["price-0.008", { price: 8_000 }],
    ["price-0.10", { price: 100_000 }],
    ["price-0.12", { price: 120_000 }],
    ["price-0.20", { price: 200_000 }],
    ["price-0.30", { price: 300_000 }],
    ["price-0.40", { price: 400_000 }],
    [
      "price-0.15-us",
      { price: 150_000, honest: { homeCountry: "US", otherCountries: { CA: 5, GB: 3, DE: 2 } } },
    ],
    ["volume-200", { honest: { askingsPerDay: 200 } }],
    ["volume-500", { honest: { askingsPerDay: 500 } }],
    ["volume-5000", { honest: { askingsPerDay: 5000 }, learningDays: 3 }],
    ["volume-2000", { honest: { askingsPerDay: 2000 }, learningDays: 4 }],
    ["volume-50000", { honest: { askingsPerDay: 50_000 }, learningDays: 1, countedDays: 0.5 }],
    ["volume-20000", { honest: { askingsPerDay: 20_000 }, learningDays: 1, countedDays: 0.75 }],
    ["shared-0-ng", { honest: { ...sharing(0), homeCountry: "NG" } }],
    ["shared-0", { honest: sharing(0) }],
    ["shared-0.92", { honest: { ...sharing(0.92), carrierAddresses: 3 } }],
    ["shared-0.6", { honest: sharing(0.6) }],
    ["conversion-0.60", { honest: answering(0.6) }],
    ["conversion-0.55", { honest: answering(0.55) }],
    ["conversion-0.92", { honest: answering(0.92) }],
    ["conversion-0.80", { honest: answering(0.8) }],
    ["captcha-0.85", { honest: { captchaPass: 0.85 } }],
    ["captcha-0.99", { honest: { captchaPass: 0.99 } }],
    ["retries-0.95", { honest: { retryShare: 0.95, idleRetryShare: 0.5, arrivalShare: 0.85 } }],
    ["retries-0.3", { honest: { retryShare: 0.3, arrivalShare: 0.88 } }],
    ["travellers-0.25", { honest: { roamingShare: 0.25 } }],
    ["travellers-0.10", { honest: { roamingShare: 0.1 }, price: 40_000 }],
    ["thirty-countries", { honest: { homeShare: 0.1, otherCountries: thirty, askingsPerDay: 1500 } }],
    ["thirty-countries-small", { honest: { homeShare: 0.3, otherCountries: thirty, askingsPerDay: 600 } }],
    ["week", { countedDays: 7, honest: { weekendFactor: 0.5, askingsPerDay: 500 } }],
    ["week-weekends", { countedDays: 7, honest: { weekendFactor: 2, askingsPerDay: 400 }, price: 60_000 }],
    ["strangers-0.60", { honest: { ...answering(0.6), returningWillingFactor: 1.45 } }],
    ["strangers-0.65", { honest: { ...answering(0.65), returningWillingFactor: 1.35 }, price: 60_000 }],
    ["soon-again-0.30", { honest: { soonAgainShare: 0.3 } }],
    ["soon-again-0.60", { honest: { soonAgainShare: 0.6 }, price: 60_000 }],
  ]),
  ...pair("burst", [
    ["first-day", firstDay],
    ["first-day-0.20", { ...firstDay, price: 200_000 }],
    ["first-day-5000", { ...firstDay, honest: { askingsPerDay: 5000 } }],
    ["first-day-0.60", { ...firstDay, honest: answering(0.65) }],
    ["tenfold", { special: tenfold, honest: { askingsPerDay: 500 } }],
    ["tenfold-0.10", { special: tenfold, honest: { askingsPerDay: 300 }, price: 100_000 }],
    ["campaign", { special: { rush: { people: 2000, startHour: 11, hours: 1.5 } } }],
    [
      "campaign-ng",
      { honest: { homeCountry: "NG" }, special: { rush: { people: 1000, startHour: 9, hours: 1 } } },
    ],
    ["city-sale", { special: { city: { people: 800, startHour: 12, hours: 3 } } }],
    ["city-sale-0.10", { price: 100_000, special: { city: { people: 500, startHour: 18, hours: 2 } } }],
    ["launch", { special: { launch: { country: "BR", people: 300 } } }],
    ["office", { special: { office: { people: 300, startHour: 10, minutes: 60 } } }],
  ]),
  ...pair("hard", [
    [
      "hard-steady",
      {
        price: 200_000,
        honest: { ...answering(0.62), ...sharing(0.8), captchaPass: 0.92, roamingShare: 0.08 },
      },
    ],
    [
      "hard-first-day",
      { ...firstDay, price: 120_000, honest: { ...answering(0.65), ...sharing(0.7), captchaPass: 0.9 } },
    ],
    [
      "hard-tenfold",
      {
        price: 300_000,
        special: tenfold,
        honest: { ...answering(0.65), ...sharing(0.85), askingsPerDay: 300, captchaPass: 0.92 },
      },
    ],
    [
      "hard-thirty",
      {
        price: 100_000,
        honest: {
          ...answering(0.65),
          homeShare: 0.2,
          otherCountries: thirty,
          roamingShare: 0.1,
          captchaPass: 0.9,
        },
      },
    ],
  ]),
];

/** A small part, for continuous integration. */
export const MATRIX_SHORT: readonly string[] = ["price-0.20", "volume-200", "conversion-0.60", "first-day"];
