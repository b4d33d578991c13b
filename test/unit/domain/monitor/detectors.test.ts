import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { seededRandom } from "../../../../scripts/lab/world/random.ts";
import { probabilityAtLeast, probabilityAtMost } from "../../../../src/domain/monitor/detectors/chance.ts";
import { likeliestFall } from "../../../../src/domain/monitor/detectors/collapse.ts";
import {
  detectFindingsFromReadings,
  detectLateRun,
} from "../../../../src/domain/monitor/detectors/detectors.ts";
import { type FindingKind, isConversionAlarm } from "../../../../src/domain/monitor/finding.ts";
import type { Incident } from "../../../../src/domain/monitor/incident.ts";
import { initialMonitorMemory } from "../../../../src/domain/monitor/monitor-memory.ts";
import type { MonitorReadings } from "../../../../src/domain/monitor/monitor-view.ts";
import type { Counts } from "../../../../src/domain/monitor/tally.ts";
import { OVERALL_TALLY_KEY } from "../../../../src/domain/monitor/tally.ts";
import { policySchema } from "../../../../src/domain/policy.ts";
import { DAY_MS, historyOf, MINUTE, T0, watched, windowOf } from "../../../support/watch-tables.ts";

const POLICY = policySchema.shape.monitor.parse({});
const QUARTER = T0 / (15 * MINUTE);
/** All counters in one minute so long ago that every answer is in. */
const ripe = (subjects: Record<string, Counts>, ago = 5) =>
  windowOf(T0, (at) => (at === ago ? subjects : {}));
const find = (kind: FindingKind, over: Partial<MonitorReadings>) =>
  detectFindingsFromReadings(watched(over), POLICY).filter((finding) => finding.kind === kind);

/** A thousand messages a day of which 70 % are answered, with one destination of a hundred. */
const WEEK = historyOf({
  [OVERALL_TALLY_KEY]: { sent: 4000, verified: 2800 },
  "country IN": { sent: 400, verified: 280 },
  "prefix +91987": { sent: 60, verified: 42 },
  "block +91987654": { sent: 8, verified: 0 },
  "network AS1": { sent: 900, verified: 630 },
  "provider sandbox": { sent: 4000, verified: 2800 },
  "flow signup": { sent: 3000, verified: 2100 },
});

describe("providers' fraud verdicts", () => {
  test("the first one is told, and asks for no posture and no ban", () => {
    const minutes = ripe({ "country GH": { fraud: 1 }, "block +23324000": { fraud: 1, sent: 4 } });
    expect(find("provider_fraud", { minutes })).toMatchObject([
      { subject: "country GH", severity: "notice", block: false },
    ]);
  });

  test.each([
    { fraud: 2, verified: 0, banned: false },
    { fraud: 3, verified: 0, banned: true },
    { fraud: 3, verified: 2, banned: true },
    { fraud: 3, verified: 3, banned: false },
    { fraud: 40, verified: 50, banned: false },
  ])(
    "a range with $fraud of them and $verified verified is banned: $banned",
    ({ fraud, verified, banned }) => {
      const minutes = ripe({ "block +23324000": { fraud, sent: fraud + verified, verified } });
      expect(find("provider_fraud", { minutes }).some(({ block }) => block)).toBe(banned);
    },
  );

  test("without one nothing is found", () => {
    expect(find("provider_fraud", { minutes: ripe({ "country GH": { sent: 100 } }) })).toEqual([]);
  });
});

