import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type Level,
  type LevelReading,
  type LevelReadings,
  UNIT_HUNDREDTHS,
} from "../../../../src/domain/admission/exposure.ts";
import { exposureLevels } from "../../../../src/domain/admission/levels.ts";
import {
  findRecordOnlyHits,
  isRecordOnly,
  stoppingActionOf,
} from "../../../../src/domain/admission/record-only.ts";
import type { RiskPolicy } from "../../../../src/domain/admission/risk.policy.ts";
import { RISK_RULES, type RiskRule } from "../../../../src/domain/admission/risk.ts";
import type { Signals } from "../../../../src/domain/admission/signals.ts";
import type { SourceFinding } from "../../../../src/domain/admission/source.ts";
import { decide, type Verdict } from "../../../../src/domain/admission/verdict.ts";
import { policySchema } from "../../../../src/domain/policy.ts";

const EXPOSURE = policySchema.shape.exposure.parse({});
const RISK = policySchema.shape.risk.parse({});
const levelsOf = (ownDevice: string | null, costMicros = 3_000) =>
  exposureLevels(
    {
      phone: { e164: "+919876543210", country: "IN", type: "mobile", block: "+91987654", prefix: "+91987" },
      numberTag: "number1",
      addressTag: "address1",
      asn: 55_836,
      ownDevice,
      costMicros,
    },
    EXPOSURE,
  );

/** What is out or earned at a level, in units; levels are named `<pool>:<level>`. */
type Filled = Record<string, Partial<Record<"unverified" | "verified" | "messages" | "earned", number>>>;

/** A country with a history and nothing out, unless said otherwise. */
function readings(filled: Filled, ownDevice: boolean): LevelReadings {
  const levels = levelsOf(ownDevice ? "device1" : null);
  const fill = (level: Level): LevelReading => {
    const { unverified = 0, verified = 0, messages = 0, earned } = filled[nameOf(level.key)] ?? {};
    return {
      level,
      unverified: unverified * UNIT_HUNDREDTHS,
      verified: verified * UNIT_HUNDREDTHS,
      verifiedEarlier: verified * UNIT_HUNDREDTHS,
      messages,
      // Countries have a history, addresses have answered nothing yet.
      earned: earned ?? (level.name === "address" ? 0 : EXPOSURE.history_verified),
      past: { unverified: 0, verified: 0 },
    };
  };
  return Object.fromEntries(
    Object.entries(levels).map(([drawn, list]) => [drawn, list.map(fill)]),
  ) as LevelReadings;
}

const nameOf = (key: string) => key.split(":", 2).join(":");

const signals = (more: Partial<Signals> = {}, filled: Filled = {}): Signals => ({
  source: [],
  readings: readings(filled, more.ownDevice ?? false),
  numberKnown: false,
  freshNumber: !(more.numberKnown ?? more.ownDevice ?? false),
  ownDevice: false,
  challenge: "ordinary",
  challengeDemanded: null,
  block: null,
  challenged: null,
  unknownRanges: "as_usual",
  distinctNumbers: 1,
  returned: false,
  failedAttemptsWaitSeconds: 0,
  factors: ["email"],
  ...more,
});

const judge = (more: Partial<Signals> = {}, filled: Filled = {}, risk: Partial<RiskPolicy> = {}) =>
  decide(signals(more, filled), { ...RISK, ...risk }, EXPOSURE);

/** The verdict in one word, with the purse where a message leaves. */
const word = ({ action, pool }: Verdict) => (action === "allow" ? `allow from ${pool}` : action);
const rulesOf = ({ reasons }: Verdict) => reasons.map(({ rule }) => rule);
const drawnBy = ({ levels }: Verdict) => levels.map(({ level }) => nameOf(level.key));

const HOSTING: SourceFinding = { finding: "hosting_network", asn: 16_276, owner: "OVH" };
const ABROAD: SourceFinding = { finding: "country_mismatch", sourceCountry: "FR", phoneCountry: "IN" };
const BLOCKED: SourceFinding = { finding: "blocked_source", list: "network" };
const LISTED: SourceFinding = { finding: "listed_source", list: "ip" };
const TOR: SourceFinding = { finding: "tor" };

const COUNTRY_FULL: Filled = { "stranger:country": { unverified: 500 } };
const PROVEN: Filled = { ...COUNTRY_FULL, "stranger:address": { verified: 3 } };
const SECOND_FULL: Filled = { ...COUNTRY_FULL, "challenged:country": { unverified: 500 } };
const ALL_FULL: Filled = { ...SECOND_FULL, "returned:overall": { unverified: 500 } };
const KNOWN_NUMBER_FULL: Filled = { "known:number": { unverified: 4 } };
const OWN_DEVICE_FULL: Filled = { "known:device": { unverified: 4 } };
const FRESH = { challenge: "fresh" as const };
const SHUT = { subject: "+91987", by: "ada", probe: false } as const;
const PROBE = { ...SHUT, by: "cron", probe: true } as const;
const CHALLENGED = { subject: "AS55836", by: "ada" } as const;

