import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Random, seededRandom } from "../../../../scripts/lab/world/random.ts";
import {
  learnFromConversion,
  learnFromDeliveryAttempt,
  NEW_ROUTE_RECORD,
  orderRoutes,
  type Route,
  type RouteRecord,
  type RoutingPolicy,
  routeKey,
} from "../../../../src/domain/delivery/routing.ts";
import { viewCounts } from "../../../../src/domain/monitor/monitor-view.ts";
import { learnRoutes } from "../../../../src/domain/monitor/route-records.ts";
import type { Counts, MinuteTally, Tally } from "../../../../src/domain/monitor/tally.ts";
import { policySchema } from "../../../../src/domain/policy.ts";

const DEFAULTS = policySchema.shape.delivery.parse({ providers: ["sandbox"] });
const MONITOR = policySchema.shape.monitor.parse({});
const NOW_MS = Date.UTC(2026, 6, 1, 12);

const policyOf = (more: Partial<RoutingPolicy> = {}): RoutingPolicy => {
  const { equal_within, rest } = DEFAULTS;
  return { pin: {}, weight: {}, drain: [], equal_within, rest, ...more };
};

const routeOf = (provider: string, costMicros = 50_000): Route => ({ provider, channel: "sms", costMicros });
const THREE = [routeOf("a"), routeOf("b"), routeOf("c")];

const recordsOf = (all: Record<string, Partial<RouteRecord>>): Map<string, RouteRecord> =>
  new Map(
    Object.entries(all).map(([provider, record]) => [
      `${provider}/sms/IN`,
      { ...NEW_ROUTE_RECORD, ...record },
    ]),
  );

/** How often each provider goes first in a thousand orders. */
function firsts(
  routes: readonly Route[],
  records: ReadonlyMap<string, RouteRecord>,
  policy: RoutingPolicy = policyOf(),
): Record<string, number> {
  const random = seededRandom("firsts");
  const counts: Record<string, number> = Object.fromEntries(routes.map(({ provider }) => [provider, 0]));
  for (let i = 0; i < 1000; i++) {
    const [first] = orderRoutes({
      routes,
      records,
      policy,
      country: "IN",
      random: random.next,
      nowMs: NOW_MS,
    });
    counts[first?.provider ?? ""] = (counts[first?.provider ?? ""] ?? 0) + 1;
  }
  return counts;
}

/** So much of its own that chance decides nothing. */
const CERTAIN = { good: { verified: 3000, unanswered: 1000 }, bad: { verified: 400, unanswered: 3600 } };
const mean = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0) / values.length;

describe("a provider whose conversion collapses from 70 % to 5 %, among three of one price", () => {
  const SENDS = { before: 500, collapsed: 400, after: 500 };
  const RUNS = 150;

  /** The providers of one run's messages, in order; every answer is known before the next message. */
  function run(sick: string, random: Random): string[] {
    const { before, collapsed, after } = SENDS;
    const records = new Map<string, RouteRecord>();
    return Array.from({ length: before + collapsed + after }, (_, i) => {
      const [first] = orderRoutes({
        routes: THREE,
        records,
        policy: policyOf(),
        country: "IN",
        random: random.next,
        nowMs: NOW_MS,
      });
      const ill = first?.provider === sick && i >= before && i < before + collapsed;
      const answers = random.chance(ill ? 0.05 : 0.7)
        ? { verified: 1, unanswered: 0 }
        : { verified: 0, unanswered: 1 };
      for (const route of THREE) {
        const key = routeKey(route, "IN");
        const known = records.get(key) ?? NEW_ROUTE_RECORD;
        const went = route === first;
        records.set(
          key,
          learnFromConversion(known, went ? answers : { verified: 0, unanswered: 0 }, went ? 0 : 1),
        );
      }
      return first?.provider ?? "";
    });
  }

  test.each(["a", "b", "c"])(
    "%s: 95 in 100 have left it within 50 sends, and come back within 200",
    (sick) => {
      const runs = Array.from({ length: RUNS }, (_, i) => run(sick, seededRandom(`${sick} ${i}`)));
      const shares = (from: number, to: number) =>
        runs.map((went) => went.slice(from, to).filter((name) => name === sick).length / (to - from));
      const { before, collapsed } = SENDS;
      const recovered = before + collapsed;
      const former = mean(shares(100, before));
      const left = shares(before + 50, recovered);
      const back = mean(shares(recovered + 200, recovered + 400));

      expect(former).toBeGreaterThan(0.25);
      expect(mean(shares(before + 50, before + 150)), "in the hundred after the 50").toBeLessThanOrEqual(
        0.05,
      );
      expect(mean(left), "and until it recovers").toBeLessThanOrEqual(0.05);
      // Of 350 messages; one run in twenty may look in on it a little more often.
      expect(left.toSorted((x, y) => x - y)[Math.floor(RUNS * 0.95)]).toBeLessThanOrEqual(0.07);
      expect(Math.min(...left), "every run looks in on it now and then").toBeGreaterThan(0);
      expect(back).toBeGreaterThanOrEqual(0.8 * former);
    },
  );
});