describe("chance", () => {
  test("binomial tails are those of the tables", () => {
    expect(probabilityAtLeast(9, 10, 0.5)).toBeCloseTo(11 / 1024, 10);
    expect(probabilityAtLeast(10, 20, 0.1)).toBeCloseTo(7.1509e-6, 9);
    expect(probabilityAtMost(9, 31, 0.7)).toBeCloseTo(3.4e-6, 6);
    expect(probabilityAtMost(0, 12, 0.7)).toBeCloseTo(0.3 ** 12, 12);
    expect([
      probabilityAtLeast(5, 4, 0.1),
      probabilityAtLeast(1, 10, 0),
      probabilityAtLeast(0, 10, 0.3),
      probabilityAtMost(3, 3, 0.5),
    ]).toEqual([0, 0, 1, 1]);
    expect(probabilityAtLeast(60_000, 100_000, 0.5)).toBeLessThan(1e-300);
  });

  test("the sequential test passes ln(1/a) by chance in less than a of all windows", () => {
    const random = seededRandom("wald");
    const alpha = 0.02;
    let passed = 0;
    const rounds = 4000;
    for (let round = 0; round < rounds; round++) {
      const cohorts = Array.from({ length: 15 }, (_, minute) => {
        const verified = Array.from({ length: 4 }, () => (random.chance(0.7) ? 1 : 0)).reduce<number>(
          (a, b) => a + b,
          0,
        );
        return { minute, sent: 4, verified };
      });
      // From one given beginning: the whole window.
      const fall = likeliestFall(cohorts, { usualShare: 0.7, fallenShare: 0.5, least: 60 }, () => 1);
      if ((fall?.score ?? 0) > -Math.log(alpha)) passed++;
    }
    expect(passed / rounds).toBeLessThan(alpha);
    expect(passed).toBeGreaterThan(0);
  });
});

describe("low conversion", () => {
  test.each([
    [31, 0, "emergency"],
    [31, 4, "emergency"],
    // It may still be a bad quarter of an hour.
    [31, 9, "elevated"],
    [31, 10, null],
    [30, 0, null],
    [70, 20, "emergency"],
    [1000, 299, "emergency"],
    [1000, 300, null],
  ])("%d due and %d verified asks for %s", (sent, verified, severity) => {
    const findings = find("conversion_low", { minutes: ripe({ [OVERALL_TALLY_KEY]: { sent, verified } }) });
    expect(findings[0]?.severity ?? null).toBe(severity);
  });

  test("messages that could not be answered yet say nothing", () => {
    const minutes = ripe({ [OVERALL_TALLY_KEY]: { sent: 500, verified: 0 } }, 0);
    expect(
      detectFindingsFromReadings(watched({ minutes, history: WEEK }), POLICY).filter(isConversionAlarm),
    ).toEqual([]);
  });

  test("while its incident is open, a ratio under the clearing one is still ill", () => {
    const minutes = ripe({ [OVERALL_TALLY_KEY]: { sent: 100, verified: 35 } });
    const [low] = find("conversion_low", {
      minutes: ripe({ [OVERALL_TALLY_KEY]: { sent: 100, verified: 0 } }),
    });
    const incident = { closedAtMs: null, findings: [low] } as unknown as Incident;
    expect(find("conversion_low", { minutes })).toEqual([]);
    expect(find("conversion_low", { minutes, incident })).toHaveLength(1);
    expect(find("conversion_low", { minutes, incident: { ...incident, closedAtMs: T0 } })).toEqual([]);
    const healthy = ripe({ [OVERALL_TALLY_KEY]: { sent: 100, verified: 41 } });
    expect(find("conversion_low", { minutes: healthy, incident })).toEqual([]);
  });

  test.each([4, 10, 35, 100])(
    "a fall to 15 percent at %d messages a minute is found inside the window of fifteen minutes",
    (perMinute) => {
      const fellAgo = (now: number) =>
        windowOf(T0, (ago) => {
          const upTo = (minutes: number) => Math.floor(perMinute * minutes * (ago > now ? 0.7 : 0.15));
          const verified = upTo(ago + 1) - upTo(ago);
          return { [OVERALL_TALLY_KEY]: ago === 0 ? {} : { sent: perMinute, verified } };
        });
      const history = historyOf({
        [OVERALL_TALLY_KEY]: { sent: perMinute * 15 * 415, verified: perMinute * 15 * 290 },
      });
      const found = Array.from({ length: 15 }, (_, i) => i).find(
        (now) => find("conversion_low", { minutes: fellAgo(now), history })[0]?.severity === "emergency",
      );
      expect(found).toBeLessThan(14);
    },
  );
});

