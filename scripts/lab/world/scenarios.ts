/** The built-in scenarios, one row each: fourteen honest days to learn from, then the day that counts. */
import type { Aim, Source } from "./attacks.ts";
import type { Goal, Scenario } from "./build.ts";

/** Where pumps aim when it is not home: countries the service has never written to. */
const FOREIGN = "KE";
/** One of the dearest destinations: 30 times the price of a message at home, and more. */
const PREMIUM = "UZ";
/** A country with some forty honest people a day. */
const SMALL = "SG";
const TWELVE = ["KE", "NG", "PK", "BD", "LK", "MM", "EG", "TN", "DZ", "ID", "VN", "KH"];
const FORTY = [
  ...TWELVE,
  ...["AZ", "UZ", "TJ", "KG", "GE", "AM", "MA", "LY", "SN", "CI", "GH", "CM", "UG", "TZ", "RW", "ZM", "ZW"],
  ...["MG", "MZ", "BO", "EC", "PY", "HN", "GT", "DO", "JM", "LA", "MN"],
];

/** Destinations that pay a pump best. */
export const DEAR_COUNTRIES: readonly string[] = ["UZ", "TJ", "AZ"];
/** Where pumps aim when it is not home: thirty-three countries. */
export const ABROAD_COUNTRIES: readonly string[] = FORTY.slice(0, 33);

const ROTATING: Source = { kind: "rotating", addresses: 5000 };
const homes = (country: string, addresses = 5000): Source => ({ kind: "homes", country, addresses });
const blocks = (countries: readonly string[], blocksEach: number): Aim => ({
  kind: "blocks",
  countries,
  blocksEach,
});
const anywhere = (country: string): Aim => ({ kind: "anywhere", country });

/** When an attack runs: from ten in the morning for some hours, or all day. */
const burst = (requests: number, hours: number) => ({ requests, startHour: 10, hours });
const allDay = (requests: number) => ({ requests, startHour: 0, hours: 24 });

const atMost = (left: number | null, honestLostPercent: number): Goal => ({ left, honestLostPercent });

