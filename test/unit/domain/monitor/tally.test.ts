import fc from "fast-check";
import { expect, test } from "vitest";
import {
  type CountingPlace,
  countAddressWithManyNumbers,
  countDeliveryFate,
  countRefused,
  countSent,
  countVerified,
} from "../../../../src/domain/monitor/counting.ts";
import {
  type CounterEntry,
  type Counts,
  type Dimension,
  isTallyObject,
  keepBusiest,
  type Metric,
  readTally,
  SUBJECTS_PER_QUARTER,
  sumTallies,
  type Tally,
} from "../../../../src/domain/monitor/tally.ts";

const PLACE: CountingPlace = {
  phone: { e164: "+919876543210", country: "IN", type: "mobile", block: "+91987654", prefix: "+91987" },
  channel: "sms",
  flow: "login",
  provider: "twilio",
  asn: 64_500,
};

const keysOf = (entries: readonly CounterEntry[], metric: Metric) =>
  entries
    .filter((entry) => entry.metric === metric)
    .map(({ dimension, subject }) => `${dimension} ${subject}`);

const metricsOf = (entries: readonly CounterEntry[]) => new Set(entries.map(({ metric }) => metric));

test("a message counts once for each of its subjects, its cost for all but its hundred", () => {
  const entries = countSent(PLACE, 7000, "tag");
  const subjects = keysOf(entries, "micros");
  expect(subjects).toContain("prefix +91987");
  expect(subjects).toContain("route twilio/sms/IN");
  expect(keysOf(entries, "sent")).toEqual([...subjects, "hundred +9198765432"]);
  expect(new Set(subjects).size).toBe(subjects.length);
  expect(keysOf(entries, "numbers")).toEqual(["network AS64500"]);
});

test("a message from nobody knows where, by no provider yet, counts without network, provider and route", () => {
  const entries = countSent({ ...PLACE, provider: null, asn: null }, 7000, "tag");
  const dimensions = new Set(entries.map(({ dimension }) => dimension));
  for (const absent of ["network", "provider", "route"] as const) expect(dimensions).not.toContain(absent);
});

test("an answer counts for the subjects of its message", () => {
  const verified = keysOf(countVerified(PLACE, null), "verified");
  expect(verified).toEqual(keysOf(countSent(PLACE, 7000, "tag"), "micros"));
});

test.each([
  [0, "verified_by:0"],
  [5, "verified_by:0"],
  [5.1, "verified_by:1"],
  [600, "verified_by:11"],
  [601, "verified_by:12"],
])("an answer after %s seconds is in the bucket %s", (seconds, metric) => {
  const metrics = [...metricsOf(countVerified(PLACE, seconds))];
  expect(metrics.filter((name) => name.startsWith("verified_by:"))).toEqual([metric]);
});

test("an answer to an earlier message of the session has no time of its own", () => {
  expect(metricsOf(countVerified(PLACE, null))).toEqual(new Set(["verified"]));
});

test("a refusal takes no room among ranges, and only a used-up budget turns away", () => {
  const source = { country: "IN", flow: "login", asn: 64_500 };
  const refused = countRefused(source, "rate_limited", false);
  expect(keysOf(refused, "refused")).toEqual(["overall all", "country IN", "flow login", "network AS64500"]);
  expect(keysOf(refused, "turned_away")).toEqual([]);
  expect(keysOf(countRefused(source, "budget", true), "turned_away")).toEqual(keysOf(refused, "refused"));
  expect(keysOf(countRefused({ country: null, flow: null, asn: null }, "bad", true), "refused")).toEqual([
    "overall all",
  ]);
});

test("a receipt counts for provider, channel and route", () => {
  const fate = countDeliveryFate({ country: "IN", provider: "twilio", channel: "sms" }, "undelivered");
  expect(keysOf(fate, "undelivered")).toEqual([
    "overall all",
    "country IN",
    "provider twilio",
    "route twilio/sms/IN",
    "channel sms",
  ]);
});

test("distinct numbers of a sum are the most that any part saw, all else adds up", () => {
  const part = (sent: number, numbers: number): Tally =>
    new Map<string, Counts>([["network AS1", { sent, numbers }]]);
  const address = countAddressWithManyNumbers("tag", 9)[1]?.how;
  expect(address).toEqual({ peak: 9 });
  expect(sumTallies([part(4, 3), part(5, 7), part(1, 6)])).toEqual(
    new Map([["network AS1", { sent: 10, numbers: 7 }]]),
  );
  expect(sumTallies([])).toEqual(new Map());
});

const tallies = fc
  .array(
    fc.tuple(
      fc.constantFrom<Dimension>("overall", "country", "prefix", "hundred", "network"),
      fc.nat({ max: 300 }),
      fc.record({ sent: fc.nat({ max: 40 }), numbers: fc.nat({ max: 40 }) }),
    ),
    { maxLength: 400 },
  )
  .map(
    (entries) =>
      new Map<string, Counts>(
        entries.map(([dimension, subject, counts]) => [`${dimension} ${subject}`, counts]),
      ),
  );

test("sums do not depend on the order of their parts, and leave them as they were", () => {
  fc.assert(
    fc.property(fc.array(tallies, { maxLength: 4 }), (parts) => {
      const before = structuredClone(parts);
      expect(sumTallies(parts.toReversed())).toEqual(sumTallies(parts));
      expect(parts).toEqual(before);
    }),
    { numRuns: 40 },
  );
});

test("the busiest of each dimension stay, as many as there is room for, and nobody busier is dropped", () => {
  const most = { ...SUBJECTS_PER_QUARTER, country: 20, prefix: 3 };
  fc.assert(
    fc.property(tallies, (tally) => {
      const kept = keepBusiest(tally, most);
      for (const dimension of Object.keys(most) as Dimension[]) {
        const all = [...tally].filter(([key]) => key.startsWith(`${dimension} `));
        const stay = all.filter(([key]) => kept.has(key)).map(([, { sent = 0 }]) => sent);
        const gone = all.filter(([key]) => !kept.has(key)).map(([, { sent = 0 }]) => sent);
        expect(stay).toHaveLength(Math.min(all.length, most[dimension]));
        expect(Math.max(-1, ...gone)).toBeLessThanOrEqual(Math.min(...stay, Number.POSITIVE_INFINITY) || 0);
      }
    }),
    { numRuns: 60 },
  );
});

test("a tally is the same after it was JSON", () => {
  fc.assert(
    fc.property(tallies, (tally) => {
      expect(readTally(JSON.parse(JSON.stringify(Object.fromEntries(tally))))).toEqual(tally);
    }),
    { numRuns: 40 },
  );
});

test.each([null, undefined, 7, "text", [], [{}], { "country IN": 7 }, { "country IN": null }])(
  "%j is no tally",
  (value) => {
    expect(readTally(value)).toBeNull();
  },
);

test.each([{ sent: "7" }, { sent: null }, { sent: {} }, { sent: Number.NaN }, []])(
  "a subject with %j makes the whole tally unreadable",
  (counts) => {
    expect(isTallyObject({ "country DE": { sent: 1 }, "country IN": counts })).toBe(false);
  },
);

test("a quarter that is over keeps what rules in record-only mode met, though none of it may have left", () => {
  const counted = new Map<string, Counts>([["rule tor/signup", { met: 9, "would:deny": 9 }]]);
  expect(keepBusiest(counted, SUBJECTS_PER_QUARTER)).toEqual(counted);
});