describe("a collapse against its own history", () => {
  const burst = (subjects: readonly string[], counts: Counts, ago = 2) =>
    ripe(Object.fromEntries([...subjects, OVERALL_TALLY_KEY].map((key) => [key, counts])), ago);

  test.each([
    ["country IN", "elevated", false],
    ["prefix +91987", "elevated", true],
    ["network AS1", "elevated", false],
    ["flow signup", "elevated", false],
    ["provider sandbox", "notice", false],
  ])("of %s asks for %s and shuts: %s", (key, severity, block) => {
    const minutes = burst([key], { sent: 25, verified: 0 }, 5);
    expect(find("conversion_collapse", { minutes, history: WEEK })).toMatchObject([
      { subject: key, severity, block },
    ]);
  });

  test("twelve unanswered messages are seen by the second run after the last of them, and eleven never", () => {
    const keys = ["country IN", "prefix +91987"];
    const seen = (sent: number, ago: number) =>
      find("conversion_collapse", { minutes: burst(keys, { sent }, ago), history: WEEK }).map(
        ({ subject }) => subject,
      );
    expect(seen(12, 2)).toEqual(keys);
    expect(seen(11, 10)).toEqual([]);
  });

  test("honest traffic before it does not hide it", () => {
    const minutes = windowOf(T0, (ago) => ({
      "country IN":
        ago > 8 ? { sent: 3, verified: 2 } : ago === 4 || ago === 5 ? { sent: 9, verified: 0 } : {},
    }));
    const [finding] = find("conversion_collapse", { minutes, history: WEEK });
    expect(finding?.evidence).toMatchObject({ sent: 18, verified: 0, since_ms: T0 - 5 * MINUTE });
  });

  test.each([
    [60, 36],
    [300, 180],
    [3000, 1800],
  ])("a dip to 60 percent is no alarm: %d sent, %d verified", (sent, verified) => {
    const minutes = windowOf(T0, (ago) => ({
      "country IN": ago === 0 ? {} : { sent: sent / 15, verified: verified / 15 },
    }));
    expect(find("conversion_collapse", { minutes, history: WEEK })).toEqual([]);
  });

  test("a destination with too little history is not judged by it, and a country without any never is", () => {
    const minutes = burst(["country IN", "country BR"], { sent: 25, verified: 0 });
    const young = historyOf({
      [OVERALL_TALLY_KEY]: { sent: 4000, verified: 2800 },
      "country IN": { sent: 49, verified: 30 },
    });
    expect(find("conversion_collapse", { minutes, history: young })).toEqual([]);
  });
});

describe("a range nobody ever answered from", () => {
  test.each([
    [25, 0, true],
    [25, 1, false],
    [11, 0, false],
  ])("with %d messages and %d answers is shut: %s", (sent, verified, shut) => {
    const minutes = ripe({ "block +4479110": { sent, verified }, [OVERALL_TALLY_KEY]: { sent, verified } });
    expect(find("conversion_collapse", { minutes, history: WEEK })).toMatchObject(
      shut ? [{ subject: "block +4479110", severity: "elevated", block: true }] : [],
    );
  });

  test("is shut when a few answered long before, too", () => {
    const history = historyOf({ ...WEEK.subjects, "block +4479110": { sent: 6, verified: 4 } });
    const minutes = ripe({ "block +4479110": { sent: 25 } });
    expect(find("conversion_collapse", { minutes, history })).toHaveLength(1);
  });

  test("is shut for a drip over days too, which worries nobody else", () => {
    const history = historyOf({ ...WEEK.subjects, "block +91987654": { sent: 20, verified: 0 } });
    const minutes = ripe({ "block +91987654": { sent: 2, verified: 0 } });
    expect(find("conversion_collapse", { minutes, history })).toMatchObject([
      { severity: "notice", block: true },
    ]);
    expect(find("conversion_collapse", { minutes, history: WEEK })).toEqual([]);
  });
});