type Row = [title: string, more: Partial<Signals>, filled: Filled, wanted: string, rules: string[]];

describe("the order of the policy", () => {
  test.each<Row>([
    ["a stranger with room everywhere passes", {}, {}, "allow from stranger", []],
    ["a stranger without any challenge passes too", { challenge: "none" }, {}, "allow from stranger", []],

    ["a blocked source is denied", { source: [BLOCKED] }, {}, "deny", ["blocked_source"]],
    [
      "a blocked source is denied though it is known",
      { source: [BLOCKED], numberKnown: true },
      {},
      "deny",
      ["blocked_source"],
    ],

    [
      "after too many wrong codes a stranger waits",
      { failedAttemptsWaitSeconds: 30 },
      {},
      "deny",
      ["failed_attempts"],
    ],
    [
      "after too many wrong codes a known number waits",
      { failedAttemptsWaitSeconds: 30, numberKnown: true },
      {},
      "deny",
      ["failed_attempts"],
    ],
    [
      "so does the owner's own device, whose wrong codes are counted apart",
      { failedAttemptsWaitSeconds: 30, ownDevice: true },
      {},
      "deny",
      ["failed_attempts"],
    ],

    [
      "a known number passes the strangers' used-up budgets",
      { numberKnown: true },
      ALL_FULL,
      "allow from named",
      [],
    ],
    ["an owner's own device passes used-up budgets", { ownDevice: true }, ALL_FULL, "allow from known", []],
    [
      "naming a known number waives nothing of the source's rules",
      { numberKnown: true, source: [ABROAD] },
      {},
      "challenge",
      ["country_mismatch"],
    ],
    [
      "nor does it from a hosting network, whose room it takes too",
      { numberKnown: true, source: [HOSTING], ...FRESH },
      { "stranger:odd": { unverified: 500 } },
      "step_up",
      ["hosting_network", "exposure", "exposure"],
    ],
    [
      "an own device is not asked for a challenge on its travels",
      { ownDevice: true, source: [ABROAD] },
      {},
      "allow from known",
      ["country_mismatch"],
    ],
    [
      "a known number with four unanswered messages gets no fifth, whatever pool would pay",
      { numberKnown: true },
      KNOWN_NUMBER_FULL,
      "step_up",
      ["exposure", "exposure", "exposure"],
    ],
    [
      "nor after a fresh challenge",
      { numberKnown: true, ...FRESH, returned: true },
      KNOWN_NUMBER_FULL,
      "step_up",
      ["exposure", "exposure", "exposure", "exposure"],
    ],
    [
      "but its owner's own device does",
      { numberKnown: true, ownDevice: true },
      KNOWN_NUMBER_FULL,
      "allow from known",
      [],
    ],
    [
      "a known number's neighbours behind one address do not stand in its way",
      { numberKnown: true, ...FRESH, distinctNumbers: 3 },
      { ...COUNTRY_FULL, "known:country": { unverified: 500 } },
      "allow from challenged",
      ["exposure", "exposure"],
    ],
    [
      "a proven address does not stand for a bombed number",
      { numberKnown: true },
      { ...PROVEN, ...KNOWN_NUMBER_FULL, "stranger:country": {} },
      "step_up",
      ["exposure", "exposure", "exposure"],
    ],
    [
      "an own device whose purse is empty is a stranger",
      { ownDevice: true },
      OWN_DEVICE_FULL,
      "allow from stranger",
      ["exposure"],
    ],
    [
      "known people of a country whose purse is empty are strangers",
      { numberKnown: true },
      { "known:country": { unverified: 500 } },
      "allow from stranger",
      ["exposure"],
    ],

    [
      "an odd source must pass a fresh challenge",
      { source: [HOSTING] },
      {},
      "challenge",
      ["hosting_network"],
    ],
    [
      "an odd source passes with one",
      { source: [HOSTING], ...FRESH },
      {},
      "allow from stranger",
      ["hosting_network"],
    ],
    ["so does Tor", { source: [TOR], ...FRESH }, {}, "allow from stranger", ["tor"]],
    [
      "so does another country",
      { source: [ABROAD], ...FRESH },
      {},
      "allow from stranger",
      ["country_mismatch"],
    ],
    ["a listed source must pass a fresh challenge", { source: [LISTED] }, {}, "challenge", ["listed_source"]],
    [
      "a listed source is not odd otherwise",
      { source: [LISTED], ...FRESH },
      COUNTRY_FULL,
      "allow from challenged",
      ["listed_source", "exposure"],
    ],
    [
      "all suspicious sources share their room",
      { source: [HOSTING], ...FRESH },
      { "stranger:odd": { unverified: 500 } },
      "step_up",
      ["hosting_network", "exposure"],
    ],
    [
      "a traveller whose own country has a history finds the second pool",
      { source: [ABROAD], ...FRESH },
      { "stranger:odd": { unverified: 500 } },
      "allow from challenged",
      ["country_mismatch", "exposure"],
    ],
    [
      "one whose country has none does not",
      { source: [ABROAD], ...FRESH },
      { "stranger:odd": { unverified: 500 }, "stranger:country": { earned: 4 } },
      "step_up",
      ["country_mismatch", "exposure"],
    ],
    [
      "nor does a traveller through a hosting network",
      { source: [ABROAD, HOSTING], ...FRESH },
      { "stranger:odd": { unverified: 500 } },
      "step_up",
      ["country_mismatch", "hosting_network", "exposure"],
    ],
    [
      "those to one country share theirs",
      { source: [HOSTING], ...FRESH },
      { "stranger:odd_country": { unverified: 500 } },
      "step_up",
      ["hosting_network", "exposure"],
    ],
    [
      "a used-up country does not stop odd sources, nor do they use it up",
      { source: [ABROAD], ...FRESH },
      COUNTRY_FULL,
      "allow from stranger",
      ["country_mismatch"],
    ],
    [
      "a proven address does not help a suspicious source",
      { source: [HOSTING], ...FRESH },
      { ...PROVEN, "stranger:prefix": { unverified: 500 } },
      "step_up",
      ["hosting_network", "exposure"],
    ],
    [
      "coming back does not help Tor",
      { source: [TOR], ...FRESH, returned: true },
      { "stranger:odd": { unverified: 500 } },
      "step_up",
      ["tor", "exposure"],
    ],

    ["a stranger of what is shut gets nothing", { block: SHUT, ...FRESH }, {}, "step_up", ["blocked"]],
    ["an own device does", { block: SHUT, ownDevice: true }, {}, "allow from known", []],
    [
      "a number known for long must pass a fresh challenge where its range is banned",
      { block: SHUT, numberKnown: true },
      {},
      "challenge",
      ["blocked"],
    ],
    [
      "and passes with one",
      { block: SHUT, numberKnown: true, ...FRESH },
      {},
      "allow from named",
      ["blocked"],
    ],
    [
      "one known for a few days does not",
      { block: SHUT, numberKnown: true, freshNumber: true, ...FRESH },
      {},
      "step_up",
      ["blocked"],
    ],
    [
      "nor anybody from a banned network",
      { block: { ...SHUT, subject: "AS55836" }, numberKnown: true, ...FRESH },
      {},
      "step_up",
      ["blocked"],
    ],
    ["a probe must pass a fresh challenge", { block: PROBE }, {}, "challenge", ["blocked"]],
    ["a probe passes with one", { block: PROBE, ...FRESH }, {}, "allow from stranger", ["blocked"]],
    [
      "where people challenge, a stranger must pass a fresh challenge",
      { challenged: CHALLENGED },
      {},
      "challenge",
      ["challenged"],
    ],
    [
      "the stranger passes with one",
      { challenged: CHALLENGED, ...FRESH },
      {},
      "allow from stranger",
      ["challenged"],
    ],
    [
      "budgets hold after it",
      { challenged: CHALLENGED, ...FRESH },
      ALL_FULL,
      "step_up",
      ["challenged", "exposure", "exposure"],
    ],
    [
      "the second purse is theirs too",
      { challenged: CHALLENGED, ...FRESH },
      COUNTRY_FULL,
      "allow from challenged",
      ["challenged", "exposure"],
    ],
    [
      "so must whoever names a known number",
      { challenged: CHALLENGED, numberKnown: true },
      {},
      "challenge",
      ["challenged"],
    ],
    [
      "nobody on their own device is asked for it",
      { challenged: CHALLENGED, ownDevice: true },
      {},
      "allow from known",
      [],
    ],
    [
      "unless their own purse is empty",
      { challenged: CHALLENGED, ownDevice: true },
      OWN_DEVICE_FULL,
      "challenge",
      ["exposure", "challenged"],
    ],
    [
      "a range in which nobody ever verified stays shut where people challenge it",
      { challenged: CHALLENGED, unknownRanges: "stop", ...FRESH },
      { "stranger:prefix": { earned: 0 } },
      "step_up",
      ["unknown_range"],
    ],

    [
      "many numbers from one address want a fresh challenge",
      { distinctNumbers: 6 },
      {},
      "challenge",
      ["many_numbers"],
    ],
    ["five numbers from one address do not", { distinctNumbers: 5 }, {}, "allow from stranger", []],
    [
      "nor do three more for each one that answered there",
      { distinctNumbers: 11 },
      { "stranger:address": { verified: 2 } },
      "allow from stranger",
      [],
    ],
    [
      "whether it answered today or before",
      { distinctNumbers: 11 },
      { "stranger:address": { earned: 2 } },
      "allow from stranger",
      [],
    ],
    [
      "a fourth is one too many",
      { distinctNumbers: 12 },
      { "stranger:address": { earned: 2 } },
      "challenge",
      ["many_numbers"],
    ],
    [
      "many numbers from one address pass with it",
      { distinctNumbers: 6, ...FRESH },
      {},
      "allow from stranger",
      ["many_numbers"],
    ],
    [
      "a proven address may ask for many numbers",
      { distinctNumbers: 600 },
      { "stranger:address": { verified: 3 } },
      "allow from stranger",
      [],
    ],
    [
      "a posture may demand a challenge of every stranger",
      { challengeDemanded: "posture" },
      {},
      "challenge",
      ["posture"],
    ],
    [
      "policy may demand a challenge of every stranger",
      { challengeDemanded: "policy" },
      {},
      "challenge",
      ["challenge_policy"],
    ],
    [
      "the demanded challenge lets them through",
      { challengeDemanded: "posture", ...FRESH },
      {},
      "allow from stranger",
      ["posture"],
    ],
    [
      "nobody demands one of known people",
      { challengeDemanded: "posture", numberKnown: true },
      {},
      "allow from named",
      [],
    ],

    [
      "with the first budgets used up a proven address stands for its next stranger",
      {},
      PROVEN,
      "allow from proven",
      ["exposure"],
    ],
    [
      "so does one that verified twenty ever, on a thin day",
      {},
      { ...COUNTRY_FULL, "stranger:address": { earned: 20 } },
      "allow from proven",
      ["exposure"],
    ],
    [
      "two verifications do not prove an address",
      {},
      { ...COUNTRY_FULL, "stranger:address": { verified: 2 } },
      "challenge",
      ["exposure"],
    ],
    [
      "a proven address with too much out itself stands for nobody",
      {},
      { ...PROVEN, "stranger:address": { verified: 3, unverified: 7 } },
      "challenge",
      ["exposure", "exposure"],
    ],
    [
      "what all proven addresses may stand for is bounded",
      {},
      { ...PROVEN, "proven:overall": { unverified: 500 } },
      "challenge",
      ["exposure"],
    ],
    [
      "a proven address does not stand for a used-up block",
      {},
      { ...PROVEN, "stranger:block": { unverified: 3 } },
      "challenge",
      ["exposure", "exposure"],
    ],

    [
      "a sixth number from an address that answered once finds the second pool",
      { ...FRESH, distinctNumbers: 6 },
      { ...COUNTRY_FULL, "stranger:address": { verified: 1 } },
      "allow from challenged",
      ["exposure"],
    ],
    [
      "the day's level bounds both second pools",
      { ...FRESH, returned: true },
      { ...COUNTRY_FULL, "challenged:day": { unverified: 150 } },
      "step_up",
      ["exposure", "exposure", "exposure"],
    ],
    [
      "a range's density holds behind a challenge too",
      FRESH,
      { ...COUNTRY_FULL, "stranger:density": { messages: 30 } },
      "step_up",
      ["exposure", "exposure", "exposure"],
    ],
    [
      "and for numbers that verified a few days ago",
      { numberKnown: true, freshNumber: true },
      { "stranger:density": { messages: 30 } },
      "step_up",
      ["exposure", "exposure", "exposure"],
    ],
    [
      "not for numbers known for long",
      { numberKnown: true },
      { "stranger:density": { messages: 30 } },
      "allow from named",
      [],
    ],
    ["others must pass a fresh challenge", {}, COUNTRY_FULL, "challenge", ["exposure"]],
    ["and pay from the second purse", FRESH, COUNTRY_FULL, "allow from challenged", ["exposure"]],
    [
      "a fourth number from an unproven address finds no second pool",
      { ...FRESH, distinctNumbers: 4 },
      COUNTRY_FULL,
      "step_up",
      ["exposure", "many_numbers"],
    ],
    [
      "unless its owner comes back",
      { ...FRESH, distinctNumbers: 4, returned: true },
      COUNTRY_FULL,
      "allow from returned",
      ["exposure", "many_numbers"],
    ],
    [
      "whoever comes back uses the second purse first",
      { ...FRESH, returned: true },
      COUNTRY_FULL,
      "allow from challenged",
      ["exposure"],
    ],
    [
      "with the second purse empty another factor is offered at once",
      {},
      SECOND_FULL,
      "step_up",
      ["exposure", "exposure"],
    ],
    [
      "whoever comes back then is challenged",
      { returned: true },
      SECOND_FULL,
      "challenge",
      ["exposure", "exposure"],
    ],
    [
      "and pays from the third purse",
      { ...FRESH, returned: true },
      SECOND_FULL,
      "allow from returned",
      ["exposure", "exposure"],
    ],
    [
      "with all purses empty another factor is offered",
      { ...FRESH, returned: true },
      ALL_FULL,
      "step_up",
      ["exposure", "exposure", "exposure"],
    ],
    [
      "where the flow permits none, the answer is no",
      { ...FRESH, factors: [] },
      ALL_FULL,
      "deny",
      ["exposure", "exposure"],
    ],
  ])("%s", (_, more, filled, wanted, rules) => {
    const verdict = judge(more, filled);
    expect(word(verdict)).toBe(wanted);
    expect(rulesOf(verdict)).toEqual(rules);
    expect(verdict.recorded).toBe(verdict.action);
  });
});