describe("conversion, then price", () => {
  test("the better route goes first, whatever it costs", () => {
    const records = recordsOf({ dear: CERTAIN.good, cheap: CERTAIN.bad });
    expect(firsts([routeOf("cheap", 1), routeOf("dear", 90_000)], records)).toEqual({ cheap: 0, dear: 1000 });
  });

  test("of equals the cheaper one goes first", () => {
    const records = recordsOf({ dear: CERTAIN.good, cheap: CERTAIN.good });
    const counts = firsts([routeOf("dear", 50_001), routeOf("cheap", 50_000)], records);
    expect(counts.cheap).toBeGreaterThan(950);
  });

  test.each([
    { better: 0.04, within: 0.02, cheapFirst: false },
    { better: 0.04, within: 0.1, cheapFirst: true },
  ])("$better better is equal within $within: $cheapFirst", ({ better, within, cheapFirst }) => {
    const sure = (ratio: number) => ({ verified: 1e7 * ratio, unanswered: 1e7 * (1 - ratio) });
    const records = recordsOf({ dear: sure(0.7 + better), cheap: sure(0.7) });
    const routes = [routeOf("cheap", 1), routeOf("dear", 2)];
    const counts = firsts(routes, records, policyOf({ equal_within: within }));
    expect(counts).toEqual(cheapFirst ? { cheap: 1000, dear: 0 } : { cheap: 0, dear: 1000 });
  });

  test("of two routes that convert alike on few answers nearly everything goes by the cheaper", () => {
    const records = recordsOf({
      cheap: { verified: 16, unanswered: 8 },
      dear: { verified: 16, unanswered: 8 },
    });
    expect(firsts([routeOf("dear", 500_000), routeOf("cheap", 50_000)], records).cheap).toBeGreaterThan(950);
  });

  test("routes that are alike in price and answers share the traffic, whatever their place in the list", () => {
    const records = recordsOf({ a: CERTAIN.good, b: CERTAIN.good, c: CERTAIN.good });
    for (const count of Object.values(firsts(THREE, records))) {
      expect(count).toBeGreaterThan(280);
      expect(count).toBeLessThan(390);
    }
  });

  test.each([
    { cheap: 0.7, dear: 0.9, least: 0.6, most: 1 },
    { cheap: 0.85, dear: 0.95, least: 0.5, most: 1 },
    { cheap: 0.8, dear: 0.8, least: 0.01, most: 0.25 },
  ])(
    "a dearer route that converts $dear beside one of $cheap gets between $least and $most",
    ({ cheap, dear, least, most }) => {
      const random = seededRandom("found");
      const routes = [routeOf("cheap", 2), routeOf("dear", 3)];
      const records = new Map<string, RouteRecord>();
      let went = 0;
      for (let i = 0; i < 8000; i++) {
        const [first] = orderRoutes({
          routes,
          records,
          policy: policyOf(),
          country: "IN",
          random: random.next,
          nowMs: NOW_MS,
        });
        if (first?.provider === "dear") went++;
        const verified = Number(random.chance(first?.provider === "dear" ? dear : cheap));
        for (const route of routes) {
          const key = routeKey(route, "IN");
          const own = route === first;
          const answers = own ? { verified, unanswered: 1 - verified } : { verified: 0, unanswered: 0 };
          records.set(key, learnFromConversion(records.get(key) ?? NEW_ROUTE_RECORD, answers, own ? 0 : 1));
        }
      }
      expect(went / 8000).toBeGreaterThan(least);
      expect(went / 8000).toBeLessThan(most);
    },
  );

  test("routes nobody has heard of share the traffic", () => {
    for (const count of Object.values(firsts(THREE, new Map()))) {
      expect(count).toBeGreaterThan(250);
      expect(count).toBeLessThan(420);
    }
  });
});