describe("turned away", () => {
  const turned = (turned_away: number, counts: Counts = {}) =>
    ripe({ [OVERALL_TALLY_KEY]: { turned_away, ...counts } });
  test.each([
    ["few", turned(59), null],
    ["many", turned(60), "elevated"],
    ["many while hardly anybody answers", turned(60, { sent: 6, verified: 1 }), "emergency"],
    ["very many", turned(600), "emergency"],
    ["very many of an honest rush", turned(600, { sent: 100, verified: 70 }), "elevated"],
  ])("%s asks for %s", (_, minutes, severity) => {
    expect(find("turned_away", { minutes })[0]?.severity ?? null).toBe(severity);
  });

  test("with a destination that collapsed at the same time is an emergency", () => {
    const minutes = ripe({
      [OVERALL_TALLY_KEY]: { turned_away: 70, sent: 60, verified: 30 },
      "country IN": { sent: 25, verified: 0 },
    });
    expect(find("turned_away", { minutes, history: WEEK })[0]?.severity).toBe("emergency");
  });

  test("as many as usual for so many messages, or at this time of day, are no sign", () => {
    const busy = historyOf({ [OVERALL_TALLY_KEY]: { sent: 4000, verified: 2800, turned_away: 1000 } });
    const minutes = turned(200, { sent: 300, verified: 210 });
    expect(find("turned_away", { minutes })).toHaveLength(1);
    expect(find("turned_away", { minutes, history: busy })).toEqual([]);
    const sameTime = daysOf(() => ({ turned_away: 60 }));
    expect(find("turned_away", { minutes, sameTime, history: WEEK })).toEqual([]);
  });
});

const daysOf = (counts: (day: number) => Counts) =>
  [1, 2, 3, 4, 5, 6, 7].flatMap((day) =>
    [-1, 0].map((more) => ({
      quarter: QUARTER - 96 * day + more,
      tally: new Map([[OVERALL_TALLY_KEY, counts(day)]]),
    })),
  );

describe("volume", () => {
  const sent = (count: number) =>
    ripe({ [OVERALL_TALLY_KEY]: { sent: count, verified: Math.round(count * 0.7) } });
  test.each([
    [250, () => 100, true],
    [190, () => 100, false],
    // Days that differ so much among themselves bear more.
    [250, (day: number) => (day % 2 ? 20 : 180), false],
    [59, () => 5, false],
  ])("%d messages are remarked: %#", (count, usually, remarked) => {
    const sameTime = daysOf((day) => ({ sent: usually(day) }));
    const findings = find("volume_high", { minutes: sent(count), sameTime, history: WEEK });
    expect(findings.map(({ severity }) => severity)).toEqual(remarked ? ["notice"] : []);
  });

  test("nothing is remarked before two days are known; a known day without traffic is a day", () => {
    const at = (ageMs: number) => ({ ...WEEK, sinceMs: T0 - ageMs });
    const sameTime = daysOf(() => ({ sent: 20 })).filter(({ quarter }) => QUARTER - quarter < 100);
    const minutes = sent(200);
    expect(find("volume_high", { minutes, sameTime, history: at(DAY_MS) })).toEqual([]);
    const [finding] = find("volume_high", { minutes, sameTime, history: at(2 * DAY_MS) });
    expect(finding?.evidence).toMatchObject({ usual_sent: 10, days: 2 });
  });
});

test("a country or range in no memory is told after the first day, the busiest five", () => {
  const fresh = Object.fromEntries(
    Array.from({ length: 9 }, (_, i) => [`prefix +4479${i}`, { sent: 1 + i, verified: i }]),
  );
  const minutes = ripe({
    ...fresh,
    "country IN": { sent: 5, verified: 4 },
    "country GB": { sent: 9, verified: 7 },
  });
  expect(find("new_destination", { minutes, history: WEEK }).map(({ subject }) => subject)).toEqual([
    "country GB",
    "prefix +44798",
    "prefix +44797",
    "prefix +44796",
    "prefix +44795",
    "prefix +44794",
  ]);
  expect(find("new_destination", { minutes, history: { ...WEEK, sinceMs: T0 - DAY_MS + 1 } })).toEqual([]);
});

