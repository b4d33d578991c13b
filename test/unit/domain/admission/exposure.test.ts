import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  type BudgetPool,
  budgetOf,
  costWeight,
  discountSamePerson,
  hasRoom,
  type Level,
  type LevelReading,
  type LevelReadings,
  raiseAllByHistory,
  UNIT_HUNDREDTHS,
} from "../../../../src/domain/admission/exposure.ts";
import { type ExposureSubjects, exposureLevels } from "../../../../src/domain/admission/levels.ts";
import { type Reservation, reservationFor } from "../../../../src/domain/admission/reservation.ts";
import { policySchema } from "../../../../src/domain/policy.ts";
import { attemptCode } from "../../../../src/domain/session/attempt.ts";
import { openSession } from "../../../../src/domain/session/session.ts";
import { memoryBudgets } from "../../../../src/memory/memory-budgets.ts";

const POLICY = policySchema.shape.exposure.parse({});
const SLOW_START = { start: POLICY.slow_start.start * UNIT_HUNDREDTHS, factor: POLICY.slow_start.factor };
const T0 = 1_800_000_000_000;
const DAY_MS = POLICY.window_seconds * 1000;

const subjects = (more: Partial<ExposureSubjects> = {}): ExposureSubjects => ({
  phone: { e164: "+919876543210", country: "IN", type: "mobile", block: "+91987654", prefix: "+91987" },
  numberTag: "number1",
  addressTag: "address1",
  asn: 55_836,
  ownDevice: null,
  costMicros: 3_000,
  ...more,
});

/** A stranger to one of four blocks in two countries, from one of three addresses in two networks. */
function stranger(block: number, address: number): ExposureSubjects {
  const [country, code] = block < 2 ? ["IN", "+91987"] : ["SG", "+6581"];
  const e164 = `${code}${block}543210`;
  return subjects({
    phone: { e164, country, type: "mobile", block: e164.slice(0, -4), prefix: e164.slice(0, -7) },
    addressTag: `address${address}`,
    asn: 100 + (address % 2),
  });
}

let holds = 0;
const holdOf = (
  levels: ReturnType<typeof exposureLevels>,
  pool: BudgetPool,
  weight: number,
  atMs: number,
): Reservation => ({
  id: `hold${holds++}`,
  atMs,
  weight,
  taken: levels[pool].map(({ key, windowSeconds }) => ({ key, windowSeconds })),
  earns: [],
  meters: [],
});

type Step =
  | { kind: "send"; block: number; address: number; pool: BudgetPool; weight: number }
  | { kind: "verify" | "release"; which: number }
  | { kind: "wait"; seconds: number };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant("send" as const),
      block: fc.nat(3),
      address: fc.nat(2),
      pool: fc.constantFrom<BudgetPool>("stranger", "stranger", "challenged", "returned", "proven", "known"),
      weight: fc.integer({ min: UNIT_HUNDREDTHS, max: POLICY.max_weight * UNIT_HUNDREDTHS }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant("verify" as const), which: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("release" as const), which: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("wait" as const), seconds: fc.nat(20_000) }) },
);
const traffic = fc.array(step, { minLength: 20, maxLength: 120 });

/** Plays traffic against the budgets, and shows every step with the readings before and after it. */
async function play(
  steps: readonly Step[],
  look: (seen: {
    step: Step;
    granted: boolean;
    hold: Reservation | null;
    before: LevelReading[];
    after: LevelReading[];
    nowMs: number;
  }) => void,
) {
  let nowMs = T0;
  const budgets = memoryBudgets(() => nowMs);
  const out: Reservation[] = [];
  const seen = new Map<string, Level>();
  const readAll = () => budgets.readings([...seen.values()]);
  for (const one of steps) {
    if (one.kind === "send") {
      const levels = exposureLevels(stranger(one.block, one.address), POLICY);
      for (const level of levels[one.pool]) seen.set(level.key, level);
      const before = readAll();
      const hold = holdOf(levels, one.pool, one.weight, nowMs);
      const answer = await budgets.reserve({
        levels: levels[one.pool],
        reservation: hold,
        slowStart: SLOW_START,
      });
      const granted = answer.kind === "granted";
      if (granted) out.push(hold);
      look({ step: one, granted, hold, before, after: readAll(), nowMs });
      continue;
    }
    const before = readAll();
    let hold: Reservation | null = null;
    if (one.kind === "wait") nowMs += one.seconds * 1000;
    else hold = out.splice(one.which % Math.max(1, out.length), 1)[0] ?? null;
    if (hold && one.kind === "verify") await budgets.credit(hold);
    if (hold && one.kind === "release") await budgets.release(hold);
    look({ step: one, granted: false, hold, before, after: readAll(), nowMs });
  }
}