describe("what operators say", () => {
  const good = recordsOf({ a: CERTAIN.good, b: CERTAIN.good, c: CERTAIN.bad });

  test("a pinned provider goes first, however badly it converts, and only in its country", () => {
    expect(firsts(THREE, good, policyOf({ pin: { IN: "c" } }))).toEqual({ a: 0, b: 0, c: 1000 });
    expect(firsts(THREE, good, policyOf({ pin: { BR: "c" } })).c).toBe(0);
  });

  test("a pinned provider that rests does not go first", () => {
    const records = new Map(good).set("c/sms/IN", { ...NEW_ROUTE_RECORD, restUntilMs: NOW_MS + 1 });
    expect(firsts(THREE, records, policyOf({ pin: { IN: "c" } })).c).toBe(0);
    records.set("c/sms/IN", { ...NEW_ROUTE_RECORD, restUntilMs: NOW_MS });
    expect(firsts(THREE, records, policyOf({ pin: { IN: "c" } })).c, "its rest is over").toBe(1000);
  });

  test("a provider that weighs less gets less, and more than nothing", () => {
    const records = recordsOf({ a: { verified: 14, unanswered: 6 }, b: { verified: 14, unanswered: 6 } });
    const routes = [routeOf("a"), routeOf("b")];
    const even = firsts(routes, records).a ?? 0;
    const lighter = firsts(routes, records, policyOf({ weight: { a: 0.8 } })).a ?? 0;
    const featherweight = firsts(routes, records, policyOf({ weight: { a: 0.1 } })).a ?? 0;
    expect(lighter).toBeGreaterThan(20);
    expect(lighter).toBeLessThan(even / 2);
    expect(featherweight).toBe(0);
  });

  test("a drained provider comes last, pinned or not, and still comes", () => {
    const policy = policyOf({ drain: ["a"], pin: { IN: "a" } });
    const order = orderRoutes({
      routes: THREE,
      records: good,
      policy,
      country: "IN",
      random: seededRandom("drain").next,
      nowMs: NOW_MS,
    });
    expect(order.map(({ provider }) => provider)).toEqual(["b", "c", "a"]);
    expect(
      orderRoutes({
        routes: [routeOf("a")],
        records: good,
        policy,
        country: "IN",
        random: Math.random,
        nowMs: NOW_MS,
      }),
    ).toEqual([routeOf("a")]);
  });
});