describe("sources", () => {
  test("an address with as many numbers as no household is shut", () => {
    const minutes = ripe({ "address abc": { sent: 9, numbers: 8 }, "address def": { sent: 9, numbers: 7 } });
    expect(find("many_numbers", { minutes })).toMatchObject([
      { subject: "address abc", severity: "notice", block: true },
    ]);
  });

  test.each([
    [120, 60, 42, false],
    [120, 60, 10, true],
    [99, 60, 10, false],
    [120, 30, 0, false],
  ])(
    "a network with %d numbers, %d messages and %d answers is meant: %s",
    (numbers, sent, verified, meant) => {
      const minutes = ripe({ "network AS7": { numbers, sent, verified } });
      expect(find("many_numbers", { minutes })).toHaveLength(meant ? 1 : 0);
    },
  );
});

describe("dense numbers", () => {
  const block = (sent: number, verified: number, densest: number) =>
    ripe({
      "block +91987654": { sent, verified },
      "hundred +9198765432": { sent: densest },
      ...Object.fromEntries(
        Array.from({ length: sent - densest }, (_, i) => [`hundred +91987654${40 + i}`, { sent: 1 }]),
      ),
      "hundred +9144444432": { sent: 50 },
    });
  test.each([
    [9, 0, 9, true],
    // One person who asks again and again, and a second one.
    [5, 0, 5, false],
    [6, 1, 4, false],
    [20, 0, 4, false],
    [40, 0, 12, true],
    // A company that enrols its people.
    [12, 8, 12, false],
  ])(
    "%d messages, %d answers and %d of them to one hundred shut the block: %s",
    (sent, verified, densest, shut) => {
      expect(find("dense_numbers", { minutes: block(sent, verified, densest) })).toMatchObject(
        shut ? [{ subject: "block +91987654", severity: "notice", block: true }] : [],
      );
    },
  );

  test("numbers drawn from all of a block hardly ever look dense", () => {
    const random = seededRandom("dense");
    let alarms = 0;
    for (let round = 0; round < 2000; round++) {
      const hundreds: Record<string, Counts> = {};
      for (let i = 0; i < 30; i++) {
        const key = `hundred +91987654${String(random.int(100)).padStart(2, "0")}`;
        hundreds[key] = { sent: (hundreds[key]?.sent ?? 0) + 1 };
      }
      alarms += find("dense_numbers", {
        minutes: ripe({ "block +91987654": { sent: 30 }, ...hundreds }),
      }).length;
    }
    expect(alarms).toBe(0);
  });
});

describe("money", () => {
  test.each([
    [100, 5, []],
    [2_500_000, 1_000_000, ["day"]],
    [2_300_000, 299_000, []],
    [2_300_000, 301_000, ["hour"]],
  ])(
    "a day of %d and an hour of %d against a plan of 2.4 units tells of %j",
    (dayMicros, hourMicros, periods) => {
      const findings = find("spend_over_plan", {
        spent: { dayMicros, hourMicros },
        planDayMicros: 2_400_000,
      });
      expect(findings.map(({ evidence }) => evidence.period)).toEqual(periods);
      expect(find("spend_over_plan", { spent: { dayMicros, hourMicros }, planDayMicros: null })).toEqual([]);
    },
  );

  /** Sixteen quarters now and sixteen before. */
  const lately = (now: Counts, before: Counts) =>
    Array.from({ length: 32 }, (_, i) => ({
      quarter: QUARTER - 33 + i,
      tally: new Map([[OVERALL_TALLY_KEY, i < 16 ? before : now]]),
    }));
  test.each([
    ["twice the spend and the same outcomes", { micros: 200, "outcome:signup": 10 }, 1],
    ["twice the spend and twice the outcomes", { micros: 200, "outcome:signup": 20 }, 0],
    ["twice the spend and nearly as many outcomes", { micros: 200, "outcome:signup": 16 }, 0],
    ["the same spend and half the outcomes", { micros: 100, "outcome:signup": 5 }, 0],
    ["outcomes of another kind", { micros: 200, "outcome:payment": 20 }, 0],
  ])("%s: %#", (_, now, findings) => {
    const before = { micros: 100, "outcome:signup": 10 };
    expect(find("spend_without_outcomes", { lately: lately(now, before) })).toHaveLength(findings);
  });

  test("where few or no outcomes are reported, nothing is concluded", () => {
    const few = lately({ micros: 900, "outcome:signup": 0 }, { micros: 100, "outcome:signup": 3 });
    expect(find("spend_without_outcomes", { lately: few })).toEqual([]);
    expect(find("spend_without_outcomes", { lately: [] })).toEqual([]);
    expect(find("spend_without_outcomes", { lately: lately({ micros: 900 }, { micros: 100 }) })).toEqual([]);
  });

  test.each([
    [20, 0, 20, true],
    [0, 20, 0, true],
    [60, 40, 0, true],
    [100, 0, 29, false],
    [20, 0, 6, false],
    [10, 0, 10, false],
  ])(
    "a provider with %d sent, %d rejected and %d undelivered is failing: %s",
    (sent, rejected, undelivered, failing) => {
      const minutes = ripe({ "provider sandbox": { sent, rejected, undelivered } });
      expect(find("delivery_failing", { minutes })).toHaveLength(failing ? 1 : 0);
    },
  );
});