/** What the lab plays, the rows of its goals first. */
export const SCENARIOS: readonly Scenario[] = [
  {
    id: "one-address",
    title: "One machine asks for 5,000 codes into one foreign number block",
    goal: atMost(5, 0.1),
    plan: () => ({ ...burst(5000, 1), aim: blocks([FOREIGN], 1), source: { kind: "one" } }),
  },
  {
    id: "rotating-foreign",
    title: "5,000 addresses into one foreign number block",
    goal: atMost(10, 0.1),
    plan: () => ({ ...burst(5000, 2), aim: blocks([FOREIGN], 1), source: ROTATING }),
  },
  {
    id: "home-block",
    title: "5,000 home addresses into one home number block",
    goal: atMost(15, 0.5),
    plan: (home) => ({ ...burst(5000, 6), aim: blocks([home], 1), source: homes(home) }),
  },
  {
    id: "home-random",
    title: "5,000 home addresses over random home numbers",
    goal: atMost(150, 2),
    plan: (home) => ({ ...burst(5000, 6), aim: anywhere(home), source: homes(home) }),
  },
  {
    id: "home-random-solver",
    title: "The same with bought CAPTCHA solutions",
    goal: atMost(400, 5),
    plan: (home) => ({ ...burst(5000, 6), aim: anywhere(home), source: homes(home), solver: true }),
  },
  {
    id: "home-random-patient",
    title: "Over random home numbers, and each number asks three times, as people do",
    goal: null,
    plan: (home) => ({ ...burst(5000, 6), aim: anywhere(home), source: homes(home), asksPerNumber: 3 }),
  },
  {
    id: "forty-countries",
    title: "3,000 codes spread over 40 countries",
    goal: atMost(40, 0.1),
    plan: () => ({ ...burst(3000, 2), aim: blocks(FORTY, 3), source: ROTATING }),
  },
  {
    id: "slow-twelve",
    title: "600 codes into 12 countries, slowly over 24 hours",
    goal: atMost(40, 0.1),
    plan: () => ({ ...allDay(600), aim: blocks(TWELVE, 3), source: ROTATING }),
  },
  {
    id: "verifies-85",
    title: "The attacker answers 85 % of its own messages",
    goal: atMost(150, 0.5),
    plan: () => ({ ...burst(5000, 6), aim: blocks([FOREIGN], 1), source: ROTATING, verifyShare: 0.85 }),
  },
  {
    id: "verifies-35",
    title: "The attacker answers 35 % of its own messages",
    goal: null,
    plan: () => ({ ...burst(5000, 6), aim: blocks([FOREIGN], 1), source: ROTATING, verifyShare: 0.35 }),
  },
  {
    id: "one-victim",
    title: "2,000 codes at one known person, who wants to log in meanwhile",
    goal: atMost(6, 0),
    plan: () => ({ ...burst(2000, 2), aim: { kind: "victim", phone: null }, source: ROTATING }),
  },
  {
    id: "lock-out",
    title: "12 requests an hour to shut a small country out",
    goal: { ...atMost(20, 2), country: SMALL },
    plan: () => ({ ...allDay(288), aim: anywhere(SMALL), source: ROTATING }),
  },
  {
    id: "voice",
    title: "300 premium numbers that ask four times each, to be called",
    goal: null,
    plan: () => ({ ...burst(1200, 4), aim: blocks([PREMIUM], 3), source: ROTATING, asksPerNumber: 4 }),
  },
  {
    id: "wake-up",
    title: "Numbers that verify for two weeks, then pump with their devices",
    goal: null,
    plan: () => ({ ...burst(3000, 6), aim: blocks([FOREIGN], 3), source: ROTATING }),
    warmUpPerDay: 30,
  },
  {
    id: "five-fold-attack",
    title: "5,000 into a home block during an honest five-fold day",
    goal: null,
    plan: (home) => ({ ...burst(5000, 6), aim: blocks([home], 1), source: homes(home) }),
    special: { lastDayFactor: 5 },
  },
  {
    id: "stop-and-go",
    title: "Bursts of 4 minutes every 19, around the 15-minute window",
    goal: null,
    plan: () => ({
      ...allDay(2000),
      aim: blocks([FOREIGN], 5),
      source: ROTATING,
      pace: { kind: "bursts", onMinutes: 4, offMinutes: 15 },
    }),
  },
  {
    id: "premium",
    title: "2,000 codes to a premium destination, at 30 times the price and more",
    goal: null,
    plan: () => ({ ...burst(2000, 6), aim: blocks([PREMIUM], 20), source: ROTATING }),
  },
  {
    id: "just-under",
    title: "Stays under every limit: two codes an address and day, one a number, as people's day goes",
    goal: null,
    plan: (home) => ({
      ...allDay(600),
      aim: anywhere(home),
      source: homes(home, 300),
      pace: { kind: "daily" },
    }),
  },
  { id: "no-attack", title: "An ordinary day", goal: atMost(null, 0.1) },
  {
    id: "five-fold",
    title: "A marketing day with five times the people",
    goal: atMost(null, 0.3),
    special: { lastDayFactor: 5 },
  },
  {
    id: "rush",
    title: "A campaign brings 2,000 people within 90 minutes",
    goal: null,
    special: { rush: { people: 2000, startHour: 11, hours: 1.5 } },
  },
  {
    id: "launch",
    title: "The first 300 people of a new country",
    goal: null,
    special: { launch: { country: "BR", people: 300 } },
  },
  {
    id: "outage",
    title: "For 45 minutes no message arrives",
    goal: null,
    special: { outage: { startHour: 12, minutes: 45 } },
  },
  {
    id: "office",
    title: "300 people behind one address sign up within an hour",
    goal: null,
    special: { office: { people: 300, startHour: 10, minutes: 60 } },
  },
  {
    id: "big-night",
    title: "380,000 requests in one night from 40,000 addresses",
    goal: atMost(400, 1),
    plan: (home) => ({
      requests: 380_000,
      startHour: 0.5,
      hours: 6,
      aim: anywhere(home),
      source: homes(home, 40_000),
    }),
  },
];

/** What continuous integration plays: one of each kind. */
export const SHORT_SET: readonly string[] = [
  "rotating-foreign",
  "home-random",
  "lock-out",
  "no-attack",
  "five-fold",
];