const byKey = (readings: readonly LevelReading[]) =>
  new Map(readings.map((reading) => [reading.level.key, reading]));
const amounts = ({ unverified, verified, messages, earned }: LevelReading) => ({
  unverified,
  verified,
  messages,
  earned,
});

describe("whatever the traffic", () => {
  test("a granted message leaves no level with more out than its base and what it earned", async () => {
    await fc.assert(
      fc.asyncProperty(traffic, (steps) =>
        play(steps, ({ granted, hold, after }) => {
          if (!granted) return;
          const readings = byKey(after);
          for (const { key } of hold?.taken ?? []) {
            const reading = readings.get(key) as LevelReading;
            const { base, rule, maxMessages } = reading.level;
            expect(reading.unverified).toBeLessThanOrEqual(base + rule.gain * reading.verified);
            expect(reading.unverified).toBeLessThanOrEqual(budgetOf(reading, POLICY));
            expect(reading.messages).toBeLessThanOrEqual(maxMessages ?? Number.POSITIVE_INFINITY);
          }
        }),
      ),
    );
  });

  test("nor does any level ever have more out than its base and what two windows earned", async () => {
    await fc.assert(
      fc.asyncProperty(traffic, async (steps) => {
        const earned: { key: string; atMs: number; weight: number }[] = [];
        await play(steps, ({ step: { kind }, hold, after, nowMs }) => {
          if (kind === "verify" && hold) {
            for (const { key } of hold.taken) earned.push({ key, atMs: nowMs, weight: hold.weight });
          }
          for (const { level, unverified } of after) {
            const since = nowMs - 2 * level.windowSeconds * 1000;
            const verified = earned
              .filter(({ key, atMs }) => key === level.key && atMs >= since)
              .reduce((sum, { weight }) => sum + weight, 0);
            expect(unverified).toBeLessThanOrEqual(level.base + level.rule.gain * verified);
          }
        });
      }),
    );
  });

  test("a refused reservation changes no level", async () => {
    await fc.assert(
      fc.asyncProperty(traffic, (steps) =>
        play(steps, ({ step: { kind }, granted, before, after }) => {
          if (kind !== "send" || granted) return;
          expect(after.map(amounts)).toEqual(before.map(amounts));
        }),
      ),
    );
  });

  test("a verification frees at most what its message took, and nothing goes below zero", async () => {
    await fc.assert(
      fc.asyncProperty(traffic, (steps) =>
        play(steps, ({ step: { kind }, hold, before, after }) => {
          if (kind !== "verify" && kind !== "release") return;
          const old = byKey(before);
          const taken = new Set(hold?.taken.map(({ key }) => key));
          for (const reading of after) {
            const { key } = reading.level;
            const freed = (old.get(key)?.unverified ?? 0) - reading.unverified;
            const gained = reading.verified - (old.get(key)?.verified ?? 0);
            expect([0, taken.has(key) ? hold?.weight : 0]).toContain(freed);
            expect(gained).toBe(kind === "verify" && taken.has(key) ? hold?.weight : 0);
            expect(reading.unverified).toBeGreaterThanOrEqual(0);
          }
        }),
      ),
    );
  });

  test("room at most doubles from slot to slot, however much is verified at once", () => {
    const level = exposureLevels(subjects(), POLICY).stranger.find(({ name }) => name === "country") as Level;
    fc.assert(
      fc.property(fc.nat(1_000_000), fc.nat(1_000_000), (earlier, now) => {
        const verified = earlier + now;
        const reading = {
          ...readingOf(level),
          verified,
          verifiedEarlier: earlier,
        };
        const { start, factor } = POLICY.slow_start;
        const most = level.base + level.rule.gain * (start * UNIT_HUNDREDTHS + factor * earlier);
        expect(budgetOf(reading, POLICY)).toBeLessThanOrEqual(most);
        expect(budgetOf(reading, POLICY)).toBeLessThanOrEqual(level.base + level.rule.gain * verified);
      }),
    );
  });
});

const readingOf = (level: Level, more: Partial<LevelReading> = {}): LevelReading => ({
  level,
  unverified: 0,
  verified: 0,
  verifiedEarlier: 0,
  messages: 0,
  earned: 0,
  past: { unverified: 0, verified: 0 },
  ...more,
});