describe("what a message draws on", () => {
  const FIRST = ["block", "prefix", "country", "network", "address", "overall"].map(
    (name) => `stranger:${name}`,
  );
  const SECOND = ["block", "country", "overall", "day"];
  const BOUNDS = ["known:number", "stranger:density"];

  test.each<[string, Partial<Signals>, Filled, string[]]>([
    ["a stranger's on every first level", {}, {}, [...FIRST, ...BOUNDS]],
    [
      "one to a country without history on the room of all such countries too",
      {},
      { "stranger:country": { earned: 4 } },
      [...FIRST, "stranger:unknown", ...BOUNDS],
    ],
    [
      "an odd source's on its own room and not on the country's",
      { source: [ABROAD], ...FRESH },
      {},
      [
        ...FIRST.filter((name) => name !== "stranger:country"),
        "stranger:odd",
        "stranger:odd_country",
        ...BOUNDS,
      ],
    ],
    [
      "one that a proven address stands for on that, the block and what may be out on such evidence",
      {},
      PROVEN,
      ["stranger:address", "stranger:block", "proven:country", "proven:overall", ...BOUNDS],
    ],
    [
      "one from the second purse on that alone",
      FRESH,
      COUNTRY_FULL,
      [...SECOND.map((name) => `challenged:${name}`), ...BOUNDS],
    ],
    [
      "one from the third pool on that, the second one's range and the day of both",
      { ...FRESH, returned: true },
      SECOND_FULL,
      ["challenged:block", "returned:country", "returned:overall", "challenged:day", ...BOUNDS],
    ],
    [
      "one that names a known number on the room of such and on the number's",
      { numberKnown: true },
      {},
      ["known:block", "known:country", "known:overall", "known:number"],
    ],
    [
      "a known person's on their own device on that instead of the number",
      { numberKnown: true, ownDevice: true },
      {},
      ["known:device", "own:block", "own:country", "own:overall"],
    ],
    [
      "one to a fresh number of a settled service on the money for such numbers too",
      {},
      { "settled:overall": { earned: 20 }, "settled:country": { earned: 19 } },
      [...FIRST, ...BOUNDS, "growth:country", "growth:overall"],
    ],
    [
      "in a settled country on that country's alone",
      {},
      { "settled:overall": { earned: 20 }, "settled:country": { earned: 20 } },
      [...FIRST, ...BOUNDS, "growth:country"],
    ],
    ["a refused one on nothing", {}, ALL_FULL, []],
  ])("%s", (_, more, filled, levels) => {
    expect(drawnBy(judge(more, filled))).toEqual(levels);
  });

  test("the room that history earned is what the reservation is made with", () => {
    const filled = { "stranger:country": { earned: 60, unverified: 7 } };
    const verdict = judge({}, filled);
    const country = verdict.levels.find(({ level }) => level.name === "country");
    expect(country?.level.base).toBe((EXPOSURE.country.base + 3) * UNIT_HUNDREDTHS);
    expect(judge({}, { "stranger:country": { earned: 60, unverified: 8 } }).action).toBe("challenge");
  });

  test("money weighs in sums over countries alone", () => {
    const dear = levelsOf(null, 300_000);
    const weights = new Set(dear.stranger.map(({ name, weight }) => `${name} ${weight}`));
    expect([...weights]).toEqual([
      "block 100",
      "prefix 100",
      "country 100",
      "network 100",
      "address 100",
      "overall 250",
    ]);
    const heavy = Object.entries(dear).flatMap(([group, list]) =>
      list.filter(({ weight }) => weight === 250).map(({ name }) => `${group} ${name}`),
    );
    expect(heavy).toEqual([
      "stranger overall",
      "proven overall",
      "challenged day",
      "returned day",
      "named overall",
      "unreported overall",
      "suspicious odd",
      "unknown unknown",
    ]);
  });

  test("a number that waits for its answer weighs nothing more where people are counted", () => {
    const { levels } = judge({}, { "known:number": { unverified: 1 }, "stranger:block": { unverified: 3 } });
    const weights = levels.map(({ level }) => `${nameOf(level.key)} ${level.weight}`);
    expect(weights.slice(0, 6)).toEqual([
      "stranger:block 0",
      "stranger:prefix 0",
      "stranger:country 100",
      "stranger:network 0",
      "stranger:address 0",
      "stranger:overall 100",
    ]);
  });
});