describe("rest", () => {
  const { rest } = policyOf();
  const failing = (times: number, atMs: (i: number) => number) =>
    Array.from({ length: times }).reduce<RouteRecord>(
      (record, _, i) => learnFromDeliveryAttempt(record, true, policyOf(), atMs(i)),
      NEW_ROUTE_RECORD,
    );

  test("begins with the third failure in a row and grows with each further one, up to the last", () => {
    const rests = [1, 2, 3, 4, 5, 6, 20].map((times) => failing(times, () => NOW_MS).restUntilMs);
    const seconds = rests.map((untilMs) => Math.max(0, (untilMs - NOW_MS) / 1000));
    expect(seconds).toEqual([0, 0, 30, 120, 600, 600, 600]);
    expect(rest).toEqual({ after_failures: 3, seconds: [30, 120, 600] });
  });

  test("a route that fails again after its rest rests longer, at once", () => {
    const first = failing(3, () => NOW_MS);
    const again = learnFromDeliveryAttempt(first, true, policyOf(), first.restUntilMs);
    expect(again.restUntilMs).toBe(first.restUntilMs + 120_000);
  });

  test("ends with one success, and begins anew from nothing", () => {
    const well = learnFromDeliveryAttempt(
      failing(5, () => NOW_MS),
      false,
      policyOf(),
      NOW_MS,
    );
    expect(well).toMatchObject({ failures: 0, restUntilMs: 0 });
    expect(learnFromDeliveryAttempt(well, true, policyOf(), NOW_MS)).toMatchObject({
      failures: 1,
      restUntilMs: 0,
    });
  });

  test("a success or a failure says nothing of conversion", () => {
    const record = { ...NEW_ROUTE_RECORD, verified: 7, unanswered: 3 };
    for (const failed of [true, false]) {
      expect(learnFromDeliveryAttempt(record, failed, policyOf(), NOW_MS)).toMatchObject({
        verified: 7,
        unanswered: 3,
      });
    }
  });

  test("a resting route comes after the others, before a drained one, and alone when nothing else is left", () => {
    const records = recordsOf({ a: { ...CERTAIN.good, restUntilMs: NOW_MS + 1 }, c: CERTAIN.good });
    const order = (routes: readonly Route[], policy: RoutingPolicy) =>
      orderRoutes({
        routes,
        records,
        policy,
        country: "IN",
        random: seededRandom("rest").next,
        nowMs: NOW_MS,
      }).map((r) => r.provider);
    expect(order(THREE, policyOf({ drain: ["c"] }))).toEqual(["b", "a", "c"]);
    expect(order([routeOf("a")], policyOf())).toEqual(["a"]);
  });

  test("when all rest, the better one is still tried first", () => {
    const restUntilMs = NOW_MS + 1;
    const records = recordsOf({ a: { ...CERTAIN.bad, restUntilMs }, b: { ...CERTAIN.good, restUntilMs } });
    expect(firsts([routeOf("a"), routeOf("b")], records)).toEqual({ a: 0, b: 1000 });
  });
});

describe("whatever the routes, the records and the policy", () => {
  const provider = fc.constantFrom<string>("a", "b", "c", "d", "e");
  const record = fc.record({
    verified: fc.double({ min: 0, max: 1e6, noNaN: true }),
    unanswered: fc.double({ min: 0, max: 1e6, noNaN: true }),
    failures: fc.nat(50),
    restUntilMs: fc.constantFrom(0, NOW_MS, NOW_MS + 1, NOW_MS + 600_000),
  });
  const world = fc.record({
    routes: fc.uniqueArray(
      fc.record({
        provider,
        channel: fc.constantFrom("sms" as const, "voice" as const),
        costMicros: fc.nat(1e6),
      }),
      { selector: (route) => routeKey(route, "IN") },
    ),
    records: fc.dictionary(
      fc.constantFrom("a/sms/IN", "b/sms/IN", "c/voice/IN", "d/sms/BR", "e/sms/IN"),
      record,
    ),
    policy: fc.record({
      pin: fc.dictionary(fc.constantFrom("IN", "BR"), provider),
      weight: fc.dictionary(provider, fc.double({ min: 0.01, max: 1, noNaN: true })),
      drain: fc.uniqueArray(provider),
      equal_within: fc.double({ min: 0.001, max: 0.5, noNaN: true }),
      rest: fc.constant(DEFAULTS.rest),
    }),
    seed: fc.string(),
  });

  test("no route is lost, none doubled, none changed", () => {
    fc.assert(
      fc.property(world, ({ routes, records, policy, seed }) => {
        const map = new Map(Object.entries(records));
        const order = orderRoutes({
          routes,
          records: map,
          policy,
          country: "IN",
          random: seededRandom(seed).next,
          nowMs: NOW_MS,
        });
        expect(new Set(order)).toEqual(new Set(routes));
        expect(order).toHaveLength(routes.length);
      }),
    );
  });

  test("the order is the same for the same chance, and drained, then resting ones are behind", () => {
    fc.assert(
      fc.property(world, ({ routes, records, policy, seed }) => {
        const map = new Map(Object.entries(records));
        const order = () =>
          orderRoutes({
            routes,
            records: map,
            policy,
            country: "IN",
            random: seededRandom(seed).next,
            nowMs: NOW_MS,
          });
        expect(order()).toEqual(order());
        const rank = (route: Route) => {
          const resting = NOW_MS < (map.get(routeKey(route, "IN"))?.restUntilMs ?? 0);
          const pinned = policy.pin.IN === route.provider;
          return [policy.drain.includes(route.provider), resting, !pinned].map(Number).join("");
        };
        const ranks = order().map(rank);
        expect(ranks).toEqual(ranks.toSorted());
      }),
    );
  });

  test("a record never falls below zero, and never grows beyond its memory", () => {
    const answers = fc.record({ verified: fc.nat(400), unanswered: fc.nat(400), elsewhere: fc.nat(2000) });
    fc.assert(
      fc.property(fc.array(answers, { maxLength: 30 }), (story) => {
        const last = story.reduce<RouteRecord>(
          (known, { elsewhere, ...heard }) => learnFromConversion(known, heard, elsewhere),
          NEW_ROUTE_RECORD,
        );
        expect(Math.min(last.verified, last.unanswered)).toBeGreaterThanOrEqual(0);
        expect(last.verified + last.unanswered).toBeLessThanOrEqual(24.001);
      }),
    );
  });
});