describe("the watch itself", () => {
  const memory = { ...initialMonitorMemory(T0), lastRunMs: T0 };
  test("is late after five minutes, and tells what failed in its last run", () => {
    expect(detectLateRun(null, T0, POLICY)).toBeNull();
    expect(detectLateRun(memory, T0 + 4 * MINUTE, POLICY)).toBeNull();
    expect(detectLateRun(memory, T0 + 5 * MINUTE, POLICY)).toMatchObject({
      kind: "watch_late",
      severity: "notice",
    });
    const failed = { ...memory, lastFailure: "kv refused" };
    expect(detectLateRun(failed, T0 + MINUTE, POLICY)?.says).toContain("kv refused");
  });
});

test("whatever is counted, the watch finds something or nothing and never breaks", () => {
  const counts = fc.record(
    {
      sent: fc.nat(500),
      verified: fc.nat(500),
      micros: fc.nat(),
      rejected: fc.nat(50),
      undelivered: fc.nat(50),
      turned_away: fc.nat(500),
      numbers: fc.nat(500),
    },
    { requiredKeys: [] },
  );
  const keys = [
    OVERALL_TALLY_KEY,
    "country IN",
    "prefix +91987",
    "block +91987654",
    "hundred +9198765432",
    "network AS1",
    "block *",
  ];
  const tally = fc.dictionary(
    fc.constantFrom(...keys, "address abc", "provider sandbox", "flow signup"),
    counts,
  );
  fc.assert(
    fc.property(fc.array(tally, { minLength: 15, maxLength: 15 }), fc.boolean(), (minutes, known) => {
      const over = { minutes: windowOf(T0, (ago) => minutes[ago] ?? {}), history: known ? WEEK : null };
      for (const finding of detectFindingsFromReadings(watched(over), POLICY)) {
        expect(finding.subject).not.toContain("*");
        expect(finding.says).not.toMatch(/NaN|undefined|Infinity/);
        expect(Object.values(finding.evidence)).not.toContain(Number.NaN);
      }
    }),
    { numRuns: 100 },
  );
});

test("messages that a rule in record-only mode would have stopped are found under nothing of their own", () => {
  const silent = { sent: 400, verified: 0, micros: 4e9, met: 400, "would:challenge": 400 };
  const rule = { "rule hosting_network/signup": silent };
  for (const rest of [{}, { [OVERALL_TALLY_KEY]: { sent: 400 }, "prefix +2348012": { sent: 400 } }]) {
    const found = (subjects: Record<string, Counts>) =>
      detectFindingsFromReadings(watched({ minutes: ripe(subjects), history: WEEK }), POLICY);
    expect(found({ ...rest, ...rule })).toEqual(found(rest));
  }
});