describe("what earlier days teach", () => {
  type Past = Record<"unverified" | "verified", number>;
  const NOTHING = { unverified: 0, verified: 0 };
  /** The gain of one of a stranger's levels after such days of strangers, and of people on their own devices. */
  const gainOf = (
    strangers: Past,
    { name = "country", own = NOTHING, all = strangers }: { name?: string; own?: Past; all?: Past } = {},
  ) => {
    const given = signals();
    const after = (past: Past) => (reading: LevelReading) => ({ ...reading, past });
    const readings = {
      ...given.readings,
      stranger: given.readings.stranger.map(after(all)),
      taught: given.readings.taught.map(after(strangers)),
      taught_own: given.readings.taught_own.map(after(own)),
    };
    const verdict = decide({ ...given, readings }, RISK, EXPOSURE);
    return verdict.levels.find(({ level }) => level.key.startsWith(`stranger:${name}`))?.level.rule.gain;
  };

  test.each([
    ["nothing yet", 0, 0, 0.46],
    ["too little", 4_000, 4_900, 0.46],
    ["72 % conversion", 2_800, 7_200, 0.46],
    ["60 % conversion", 4_000, 6_000, 0.8],
    ["90 % conversion", 1_000, 9_000, 0.3],
    ["nobody answers", 90_000, 5_000, 1.2],
  ])("%s is a country's gain", (_, unverified, verified, gain) => {
    expect(gainOf({ unverified, verified })).toBeCloseTo(gain, 1);
    expect(gainOf(NOTHING, { own: { unverified, verified } })).toBeCloseTo(gain, 1);
  });

  test("every level of the country learns, and so do sums, and none below its own gain", () => {
    for (const name of ["network", "prefix", "block", "address", "overall"]) {
      expect(gainOf({ unverified: 4_000, verified: 6_000 }, { name })).toBeCloseTo(0.8, 5);
    }
    expect(gainOf({ unverified: 1_000, verified: 9_000 }, { name: "network" })).toBe(0.5);
  });

  test("of strangers and people on their own devices those teach who answer less", () => {
    const own = { unverified: 1_000, verified: 9_000 };
    expect(gainOf({ unverified: 4_000, verified: 6_000 }, { own })).toBeCloseTo(0.8, 5);
  });

  test.each([
    ["marked strangers", { unverified: 9_000, verified: 9_000 }, { unverified: 3_000, verified: 9_000 }],
    [
      "all strangers together",
      { unverified: 3_000, verified: 9_000 },
      { unverified: 9_000, verified: 9_000 },
    ],
  ])("%s alone raise no gain: both must answer less", (_, marked, all) => {
    expect(gainOf(marked, { all })).toBeCloseTo(0.4, 10);
  });

  test("what a level itself left unanswered teaches it nothing", () => {
    const given = signals();
    const stranger = given.readings.stranger.map((reading) => ({
      ...reading,
      past: { unverified: 90_000, verified: 90_000 },
    }));
    const { levels } = decide({ ...given, readings: { ...given.readings, stranger } }, RISK, EXPOSURE);
    expect(levels.find(({ level }) => level.name === "country")?.level.rule.gain).toBe(0.46);
  });
});