test("a code verifies once, so that its message gives back once", () => {
  const rules = policySchema.shape;
  const session = {
    code: rules.code.parse({}),
    attempts: rules.attempts.parse({}),
    resend: rules.resend.parse({}),
    delivery: rules.delivery.parse({ providers: ["sandbox"] }),
  };
  const hold = holdOf(exposureLevels(subjects(), POLICY), "stranger", UNIT_HUNDREDTHS, T0);
  const code = { digest: "right", sealed: "sealed" };
  const opened = openSession(
    { correlationId: "c", channel: "sms", code, hold, asn: null, landline: false },
    session,
    T0,
  );
  const first = attemptCode(opened, "right", session, T0 + 1000);
  expect(first.result).toMatchObject({ kind: "verified", hold, otherHolds: [] });
  expect(attemptCode(first.state, "right", session, T0 + 2000).result).not.toHaveProperty("hold");
});

test("a message that never left leaves every level as it was", async () => {
  const budgets = memoryBudgets(() => T0);
  const levels = exposureLevels(subjects(), POLICY);
  const hold = holdOf(levels, "stranger", UNIT_HUNDREDTHS, T0);
  const before = budgets.readings(levels.stranger).map(amounts);
  await budgets.reserve({ levels: levels.stranger, reservation: hold, slowStart: SLOW_START });
  expect(budgets.readings(levels.stranger).map(amounts)).not.toEqual(before);
  await budgets.release(hold);
  expect(budgets.readings(levels.stranger).map(amounts)).toEqual(before);
});

test("what is out is forgotten when its window has passed", async () => {
  let nowMs = T0;
  const budgets = memoryBudgets(() => nowMs);
  const levels = exposureLevels(subjects(), POLICY).stranger;
  const send = () =>
    budgets.reserve({
      levels,
      reservation: holdOf(exposureLevels(subjects(), POLICY), "stranger", UNIT_HUNDREDTHS, nowMs),
      slowStart: SLOW_START,
    });
  const kinds: string[] = [];
  for (let i = 0; i < POLICY.block.base + 1; i++) kinds.push((await send()).kind);
  expect(kinds).toEqual(["granted", "granted", "granted", "exhausted"]);
  nowMs += DAY_MS;
  expect((await send()).kind).toBe("granted");
});

test("a cap that is reached refuses the message before any level takes it", async () => {
  const budgets = memoryBudgets(() => T0);
  const levels = exposureLevels(subjects(), POLICY);
  const meters = [{ scope: "all", period: "day" as const, amount: 60, cap: 100, lifted: false }];
  const reserve = () =>
    budgets.reserve({
      levels: levels.stranger,
      reservation: { ...holdOf(levels, "stranger", UNIT_HUNDREDTHS, T0), meters },
      slowStart: SLOW_START,
    });
  expect((await reserve()).kind).toBe("granted");
  const before = budgets.readings(levels.stranger).map(amounts);
  expect((await reserve()).kind).toBe("capped");
  expect(budgets.readings(levels.stranger).map(amounts)).toEqual(before);
});

test("a block takes so many messages in its window and no more, though every one is verified", () => {
  const [block] = exposureLevels(subjects(), POLICY).stranger as [Level];
  const verified = 1000 * UNIT_HUNDREDTHS;
  const room = (messages: number) =>
    hasRoom(readingOf(block, { verified, verifiedEarlier: verified, messages }), POLICY);
  expect(room(POLICY.block_density - 1)).toBe(true);
  expect(room(POLICY.block_density)).toBe(false);
});

test.each([
  ["cheaper than the reference", 3_000, 1],
  ["the reference", 60_000, 1],
  ["half as dear again", 90_000, 1.5],
  ["as dear as counts", 150_000, 2.5],
  ["dearer than counts", 300_000, 2.5],
  ["free", 0, 1],
])("a message %s weighs accordingly", (_, costMicros, units) => {
  expect(costWeight(costMicros, POLICY)).toBe(units * UNIT_HUNDREDTHS);
});

test.each([
  ["nothing", 0, 0],
  ["almost a unit's worth", 19, 0],
  ["a unit's worth", 20, 1],
  ["a good deal", 199, 9],
  ["as much as counts", 200, 10],
  ["more than counts", 5000, 10],
])("a country that verified %s ever has that much more room", (_, earned, more) => {
  const levels = exposureLevels(subjects(), POLICY);
  const readings = Object.fromEntries(
    Object.entries(levels).map(([drawn, list]) => [drawn, list.map((level) => readingOf(level, { earned }))]),
  ) as LevelReadings;
  const raised = (drawn: keyof LevelReadings) =>
    raiseAllByHistory(readings, POLICY)[drawn].map(({ level }, i) => [
      level.name,
      (level.base - (levels[drawn][i]?.base ?? 0)) / UNIT_HUNDREDTHS,
    ]);
  expect(raised("stranger")).toEqual([
    ["block", 0],
    ["prefix", more],
    ["country", more],
    ["network", more],
    ["address", more],
    ["overall", 0],
  ]);
  expect(raised("suspicious")).toEqual([
    ["odd", 0],
    ["odd_country", more],
  ]);
  for (const purse of ["challenged", "returned", "named", "known"] as const) {
    expect(raised(purse).map(([, units]) => units)).not.toContain(more || 1);
  }
});

