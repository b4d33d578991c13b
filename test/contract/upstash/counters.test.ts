import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type CountingPlace,
  countDeliveryAttemptTime,
  countDeliveryTime,
  countOutcome,
  countSent,
  countVerified,
  countWrongCode,
} from "../../../src/domain/monitor/counting.ts";
import { DELIVERY_ATTEMPT_TIME, DELIVERY_TIME } from "../../../src/domain/monitor/histogram.ts";
import {
  countRulesMet,
  countSentDespiteRules,
  countVerifiedDespiteRules,
  rulesThatWouldStop,
} from "../../../src/domain/monitor/rule-counts.ts";
import {
  type CounterEntry,
  type Counts,
  type Metric,
  SUBJECTS_PER_MINUTE,
  type Tally,
} from "../../../src/domain/monitor/tally.ts";
import { memoryCounters } from "../../../src/memory/memory-counters.ts";
import type { CountersPort } from "../../../src/ports/monitor.ts";
import { storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";

/** 2026-07-01 12:00 UTC in minutes, the beginning of a quarter of an hour. */
const MINUTE = 29_715_120;

const PLACE: CountingPlace = {
  phone: {
    e164: "+919876543210",
    country: "IN",
    type: "mobile",
    block: "+91987654",
    prefix: "+91987",
  },
  channel: "sms",
  flow: "login",
  provider: "twilio",
  asn: 64_500,
};

const sent = (dimension: CounterEntry["dimension"], subject: string): CounterEntry => ({
  dimension,
  subject,
  metric: "sent",
  how: { add: 1 },
});

const seen = (subject: string, member: string): CounterEntry => ({
  dimension: "network",
  subject,
  metric: "numbers",
  how: { distinct: member },
});

async function tallies(counters: CountersPort, minute = MINUTE, minutes = 1): Promise<Tally[]> {
  const answer = await counters.window(minute, minutes);
  if (answer.kind !== "answered") throw new Error(answer.cause);
  return answer.minutes.map(({ tally }) => tally);
}

async function minuteOf(counters: CountersPort, minute = MINUTE): Promise<Record<string, Counts>> {
  const [tally] = await tallies(counters, minute);
  return Object.fromEntries(tally ?? []);
}

/** What holds of every set of counters. `open` gives another handle on the same ones. */
function countsAsItShould(open: () => CountersPort): void {
  test("a message and its answer are booked by everything they belong to", async () => {
    const counters = open();
    await counters.count([{ minute: MINUTE, entries: countSent(PLACE, 7000, "tag") }]);
    await counters.count([
      { minute: MINUTE, entries: [...countVerified(PLACE, 17.4), ...countWrongCode("IN", "login")] },
    ]);
    const both = { sent: 1, micros: 7000, verified: 1 };
    expect(await minuteOf(counters)).toEqual({
      "overall all": { ...both, wrong_codes: 1, verify_seconds: 17, "verified_by:3": 1 },
      "country IN": { ...both, wrong_codes: 1 },
      "flow login": { ...both, wrong_codes: 1 },
      "prefix +91987": both,
      "block +91987654": both,
      "channel sms": both,
      "provider twilio": both,
      "route twilio/sms/IN": both,
      "network AS64500": { ...both, numbers: 1 },
      "hundred +9198765432": { sent: 1 },
    });
  });

  test("what a rule in record-only mode met, let go and heard of is one subject, in no totals", async () => {
    const counters = open();
    const stoppers = rulesThatWouldStop([{ rule: "hosting_network", would: "step_up" }], "signup");
    const met = countRulesMet([{ rule: "hosting_network", would: "step_up" }], "signup");
    await counters.count([{ minute: MINUTE, entries: [...met, ...countSentDespiteRules(stoppers, 7000)] }]);
    await counters.count([{ minute: MINUTE, entries: [...met, ...countVerifiedDespiteRules(stoppers)] }]);
    expect(await minuteOf(counters)).toEqual({
      "rule hosting_network/signup": { met: 2, "would:step_up": 2, sent: 1, micros: 7000, verified: 1 },
    });
    expect(await counters.totals()).toEqual({ kind: "answered", tally: new Map() });
  });

  test("a window lists its minutes, the oldest first, empty where nothing was counted", async () => {
    const counters = open();
    await counters.count([
      { minute: MINUTE - 3, entries: [sent("country", "DE")] },
      { minute: MINUTE - 1, entries: [sent("country", "IN")] },
      { minute: MINUTE + 1, entries: [sent("country", "FR")] },
    ]);
    expect(await counters.window(MINUTE, 3)).toEqual({
      kind: "answered",
      minutes: [
        { minute: MINUTE - 2, tally: new Map() },
        { minute: MINUTE - 1, tally: new Map([["country IN", { sent: 1 }]]) },
        { minute: MINUTE, tally: new Map() },
      ],
    });
  });

  test("a reader who names dimensions gets those and no others", async () => {
    const counters = open();
    await counters.count([{ minute: MINUTE, entries: countSent(PLACE, 7000, "tag") }]);
    const counts = { sent: 1, micros: 7000 };
    expect(await counters.window(MINUTE, 2, ["country", "block"])).toEqual({
      kind: "answered",
      minutes: [
        { minute: MINUTE - 1, tally: new Map() },
        {
          minute: MINUTE,
          tally: new Map([
            ["country IN", counts],
            ["block +91987654", counts],
          ]),
        },
      ],
    });
  });

  test("amounts far beyond 32 bits stay exact", async () => {
    const counters = open();
    const entry: CounterEntry = {
      dimension: "overall",
      subject: "all",
      metric: "micros",
      how: { add: 3_000_000_001 },
    };
    for (let i = 0; i < 3; i++) await counters.count([{ minute: MINUTE, entries: [entry] }]);
    expect(await minuteOf(counters)).toEqual({ "overall all": { micros: 9_000_000_003 } });
  });

  test("every bucket of a provider's times comes back under its name", async () => {
    const counters = open();
    const [answers, deliveries] = [DELIVERY_ATTEMPT_TIME, DELIVERY_TIME].map(({ ends }) => [
      ...ends,
      1_000_000,
    ]);
    const place = { provider: "twilio", channel: "sms" as const };
    const entries = [
      ...(answers ?? []).flatMap((tookMs) => countDeliveryAttemptTime("twilio", tookMs)),
      ...(deliveries ?? []).flatMap((heardMs) =>
        countDeliveryTime(place, { handedOverMs: 0, statedMs: null, heardMs }),
      ),
    ];
    const expected: Counts = {};
    for (const { metric, how } of entries) {
      if ("add" in how) expected[metric] = (expected[metric] ?? 0) + how.add;
    }
    expect(Object.keys(expected)).toHaveLength(2 + 12 + 15);
    await counters.count([{ minute: MINUTE, entries }]);
    expect(await minuteOf(counters)).toEqual({ "provider twilio": expected });
    expect(await counters.totals()).toEqual({
      kind: "answered",
      tally: new Map([["provider twilio", expected]]),
    });
  });

  test("a peak keeps the largest", async () => {
    const counters = open();
    for (const peak of [9, 31, 12]) {
      const entry: CounterEntry = { dimension: "address", subject: "tag", metric: "numbers", how: { peak } };
      await counters.count([{ minute: MINUTE, entries: [entry] }]);
    }
    expect(await minuteOf(counters)).toEqual({ "address tag": { numbers: 31 } });
  });

  test("a number counts once per network and quarter of an hour, whatever the minute", async () => {
    const counters = open();
    const at = (minute: number, ...entries: CounterEntry[]) => counters.count([{ minute, entries }]);
    await at(MINUTE, seen("AS1", "a"), seen("AS1", "b"), seen("AS1", "a"), seen("AS2", "a"));
    await at(MINUTE + 14, seen("AS1", "b"), seen("AS1", "c"));
    await at(MINUTE + 15, seen("AS1", "a"));
    expect(await minuteOf(counters)).toEqual({
      "network AS1": { numbers: 2 },
      "network AS2": { numbers: 1 },
    });
    expect(await minuteOf(counters, MINUTE + 14)).toEqual({ "network AS1": { numbers: 3 } });
    expect(await minuteOf(counters, MINUTE + 15)).toEqual({ "network AS1": { numbers: 1 } });
  });

  test("distinct numbers of one network are counted up to a thousand", async () => {
    const counters = open();
    const entries = Array.from({ length: 1100 }, (_, i) => seen("AS1", `number-${i}`));
    await counters.count([{ minute: MINUTE, entries }]);
    expect(await minuteOf(counters)).toEqual({ "network AS1": { numbers: 1000 } });
  });

  test("a range that comes when a minute is full counts with the others, and its answer too", async () => {
    const counters = open();
    const most = SUBJECTS_PER_MINUTE.prefix;
    const entries = Array.from({ length: most + 40 }, (_, i) => sent("prefix", `+${i}`));
    await counters.count([{ minute: MINUTE, entries }]);
    const verified = (subject: string): CounterEntry => ({ ...sent("prefix", subject), metric: "verified" });
    await counters.count([
      { minute: MINUTE, entries: [verified("+0"), verified(`+${most + 5}`), sent("prefix", "+0")] },
    ]);
    const found = await minuteOf(counters);
    expect(Object.keys(found)).toHaveLength(most + 1);
    expect(found["prefix +0"]).toEqual({ sent: 2, verified: 1 });
    expect(found["prefix *"]).toEqual({ sent: 40, verified: 1 });
  });

  test("one full dimension takes no room from another, nor one minute from the next", async () => {
    const counters = open();
    const entries = Array.from({ length: 60 }, (_, i) => sent("provider", `p${i}`));
    await counters.count([{ minute: MINUTE, entries: [...entries, sent("country", "IN")] }]);
    await counters.count([{ minute: MINUTE + 1, entries: [sent("provider", "p59")] }]);
    expect(await minuteOf(counters)).toMatchObject({
      "country IN": { sent: 1 },
      "provider *": { sent: 48 },
    });
    expect(await minuteOf(counters, MINUTE + 1)).toEqual({ "provider p59": { sent: 1 } });
  });

  test("numbers of networks that a minute does not tell apart are not counted", async () => {
    const counters = open();
    const most = SUBJECTS_PER_MINUTE.network;
    const entries = Array.from({ length: most + 5 }, (_, i) => seen(`AS${i}`, "a"));
    await counters.count([{ minute: MINUTE, entries }]);
    expect((await minuteOf(counters))["network *"] ?? {}).toEqual({});
  });

  test("invented outcome types fill no minute", async () => {
    const counters = open();
    const entries = Array.from({ length: 300 }, (_, i) => countOutcome(`type-${i}`)).flat();
    await counters.count([{ minute: MINUTE, entries: [sent("overall", "all"), ...entries] }]);
    const { "overall all": overall = {} } = await minuteOf(counters);
    expect(Object.keys(overall)).toHaveLength(96);
    await counters.count([{ minute: MINUTE, entries: [sent("overall", "all")] }]);
    expect((await minuteOf(counters))["overall all"]).toMatchObject({ sent: 2 });
  });

  test("totals go on over minutes, for the dimensions with few subjects", async () => {
    const counters = open();
    expect(await counters.totals()).toEqual({ kind: "answered", tally: new Map() });
    for (const minute of [MINUTE, MINUTE + 500]) {
      await counters.count([{ minute, entries: countSent(PLACE, 7000, "tag") }]);
    }
    const both = { sent: 2, micros: 14_000 };
    expect(await counters.totals()).toEqual({
      kind: "answered",
      tally: new Map([
        ["overall all", both],
        ["channel sms", both],
        ["flow login", both],
        ["provider twilio", both],
      ]),
    });
  });

  test("an outcome counts once for its proof and type", async () => {
    const counters = open();
    expect(await counters.claimOutcome("proof-1", "sign_up")).toBe(true);
    expect(await counters.claimOutcome("proof-1", "sign_up")).toBe(false);
    expect(await counters.claimOutcome("proof-1", "payment")).toBe(true);
    expect(await counters.claimOutcome("proof-2", "sign_up")).toBe(true);
  });

  test("nothing to count is nothing to do", async () => {
    const counters = open();
    await counters.count([]);
    await counters.count([{ minute: MINUTE, entries: [] }]);
    expect(await minuteOf(counters)).toEqual({});
  });
}

describe("the lab's counters", () => {
  let counters: CountersPort | null = null;
  countsAsItShould(() => {
    counters = memoryCounters(() => MINUTE * 60_000);
    return counters;
  });
});

describeOnRedis("counters", (upstash) => {
  const open = () => storeOn(upstash().connect(), Date.now).counters;
  countsAsItShould(open);

  test("whatever is booked, in whatever order, the lab's counters and Redis agree", async () => {
    const subjects = ["a", "b", "c", "*", "+1 2", 'quo"te', "back\\slash"];
    const metrics: Metric[] = ["sent", "micros", "refused:number_invalid", "outcome:sign_up"];
    const entry = fc.oneof(
      fc.record({
        dimension: fc.constantFrom("overall", "country", "channel", "flow"),
        subject: fc.constantFrom(...subjects.slice(0, 4)),
        metric: fc.constantFrom(...metrics),
        how: fc.oneof(
          fc.record({ add: fc.nat({ max: 5_000_000_000 }) }),
          fc.record({ peak: fc.nat({ max: 500 }) }),
        ),
      }),
      fc
        .tuple(fc.constantFrom("AS1", "AS2"), fc.constantFrom("x", "y", "z"))
        .map(([subject, member]) => seen(subject, member)),
    );
    const booking = fc.record({
      minute: fc.integer({ min: MINUTE - 2, max: MINUTE }),
      entries: fc.array(entry as fc.Arbitrary<CounterEntry>, { maxLength: 12 }),
    });
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.array(booking, { maxLength: 3 }), { maxLength: 4 }), async (calls) => {
        // Each run has minutes of its own, so that it finds them empty.
        const shift = run++ * 60;
        const ours = memoryCounters(() => (MINUTE + shift) * 60_000);
        const theirs = open();
        for (const call of calls) {
          const bookings = call.map(({ minute, entries }) => ({ minute: minute + shift, entries }));
          await ours.count(bookings);
          await theirs.count(bookings);
        }
        expect(await tallies(theirs, MINUTE + shift, 3)).toEqual(await tallies(ours, MINUTE + shift, 3));
      }),
      { numRuns: 25 },
    );
  });

  test("names from outside cannot make a minute unreadable", async () => {
    const counters = open();
    await counters.count([
      {
        minute: MINUTE,
        entries: [
          sent("flow", 'a"b'),
          sent("flow", "c\\"),
          sent("flow", "d\ne"),
          ...countOutcome('"},{"x'),
          ...countOutcome("caf\u00e9 au lait"),
        ],
      },
    ]);
    expect(await minuteOf(counters)).toMatchObject({
      "flow a_b": { sent: 1 },
      "flow c_": { sent: 1 },
      "flow d_e": { sent: 1 },
    });
  });

  test("a counter that cannot be read makes the window unavailable, never zero", async () => {
    const counters = open();
    await counters.count([{ minute: MINUTE, entries: [sent("country", "IN")] }]);
    const raw = upstash().connect();
    for (const broken of ["{", '"many"', '{"sent":"many"}', '{"sent":null}', "[1]", "7", '{"sent":{}}']) {
      await raw.hset(`tg:count:${MINUTE}`, { "country IN": broken });
      expect(await counters.window(MINUTE, 2), broken).toEqual({
        kind: "unavailable",
        cause: "error answer",
      });
    }
  });

  test("50 isolates that count at once lose nothing", async () => {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        open().count([{ minute: MINUTE, entries: [sent("country", "IN"), sent("prefix", `+${i}`)] }]),
      ),
    );
    const found = await minuteOf(open());
    expect(found["country IN"]).toEqual({ sent: 50 });
    expect(Object.keys(found)).toHaveLength(51);
  });

  test("counting in three minutes, and reading an hour, are one request and one command each", async () => {
    const counters = open();
    const entries = countSent(PLACE, 7000, "tag");
    await counters.count([{ minute: MINUTE, entries }]);
    upstash().countFromHere();
    await counters.count([MINUTE, MINUTE - 1, MINUTE - 2].map((minute) => ({ minute, entries })));
    expect(upstash().service.stats).toMatchObject({ requests: 1, commands: 1 });
    await counters.window(MINUTE, 60);
    expect(upstash().service.stats).toMatchObject({ requests: 2, commands: 2 });
  });

  test("a rule that was met travels with the message it is counted for", async () => {
    const rules = countSentDespiteRules(rulesThatWouldStop([{ rule: "tor", would: "deny" }], "login"), 7000);
    const counters = open();
    await counters.count([{ minute: MINUTE, entries: countSent(PLACE, 7000, "tag") }]);
    upstash().countFromHere();
    await counters.count([{ minute: MINUTE, entries: [...countSent(PLACE, 7000, "tag"), ...rules] }]);
    expect(upstash().service.stats).toMatchObject({ requests: 1, commands: 1 });
  });

  test("every key ends, but the totals", async () => {
    const counters = open();
    await counters.count([{ minute: MINUTE, entries: countSent(PLACE, 7000, "tag") }]);
    await counters.claimOutcome("proof-1", "sign_up");
    const lives = await upstash().lives();
    const about = (seconds: number) => expect.closeTo(seconds, -1.5);
    expect(lives).toEqual({
      [`tg:count:${MINUTE}`]: about(7200),
      [`tg:numbers:${MINUTE / 15}:network:AS64500`]: about(2400),
      "tg:totals": -1,
      "tg:outcome:proof-1:sign_up": about(8 * 86_400),
    });
  });
});