test.each<[string, Partial<Signals>, Filled, readonly string[]]>([
  ["a challenge names the factors that will do instead", {}, COUNTRY_FULL, ["email"]],
  ["so does one by people", { challenged: CHALLENGED }, {}, ["email"]],
  ["a step-up names its factors", FRESH, ALL_FULL, ["email"]],
  ["a denial names none", { source: [BLOCKED] }, {}, []],
  ["a message names none", {}, {}, []],
])("%s", (_, more, filled, factors) => {
  expect(judge(more, filled).factors).toEqual(factors);
});

test.each([
  ["shut", { block: SHUT }, SHUT],
  ["challenge", { challenged: CHALLENGED }, CHALLENGED],
])("what people %s is told with its subject and by whom", (_, more, evidence) => {
  const [reason] = judge(more).reasons;
  expect(reason).toMatchObject({ evidence, counted: true });
});

test("a used-up level is told with its figures", () => {
  const [reason] = judge({}, { "stranger:country": { unverified: 6, verified: 2, messages: 9 } }).reasons;
  expect(reason).toEqual({
    rule: "exposure",
    evidence: { level: "stranger:country:IN", unverified: 6, budget: 5.92, messages: 9 },
    counted: true,
  });
});

test.each<[string, Partial<Signals>, Filled]>([
  ["a blocked source", { source: [BLOCKED] }, {}],
  ["wrong codes", { failedAttemptsWaitSeconds: 9 }, {}],
  ["used-up budgets of a flow without factors", { ...FRESH, factors: [] }, ALL_FULL],
])("a decoy takes the place of a denial for %s", (_, more, filled) => {
  expect(judge(more, filled).action).toBe("deny");
  expect(judge(more, filled, { decoy: true }).action).toBe("decoy");
});