test("no level's name holds a number's last four digits or an address", () => {
  const keys = Object.values(exposureLevels(subjects(), POLICY)).flatMap((list) =>
    list.map(({ key }) => key),
  );
  expect(keys.join(" ")).not.toContain("3210");
  // A range, an address, a range behind a challenge and the day of both such pools are read for two pools each.
  expect(new Set(keys).size).toBe(keys.length - 4);
});

test("whatever pools open, a range gets five people whose messages nobody answers, and one number four messages", async () => {
  const budgets = memoryBudgets(() => T0);
  let ids = 0;
  const reserve = async (
    levels: readonly Level[],
    pool: BudgetPool,
    all: ReturnType<typeof exposureLevels>,
  ) => {
    const hold = reservationFor({
      pool,
      drawn: levels,
      levels: all,
      id: `${ids++}`,
      atMs: T0,
      meters: [],
      number: { known: false, fresh: true },
    });
    return (await budgets.reserve({ levels, reservation: hold, slowStart: SLOW_START })).kind === "granted";
  };
  const tryAll = async (
    pools: readonly BudgetPool[],
    levelsOfTry: (nth: number) => ReturnType<typeof exposureLevels>,
  ) => {
    let left = 0;
    for (let i = 0; i < 40; i++) {
      const pool = pools[i % pools.length] as BudgetPool;
      const all = levelsOfTry(i);
      if (await reserve([...all[pool], ...all.person], pool, all)) left++;
    }
    return left;
  };
  const strangers = ["stranger", "proven", "challenged", "returned"] as const;
  expect(await tryAll(strangers, (i) => exposureLevels(subjects({ numberTag: `number${i}` }), POLICY))).toBe(
    5,
  );
  const samePerson = (): ReturnType<typeof exposureLevels> => {
    const levels = exposureLevels(subjects({ numberTag: "victim" }), POLICY);
    const readings = Object.fromEntries(
      Object.entries(levels).map(([group, list]) => [
        group,
        list.map((level) => readingOf(level, level.name === "number" ? { unverified: 1 } : {})),
      ]),
    ) as LevelReadings;
    const counted = discountSamePerson(readings);
    return Object.fromEntries(
      Object.entries(counted).map(([group, list]) => [group, list.map(({ level }) => level)]),
    ) as ReturnType<typeof exposureLevels>;
  };
  expect(await tryAll(["named", "challenged", "returned"], samePerson)).toBe(POLICY.known.number.base);
});

test("a network that is not known is not counted, and an owner's own device spares the number", () => {
  const names = (more: Partial<ExposureSubjects>, pool: BudgetPool) =>
    exposureLevels(subjects(more), POLICY)[pool].map(({ name }) => name);
  expect(names({ asn: null }, "stranger")).toEqual(["block", "prefix", "country", "address", "overall"]);
  expect(names({}, "named")).toEqual(["block", "country", "overall"]);
  expect(names({}, "known")).toEqual([]);
  expect(names({ ownDevice: "device1" }, "known")).toEqual(["device", "block", "country", "overall"]);
});

test.each<[BudgetPool, number]>([
  ["stranger", 1],
  ["proven", 1],
  ["challenged", 1],
  ["returned", 1],
  ["named", 0],
  ["known", 0],
])("an address hears of a verification that the %s purse paid for this often: %i", (pool, times) => {
  const levels = exposureLevels(subjects({ ownDevice: pool === "known" ? "device1" : null }), POLICY);
  const known = pool === "named" || pool === "known";
  const hold = reservationFor({
    pool,
    drawn: levels[pool],
    levels,
    id: "hold",
    atMs: T0,
    meters: [],
    number: { known, fresh: !known },
  });
  expect(hold.taken.map(({ key }) => key)).toEqual(levels[pool].map(({ key }) => key));
  const hears = [...hold.taken, ...hold.earns].filter(({ key }) => key === "stranger:address:address1");
  expect(hears).toHaveLength(times);
});