/** A tally of routes to India, and to others. */
const tallyOf = (counts: Record<string, Counts>): Tally =>
  new Map(Object.entries(counts).map(([name, count]) => [`route ${name}`, count]));

const MINUTE = NOW_MS / 60_000;

function learn(minutes: readonly MinuteTally[], nowMs: number) {
  const none = { history: null, sameTime: [], lately: [], spent: null, planDayMicros: null, incident: null };
  return learnRoutes(viewCounts({ nowMs, minutes, ...none }, MONITOR), policyOf());
}

/** The window up to now of which `counts` says what the minute so long ago held. */
const windowOf = (counts: (minutesAgo: number) => Record<string, Counts>): MinuteTally[] =>
  Array.from({ length: MONITOR.window_minutes }, (_, i) => MONITOR.window_minutes - 1 - i).map((ago) => ({
    minute: MINUTE - ago,
    tally: tallyOf(counts(ago)),
  }));

describe("what the watch makes of the routes", () => {
  test("knows a route by its ripe answers, those of young messages not yet held against it", () => {
    const young = learn(
      windowOf((ago) => (ago === 0 ? { "a/sms/IN": { sent: 20, verified: 0 } } : {})),
      NOW_MS + 1000,
    );
    expect(young.get("a/sms/IN")).toMatchObject({ verified: 0, unanswered: 0 });
    const ripe = learn(
      windowOf((ago) => (ago === 10 ? { "a/sms/IN": { sent: 20, verified: 15 } } : {})),
      NOW_MS,
    );
    expect(ripe.get("a/sms/IN")).toEqual({ ...NEW_ROUTE_RECORD, verified: 15, unanswered: 5 });
  });

  test("the latest minutes count most", () => {
    const [good, bad] = [
      { sent: 20, verified: 14 },
      { sent: 20, verified: 1 },
    ];
    const ratio = (early: Counts, late: Counts) => {
      const records = learn(
        windowOf((ago) => ({ "a/sms/IN": ago > 6 ? early : ago > 3 ? late : {} })),
        NOW_MS,
      );
      const { verified = 0, unanswered = 0 } = records.get("a/sms/IN") ?? {};
      return verified / (verified + unanswered);
    };
    expect(ratio(good, bad)).toBeLessThan(0.15);
    expect(ratio(bad, good)).toBeGreaterThan(0.6);
  });

  test("what goes by other routes to the same country makes it forget, and what goes elsewhere does not", () => {
    const kept = (other: string) => {
      const records = learn(
        windowOf((ago) => ({
          ...(ago === 10 ? { "a/sms/IN": { sent: 20, verified: 2 } } : {}),
          ...(ago < 10 ? { [other]: { sent: 30, verified: 20 } } : {}),
        })),
        NOW_MS,
      );
      return records.get("a/sms/IN")?.unanswered ?? 0;
    };
    expect(kept("b/sms/BR")).toBe(18);
    expect(kept("b/sms/IN")).toBeLessThan(3);
  });

  test.each([
    { rejected: 3, sent: 0, rests: true },
    { rejected: 2, sent: 0, rests: false },
    { rejected: 5, sent: 5, rests: false },
    { rejected: 6, sent: 5, rests: true },
  ])("of $rejected refused and $sent sent in the last minutes it rests: $rests", (row) => {
    const { rejected, sent, rests } = row;
    const counts = { "a/sms/IN": { rejected, ...(sent > 0 ? { sent } : {}) } };
    const [lately, before] = [1, 3].map((minute) =>
      learn(
        windowOf((ago) => (ago === minute ? counts : {})),
        NOW_MS,
      ).get("a/sms/IN"),
    );
    expect(lately?.restUntilMs).toBe(rests ? NOW_MS + 30_000 : 0);
    expect(before?.restUntilMs, "what is older is over").toBe(0);
  });

  describe("minute by minute, with people who take their time", () => {
    const COLLAPSE = 40;
    const RECOVERY = 70;
    const END = 110;

    /** The share of each minute's messages that goes to the sick route, as the mean of several runs. */
    function simulate(perMinute: number, runs: number): number[] {
      const shares = Array.from({ length: END }, () => 0);
      for (let seed = 0; seed < runs; seed++) {
        const random = seededRandom(`${perMinute} ${seed}`);
        const tallies = new Map<number, Map<string, Counts>>();
        let due: { atMs: number; counts: Counts }[] = [];
        for (let at = 0; at < END; at++) {
          const nowMs = (MINUTE + at) * 60_000;
          for (const { counts } of due.filter(({ atMs }) => atMs <= nowMs)) {
            counts.verified = (counts.verified ?? 0) + 1;
          }
          due = due.filter(({ atMs }) => atMs > nowMs);
          const minutes = Array.from({ length: MONITOR.window_minutes }, (_, i) => {
            const minute = MINUTE + at - MONITOR.window_minutes + 1 + i;
            return { minute, tally: tallies.get(minute) ?? new Map<string, Counts>() };
          });
          const records = learn(minutes, nowMs);
          const tally = new Map<string, Counts>();
          tallies.set(MINUTE + at, tally);
          for (let i = 0; i < perMinute; i++) {
            const [first] = orderRoutes({
              routes: THREE,
              records,
              policy: policyOf(),
              country: "IN",
              random: random.next,
              nowMs,
            });
            const key = `route ${routeKey(first ?? routeOf("none"), "IN")}`;
            const counts = tally.get(key) ?? { sent: 0 };
            counts.sent = (counts.sent ?? 0) + 1;
            tally.set(key, counts);
            const sick = first?.provider === "b";
            if (sick) shares[at] = (shares[at] ?? 0) + 1 / perMinute / runs;
            const ill = sick && at >= COLLAPSE && at < RECOVERY;
            const answerMs = 1000 * Math.min(590, random.lognormal(25, 0.7));
            if (random.chance(ill ? 0.05 : 0.7)) {
              due.push({ atMs: nowMs + (60_000 * i) / perMinute + answerMs, counts });
            }
          }
        }
      }
      return shares;
    }

    test.each([
      { perMinute: 20, runs: 20, leftAfter: 3, backAfter: 12 },
      { perMinute: 60, runs: 10, leftAfter: 2, backAfter: 6 },
      { perMinute: 300, runs: 4, leftAfter: 2, backAfter: 6 },
      { perMinute: 1000, runs: 2, leftAfter: 2, backAfter: 6 },
    ])(
      "at $perMinute a minute 95 in 100 have left after $leftAfter minutes, and are back after $backAfter",
      (row) => {
        const { perMinute, runs, leftAfter, backAfter } = row;
        const shares = simulate(perMinute, runs);
        const former = mean(shares.slice(20, COLLAPSE));
        expect(former).toBeGreaterThan(0.25);
        expect(mean(shares.slice(COLLAPSE + leftAfter, RECOVERY))).toBeLessThanOrEqual(0.05);
        expect(mean(shares.slice(RECOVERY + backAfter, END))).toBeGreaterThanOrEqual(0.8 * former);
      },
    );
  });
});