test("a decoy never takes the place of a way in", () => {
  expect(judge({}, COUNTRY_FULL, { decoy: true }).action).toBe("challenge");
  expect(judge(FRESH, ALL_FULL, { decoy: true }).action).toBe("step_up");
});

describe("a rule in record-only", () => {
  test.each<[RiskPolicy["record_only"][number], Partial<Signals>, Filled, string]>([
    ["blocked_source", { source: [BLOCKED] }, {}, "deny"],
    ["listed_source", { source: [LISTED] }, {}, "challenge"],
    ["tor", { source: [TOR] }, {}, "challenge"],
    ["hosting_network", { source: [HOSTING] }, {}, "challenge"],
    ["country_mismatch", { source: [ABROAD] }, {}, "challenge"],
    ["many_numbers", { distinctNumbers: 6 }, {}, "challenge"],
    ["posture", { challengeDemanded: "posture" }, {}, "challenge"],
    ["challenge_policy", { challengeDemanded: "policy" }, {}, "challenge"],
    ["blocked", { block: SHUT }, {}, "step_up"],
    ["blocked", { block: PROBE }, {}, "challenge"],
    ["challenged", { challenged: CHALLENGED }, {}, "challenge"],
    ["unknown_range", { unknownRanges: "stop" }, { "stranger:prefix": { earned: 0 } }, "step_up"],
    ["exposure", {}, ALL_FULL, "step_up"],
    ["failed_attempts", { failedAttemptsWaitSeconds: 9 }, {}, "deny"],
  ])("%s is told and has no effect", (rule, more, filled, recorded) => {
    const verdict = judge(more, filled, { record_only: [rule] });
    expect(word(verdict)).toBe("allow from stranger");
    expect(verdict.recorded).toBe(recorded);
    expect(verdict.reasons).toEqual([{ rule, evidence: expect.anything(), counted: false }]);
  });

  test("exposure lets a known number pay from its pool however empty it is", () => {
    const verdict = judge({ numberKnown: true }, KNOWN_NUMBER_FULL, { record_only: ["exposure"] });
    expect(word(verdict)).toBe("allow from named");
  });
});

describe("with everything in record-only", () => {
  test("nobody is refused, and the log says who would have been", () => {
    const verdict = judge({ source: [BLOCKED] }, ALL_FULL, { record_all: true });
    expect(verdict).toMatchObject({ action: "allow", recorded: "deny", levels: [] });
    expect(verdict.reasons.map(({ rule, counted }) => [rule, counted])).toEqual([["blocked_source", false]]);
  });

  test("whoever would have passed draws as usual", () => {
    const verdict = judge({}, {}, { record_all: true });
    expect(word(verdict)).toBe("allow from stranger");
    expect(verdict.levels).toHaveLength(levelsOf(null).stranger.length + 2);
  });
});

describe("what a rule in record-only would have changed", () => {
  type Would = ReturnType<typeof stoppingActionOf>;

  test.each<[string, Partial<RiskPolicy>, Partial<Signals>, Filled, [RiskRule, Would][]]>([
    ["nothing where every rule counts", {}, { source: [HOSTING] }, {}, []],
    ["nothing where it was not met", { record_only: ["tor"] }, { source: [HOSTING] }, {}, []],
    [
      "a challenge for who was asked for nothing",
      { record_only: ["hosting_network"] },
      { source: [HOSTING] },
      {},
      [["hosting_network", "challenge"]],
    ],
    [
      "nothing for who was challenged anyway",
      { record_only: ["hosting_network"] },
      { source: [HOSTING], challengeDemanded: "posture" },
      {},
      [["hosting_network", null]],
    ],
    [
      "a denial for who was challenged",
      { record_only: ["failed_attempts"] },
      { failedAttemptsWaitSeconds: 9, challengeDemanded: "posture" },
      {},
      [["failed_attempts", "deny"]],
    ],
    [
      "nothing for people on their own device",
      { record_only: ["hosting_network"] },
      { source: [HOSTING], ownDevice: true },
      {},
      [["hosting_network", null]],
    ],
    [
      "another factor, where budgets are used up",
      { record_only: ["exposure"] },
      FRESH,
      ALL_FULL,
      [["exposure", "step_up"]],
    ],
    [
      "a denial, though it would look like a send",
      { record_only: ["blocked_source"], decoy: true },
      { source: [BLOCKED] },
      {},
      [["blocked_source", "deny"]],
    ],
    [
      "nothing where the judgement did not come to it",
      { record_only: ["failed_attempts"] },
      { source: [BLOCKED], failedAttemptsWaitSeconds: 9 },
      {},
      [],
    ],
    [
      "nothing where it would have opened a purse of its own",
      { record_only: ["hosting_network"] },
      { source: [HOSTING], ...FRESH },
      SECOND_FULL,
      [["hosting_network", null]],
    ],
    [
      "of two rules each what it would have changed alone",
      { record_only: ["tor", "failed_attempts"] },
      { source: [TOR], failedAttemptsWaitSeconds: 9 },
      {},
      [
        ["tor", "challenge"],
        ["failed_attempts", "deny"],
      ],
    ],
    [
      "of every rule the same, where none counts at all",
      { record_all: true },
      { source: [BLOCKED, HOSTING], failedAttemptsWaitSeconds: 9 },
      ALL_FULL,
      [
        ["blocked_source", "deny"],
        ["hosting_network", "challenge"],
        ["failed_attempts", "deny"],
        ["exposure", "step_up"],
      ],
    ],
  ])("%s", (_, risk, more, filled, wanted) => {
    const { uncounted } = judge(more, filled, risk);
    expect(uncounted.map(({ rule, would }) => [rule, would])).toEqual(wanted);
  });

  const someSignals = fc.record({
    source: fc.subarray([HOSTING, ABROAD, LISTED, TOR, BLOCKED]),
    numberKnown: fc.boolean(),
    freshNumber: fc.boolean(),
    ownDevice: fc.boolean(),
    challenge: fc.constantFrom("none", "ordinary", "fresh"),
    challengeDemanded: fc.constantFrom(null, "policy", "posture"),
    distinctNumbers: fc.constantFrom(1, 4, 6),
    returned: fc.boolean(),
    failedAttemptsWaitSeconds: fc.constantFrom(0, 0, 0, 30),
    factors: fc.constantFrom([], ["email"]),
    block: fc.constantFrom(null, SHUT, PROBE),
    challenged: fc.constantFrom(null, CHALLENGED),
    unknownRanges: fc.constantFrom("as_usual", "challenge", "stop"),
  } satisfies { [K in keyof Omit<Signals, "readings">]: fc.Arbitrary<Signals[K]> });
  const someFilled = fc.constantFrom<Filled>({}, COUNTRY_FULL, PROVEN, SECOND_FULL, ALL_FULL, {
    ...KNOWN_NUMBER_FULL,
    ...OWN_DEVICE_FULL,
    ...ALL_FULL,
  });
  const someRules = fc.subarray([...RISK_RULES]);

  test("is what happens when that rule counts from then on; a rule that counts has no entry, and one without an entry changes nothing", () => {
    fc.assert(
      fc.property(someSignals, someFilled, someRules, fc.boolean(), (more, filled, record_only, decoy) => {
        const { uncounted, action, recorded } = judge(more, filled, { record_only, decoy });
        const by = new Map(uncounted.map(({ rule, would }) => [rule, would]));
        expect(by.size, "each rule once").toBe(uncounted.length);
        for (const rule of by.keys()) expect(record_only).toContain(rule);
        for (const rule of record_only) {
          const rest = record_only.filter((other) => other !== rule);
          const counted = judge(more, filled, { record_only: rest, decoy });
          const stops = counted.action === action ? null : stoppingActionOf(counted.action);
          expect(by.get(rule) ?? null).toBe(stops);
        }
        if (uncounted.length === 0) expect(recorded).toBe(action);
      }),
      { numRuns: 500 },
    );
  });

  test("whatever is in record-only mode, one more word against a subject opens nothing", () => {
    fc.assert(
      fc.property(someSignals, someFilled, someRules, (more, filled, record_only) => {
        const passes = (over: Partial<Signals>) =>
          judge({ ...more, ...over }, filled, { record_only }).action === "allow";
        const free = passes({ block: null, challenged: null });
        const challenged = passes({ block: null, challenged: CHALLENGED });
        if (challenged) expect(free).toBe(true);
        for (const block of [SHUT, PROBE]) {
          if (passes({ block, challenged: null })) expect(free).toBe(true);
          if (passes({ block, challenged: CHALLENGED })) expect(challenged).toBe(true);
        }
      }),
      { numRuns: 500 },
    );
  });

  test("is what each rule does alone, where none counts", () => {
    fc.assert(
      fc.property(someSignals, someFilled, (more, filled) => {
        const { uncounted, reasons } = judge(more, filled, { record_all: true });
        for (const { rule } of reasons.slice(0, 1)) expect(uncounted.map((one) => one.rule)).toContain(rule);
        for (const { rule, would } of uncounted) {
          const alone = judge(more, filled, { record_only: RISK_RULES.filter((other) => other !== rule) });
          expect(would).toBe(stoppingActionOf(alone.action));
        }
      }),
    );
  });

  test("is not asked where every rule that was met counted", () => {
    const ask = () => {
      throw new Error("judged again");
    };
    expect(findRecordOnlyHits(judge({ source: [HOSTING] }, ALL_FULL), ask)).toEqual([]);
  });

  test.each([
    [{ record_all: false, record_only: ["tor"] }, "tor", true],
    [{ record_all: false, record_only: ["tor"] }, "blocked", false],
    [{ record_all: true, record_only: [] }, "blocked", true],
  ] satisfies [Pick<RiskPolicy, "record_all" | "record_only">, RiskRule, boolean][])(
    "under %j %s is in record-only: %s",
    (risk, rule, is) => {
      expect(isRecordOnly(rule, risk)).toBe(is);
    },
  );
});
