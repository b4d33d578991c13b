import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { beforeEach, describe, expect, test } from "vitest";
import { redisKeys } from "../../../src/adapters/redis-keys.ts";
import { type Level, UNIT_HUNDREDTHS, uncappedLevel } from "../../../src/domain/admission/exposure.ts";
import type { Reservation } from "../../../src/domain/admission/reservation.ts";
import type { SpendMeter } from "../../../src/domain/delivery/money.ts";
import { memoryStore } from "../../../src/memory/memory-store.ts";
import { type Budgets, budgetsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis, type UpstashWorld } from "../support/support-redis.ts";
import {
  DAY,
  DAY_SLOT_MS,
  HOUR,
  holdOf,
  levelOf,
  meterOf,
  NOON_MS,
  read,
  reserve,
  roomOf,
  totalsOf,
  units,
  unitsOf,
  waitAsLongAsItTakes,
} from "./support-budgets.ts";

let now = NOON_MS;
const clock = () => now;
beforeEach(() => {
  now = NOON_MS;
});

const GRANTED = { kind: "granted", meters: [] };

/**
 * What holds for exposure budgets wherever they are kept.
 *
 * @param open a port on the store of this test, as each isolate has one
 * @param pass lets time pass for the clock and for the store
 */
function keepsBudgets(open: () => Budgets, pass: (seconds: number) => Promise<void>): void {
  test("a level that nobody has drawn on reads as zero in everything", async () => {
    const level = levelOf(5);
    expect(await open().read([level], [])).toEqual({
      kind: "answered",
      readings: [
        {
          level,
          unverified: 0,
          verified: 0,
          verifiedEarlier: 0,
          messages: 0,
          earned: 0,
          past: { unverified: 0, verified: 0 },
        },
      ],
      totals: [],
    });
  });

  test("readings come in the order of their levels, and no levels have none", async () => {
    const budgets = open();
    const [some, none] = [levelOf(5), levelOf(5)];
    await reserve(budgets, [some], holdOf([some]));
    expect((await read(budgets, [none, some])).map(({ level, messages }) => [level, messages])).toEqual([
      [none, 0],
      [some, 1],
    ]);
    expect(await budgets.read([], [])).toEqual({ kind: "answered", readings: [], totals: [] });
  });

  test("totals come in the order of their meters, beside the readings, and of the present period", async () => {
    const budgets = open();
    const level = levelOf(5);
    const [day, minute, none] = [
      meterOf(100, { amount: 7 }),
      meterOf(100, { amount: 9, period: "minute" }),
      meterOf(100),
    ];
    const totals = async () => {
      const answer = await budgets.read([level], [none, minute, day]);
      expect(answer).toMatchObject({ kind: "answered", readings: [{ level, messages: 1 }] });
      return answer.kind === "answered" ? answer.totals : [];
    };
    await reserve(budgets, [level], holdOf([level], { meters: [day, minute] }));
    expect(await totals()).toEqual([0, 9, 7]);
    now += 60_000;
    expect(await totals()).toEqual([0, 0, 7]);
    expect(await totals(), "a look runs nothing on").toEqual([0, 0, 7]);
  });

  test("a reservation takes its weight and one message from every level", async () => {
    const budgets = open();
    const levels = [levelOf(5), levelOf(9)];
    expect(await reserve(budgets, levels, holdOf(levels, { weight: 2.5 * UNIT_HUNDREDTHS }))).toEqual(
      GRANTED,
    );
    expect(await reserve(budgets, levels, holdOf(levels))).toEqual(GRANTED);
    expect(await unitsOf(budgets, levels)).toEqual(Array(2).fill(units({ unverified: 3.5, messages: 2 })));
  });

  test.for([0, 1, 2])("a full level, the one at %i, is named, and nothing is taken anywhere", async (at) => {
    const budgets = open();
    const levels = [levelOf(5), levelOf(5), levelOf(5)].with(at, levelOf(0));
    const meter = meterOf(100);
    expect(await reserve(budgets, levels, holdOf(levels, { meters: [meter] }))).toEqual({
      kind: "exhausted",
      level: levels[at]?.key,
    });
    expect(await unitsOf(budgets, levels)).toEqual(Array(3).fill(units()));
    expect(await totalsOf(budgets, [meter])).toEqual([0]);
  });

  test.for([0, 1, 2])(
    "a capped meter, the one at %i, is named, and nothing is taken anywhere",
    async (at) => {
      const budgets = open();
      const levels = [levelOf(5), levelOf(5)];
      const capped = meterOf(99, { scope: "spend:IN", period: "hour", amount: 100 });
      const meters = [meterOf(100), meterOf(100), meterOf(100)].with(at, capped);
      expect(await reserve(budgets, levels, holdOf(levels, { meters }))).toEqual({
        kind: "capped",
        meter: capped,
      });
      expect(await unitsOf(budgets, levels)).toEqual([units(), units()]);
      expect(await totalsOf(budgets, meters)).toEqual([0, 0, 0]);
    },
  );

  test("meters answer with their totals, each by its amount, up to their caps exactly", async () => {
    const budgets = open();
    const meters = [meterOf(10, { amount: 5 }), meterOf(70_000_000, { amount: 30_000_000 })];
    const run = () => reserve(budgets, [], holdOf([], { meters }));
    expect(await run()).toMatchObject({ meters: [{ meter: meters[0], total: 5 }, { total: 30_000_000 }] });
    expect(await run()).toMatchObject({ meters: [{ total: 10 }, { total: 60_000_000 }] });
    expect(await run()).toMatchObject({ kind: "capped" });
    expect(await totalsOf(budgets, meters)).toEqual([10, 60_000_000]);
  });

  test("a meter without a cap, as an operator lifts it, stops nothing", async () => {
    const budgets = open();
    const meter = meterOf(Number.MAX_SAFE_INTEGER, { amount: 50_000_000 });
    for (let i = 1; i <= 3; i++) {
      expect(await reserve(budgets, [], holdOf([], { meters: [meter] }))).toMatchObject({
        meters: [{ total: i * 50_000_000 }],
      });
    }
  });

  test("a lifted meter counts on past its cap, answers with its totals and refuses nothing", async () => {
    const budgets = open();
    const lifted = meterOf(10, { amount: 6, lifted: true });
    const beside = meterOf(100);
    for (let i = 1; i <= 3; i++) {
      expect(await reserve(budgets, [], holdOf([], { meters: [lifted, beside] }))).toEqual({
        kind: "granted",
        meters: [
          { meter: lifted, total: 6 * i },
          { meter: beside, total: i },
        ],
      });
    }
    expect(await budgets.read([], [lifted])).toMatchObject({ totals: [18] });
    const back = { ...lifted, lifted: false };
    expect(await reserve(budgets, [], holdOf([], { meters: [back] }))).toEqual({
      kind: "capped",
      meter: back,
    });
  });

  test("a lifted meter lifts no other", async () => {
    const budgets = open();
    const [lifted, capped] = [meterOf(0, { lifted: true }), meterOf(0)];
    expect(await reserve(budgets, [], holdOf([], { meters: [lifted, capped] }))).toEqual({
      kind: "capped",
      meter: capped,
    });
    expect(await totalsOf(budgets, [lifted, capped])).toEqual([0, 0]);
  });

  test.for([
    ["minute", 60_000 - 1],
    ["hour", HOUR * 1000 - 1],
    ["day", 12 * HOUR * 1000 - 1],
    ["month", (30 * DAY + 12 * HOUR) * 1000 - 1],
  ] as const)("a meter starts again with every %s of UTC", async ([period, restMs]) => {
    const budgets = open();
    const meters = [meterOf(1, { period })];
    const at = async (atMs: number) => (await reserve(budgets, [], holdOf([], { meters, atMs }))).kind;
    expect(await at(NOON_MS)).toBe("granted");
    expect(await at(NOON_MS + restMs)).toBe("capped");
    expect(await at(NOON_MS + restMs + 1)).toBe("granted");
  });

  test("500 reservations at once into room for 5 let exactly 5 out", async () => {
    waitAsLongAsItTakes();
    const ports = Array.from({ length: 10 }, open);
    const [wide, narrow] = [levelOf(1000), levelOf(5)];
    const meter = meterOf(1000);
    const answers = await Promise.all(
      Array.from({ length: 50 }, () => ports).flatMap((isolates) =>
        isolates.map((budgets) =>
          reserve(budgets, [wide, narrow], holdOf([wide, narrow], { meters: [meter] })),
        ),
      ),
    );
    const kinds = answers.map(({ kind }) => kind);
    expect(kinds.filter((kind) => kind === "granted")).toHaveLength(5);
    expect(kinds.filter((kind) => kind === "exhausted")).toHaveLength(495);
    const last = ports[0] as Budgets;
    expect(await unitsOf(last, [wide, narrow])).toEqual(Array(2).fill(units({ unverified: 5, messages: 5 })));
    expect(await totalsOf(last, [meter])).toEqual([5]);
  });

  test("500 reservations at once on a meter with room for 5 let exactly 5 out", async () => {
    waitAsLongAsItTakes();
    const budgets = open();
    const hold = holdOf([], { meters: [meterOf(14, { amount: 2 }), meterOf(5)] });
    const answers = await Promise.all(Array.from({ length: 500 }, () => reserve(budgets, [], hold)));
    const granted = answers.flatMap((answer) => (answer.kind === "granted" ? [answer.meters] : []));
    expect(granted.map(([, meter]) => meter?.total).sort()).toEqual([1, 2, 3, 4, 5]);
  });

  test("a meter pays up to its cap exactly, and nothing of a price that does not fit", async () => {
    const [one, other] = [open(), open()];
    const meter = meterOf(10, { amount: 4 });
    expect(await one.spend(meter)).toEqual({ kind: "granted", total: 4 });
    expect(await other.spend(meter)).toEqual({ kind: "granted", total: 8 });
    expect(await one.spend(meter)).toEqual({ kind: "capped" });
    expect(await one.spend({ ...meter, amount: 2 })).toEqual({ kind: "granted", total: 10 });
    expect(await totalsOf(other, [meter])).toEqual([10]);
    expect(await other.spend({ ...meter, lifted: true })).toEqual({ kind: "granted", total: 14 });
  });

  test("payments and reservations draw on one and the same meter", async () => {
    const budgets = open();
    const meter = meterOf(3);
    await budgets.spend(meter);
    await reserve(budgets, [], holdOf([], { meters: [meter] }));
    expect(await budgets.spend(meter)).toEqual({ kind: "granted", total: 3 });
    expect(await reserve(budgets, [], holdOf([], { meters: [meter] }))).toMatchObject({ kind: "capped" });
  });

  test("a meter pays again in its next period", async () => {
    const budgets = open();
    const meter = meterOf(1);
    expect([(await budgets.spend(meter)).kind, (await budgets.spend(meter)).kind]).toEqual([
      "granted",
      "capped",
    ]);
    now += 12 * HOUR * 1000;
    expect(await budgets.spend(meter)).toEqual({ kind: "granted", total: 1 });
  });

  test("of 100 payments at once from a meter with room for 5, exactly 5 are granted", async () => {
    waitAsLongAsItTakes();
    const meter = meterOf(10, { amount: 2 });
    const ports = Array.from({ length: 10 }, open);
    const answers = await Promise.all(
      Array.from({ length: 10 }, () => ports).flatMap((isolates) =>
        isolates.map((budgets) => budgets.spend(meter)),
      ),
    );
    expect(answers.filter(({ kind }) => kind === "granted")).toHaveLength(5);
  });

  test("a message that weighs more uses up the room sooner, and a lighter one may still fit", async () => {
    const budgets = open();
    const level = levelOf(5);
    const weighing = async (weight: number) =>
      (await reserve(budgets, [level], holdOf([level], { weight }))).kind;
    expect(await weighing(450)).toBe("granted");
    expect(await weighing(51)).toBe("exhausted");
    expect(await weighing(50)).toBe("granted");
    expect(await weighing(1)).toBe("exhausted");
  });

  test("room is the base and the gain for every verified unit", async () => {
    const budgets = open();
    const level = levelOf(2, { gain: 3 });
    const [first, second] = [holdOf([level]), holdOf([level])];
    expect(await reserve(budgets, [level], first)).toEqual(GRANTED);
    expect(await reserve(budgets, [level], second)).toEqual(GRANTED);
    expect(await roomOf(budgets, level)).toBe(0);
    await budgets.credit(first);
    expect(await roomOf(budgets, level)).toBe(4);
    await budgets.credit(second);
    expect(await roomOf(budgets, level)).toBe(4);
    expect(await unitsOf(budgets, [level])).toEqual([
      units({ unverified: 8, verified: 2, messages: 10, earned: 2 }),
    ]);
  });

  test("a gain that is no whole number is cut off at whole hundredths", async () => {
    const budgets = open();
    const level = levelOf(1, { gain: 0.333 });
    const hold = holdOf([level]);
    await reserve(budgets, [level], hold);
    await budgets.credit(hold);
    const weighing = async (weight: number) =>
      (await reserve(budgets, [level], holdOf([level], { weight }))).kind;
    expect(await weighing(134)).toBe("exhausted");
    expect(await weighing(133)).toBe("granted");
  });

  test("what was verified in this slot counts up to the slow start, in the next one by its factor", async () => {
    const budgets = open();
    const level = levelOf(4, { gain: 1 });
    const slowStart = { start: UNIT_HUNDREDTHS, factor: 0.5 };
    for (let i = 0; i < 4; i++) {
      const hold = holdOf([level]);
      await reserve(budgets, [level], hold, slowStart);
      await budgets.credit(hold);
    }
    expect(await roomOf(budgets, level, NOON_MS, slowStart)).toBe(4 + 1);
    now += DAY_SLOT_MS;
    expect(await unitsOf(budgets, [level])).toMatchObject([{ verified: 4, verifiedEarlier: 4 }]);
    expect(await roomOf(budgets, level, now, slowStart)).toBe(4 + (1 + 0.5 * 4) - 5);
  });

  test("density stops what verifies, too", async () => {
    const budgets = open();
    const level = levelOf(100, { gain: 9, maxMessages: 3 });
    for (let i = 0; i < 3; i++) {
      const hold = holdOf([level]);
      expect(await reserve(budgets, [level], hold)).toEqual(GRANTED);
      await budgets.credit(hold);
    }
    const other = levelOf(1);
    expect(await reserve(budgets, [other, level], holdOf([other, level]))).toEqual({
      kind: "exhausted",
      level: level.key,
    });
    expect(await unitsOf(budgets, [other])).toEqual([units()]);
    const closed = levelOf(100, { maxMessages: 0 });
    expect(await reserve(budgets, [closed], holdOf([closed]))).toMatchObject({ kind: "exhausted" });
  });

  test("a level that only records takes what comes", async () => {
    const budgets = open();
    const level = uncappedLevel(levelOf(0, { gain: 2, maxMessages: 0 }));
    for (let i = 0; i < 3; i++) {
      const hold = holdOf([level]);
      expect(await reserve(budgets, [level], hold)).toEqual(GRANTED);
      await budgets.credit(hold);
    }
    expect(await unitsOf(budgets, [level])).toEqual([units({ verified: 3, messages: 3, earned: 3 })]);
  });

  test("a slot counts for the whole of its window and then falls out, all but what was earned", async () => {
    const budgets = open();
    const level = levelOf(2, { gain: 1, maxMessages: 2 });
    const hold = holdOf([level]);
    await reserve(budgets, [level], hold);
    await reserve(budgets, [level], hold);
    await budgets.credit(hold);
    now = NOON_MS + 12 * DAY_SLOT_MS - 1;
    expect(await unitsOf(budgets, [level])).toEqual([
      units({ unverified: 1, verified: 1, verifiedEarlier: 1, messages: 2, earned: 1 }),
    ]);
    expect(await roomOf(budgets, level, now)).toBe(0);
    now += 1;
    expect(await unitsOf(budgets, [level])).toEqual([units({ earned: 1 })]);
    expect(await roomOf(budgets, level, now)).toBe(2);
  });

  test("slots fall out one by one", async () => {
    const budgets = open();
    const level = levelOf(100);
    for (let slot = 0; slot < 12; slot++) {
      await reserve(budgets, [level], holdOf([level], { atMs: NOON_MS + slot * DAY_SLOT_MS }));
    }
    for (let slot = 12; slot < 25; slot++) {
      now = NOON_MS + slot * DAY_SLOT_MS;
      const left = Math.max(0, 23 - slot);
      expect(await unitsOf(budgets, [level])).toEqual([units({ unverified: left, messages: left })]);
    }
  });

  test("levels of one reservation keep windows of their own", async () => {
    const budgets = open();
    const [day, hour] = [levelOf(1), levelOf(1, { windowSeconds: HOUR })];
    await reserve(budgets, [day, hour], holdOf([day, hour]));
    now += HOUR * 1000;
    expect(await unitsOf(budgets, [day, hour])).toEqual([units({ unverified: 1, messages: 1 }), units()]);
    expect(await reserve(budgets, [day, hour], holdOf([day, hour], { atMs: now }))).toEqual({
      kind: "exhausted",
      level: day.key,
    });
  });

  test("a release gives back exactly what was taken", async () => {
    const budgets = open();
    const levels = [levelOf(5, { maxMessages: 2 }), levelOf(5, { windowSeconds: HOUR })];
    const meters = [meterOf(100, { amount: 7 }), meterOf(100, { amount: 9, period: "minute" })];
    const kept = holdOf(levels, { meters });
    const heavy = holdOf(levels, { meters, weight: 2.5 * UNIT_HUNDREDTHS, earns: [levelOf(5)] });
    await reserve(budgets, levels, kept);
    await reserve(budgets, levels, heavy);
    expect(await reserve(budgets, levels, kept)).toMatchObject({ kind: "exhausted" });
    await budgets.release(heavy);
    expect(await unitsOf(budgets, levels)).toEqual(Array(2).fill(units({ unverified: 1, messages: 1 })));
    expect(await totalsOf(budgets, meters)).toEqual([7, 9]);
    expect(await reserve(budgets, levels, kept)).toMatchObject({ kind: "granted" });
  });

  test("a release in a later slot gives back in the slot of the message", async () => {
    const budgets = open();
    const level = levelOf(5);
    const hold = holdOf([level]);
    await reserve(budgets, [level], hold);
    now += 11 * DAY_SLOT_MS;
    await reserve(budgets, [level], holdOf([level], { atMs: now }));
    await budgets.release(hold);
    expect(await unitsOf(budgets, [level])).toEqual([units({ unverified: 1, messages: 1 })]);
    now += DAY_SLOT_MS;
    expect(await unitsOf(budgets, [level])).toEqual([units({ unverified: 1, messages: 1 })]);
  });

  test("a release whose slot has passed gives nothing back, and its meter's period alone", async () => {
    const budgets = open();
    const [day, hour] = [levelOf(5), levelOf(5, { windowSeconds: HOUR })];
    const meters = [meterOf(100, { period: "hour" })];
    const hold = holdOf([day, hour], { meters });
    await reserve(budgets, [day, hour], hold);
    now += HOUR * 1000;
    await reserve(budgets, [day, hour], holdOf([day, hour], { meters, atMs: now }));
    await budgets.release(hold);
    expect(await unitsOf(budgets, [day, hour])).toEqual(Array(2).fill(units({ unverified: 1, messages: 1 })));
    expect(await totalsOf(budgets, meters, NOON_MS)).toEqual([0]);
    expect(await totalsOf(budgets, meters, now)).toEqual([1]);
  });

  test("a credit gives the units back and earns, also for levels that took nothing", async () => {
    const budgets = open();
    const [taken, earns, other] = [levelOf(5), levelOf(5), levelOf(5)];
    const meters = [meterOf(100)];
    const hold = holdOf([taken], { weight: 1.5 * UNIT_HUNDREDTHS, earns: [earns], meters });
    await reserve(budgets, [taken], hold);
    await reserve(budgets, [taken], hold);
    await budgets.credit(hold);
    expect(await unitsOf(budgets, [taken, earns, other])).toEqual([
      units({ unverified: 1.5, verified: 1.5, messages: 2, earned: 1 }),
      units({ verified: 1.5, earned: 1 }),
      units(),
    ]);
    expect(await totalsOf(budgets, meters)).toEqual([2]);
  });

  test("a credit gives back what the session's other messages took, and they earn nothing", async () => {
    const budgets = open();
    const [level, own] = [levelOf(9), levelOf(9)];
    const hold = holdOf([level]);
    const others = [holdOf([level, own], { weight: 137 }), holdOf([level])];
    await reserve(budgets, [level], hold);
    for (const other of others) await reserve(budgets, [level, own].slice(0, other.taken.length), other);
    await budgets.credit(hold, others);
    const credited = [units({ verified: 1, messages: 3, earned: 1 }), units({ messages: 1 })];
    expect(await unitsOf(budgets, [level, own])).toEqual(credited);
    await Promise.all([hold, ...others].map((held) => budgets.credit(held)));
    expect(await unitsOf(budgets, [level, own]), "and nothing later").toEqual(credited);
  });

  test("a credit of what was given back gives the others back, and earns nothing", async () => {
    const budgets = open();
    const level = levelOf(9);
    const [hold, other] = [holdOf([level]), holdOf([level])];
    for (const held of [hold, other]) await reserve(budgets, [level], held);
    await budgets.release(hold);
    await budgets.credit(hold, [other]);
    expect(await unitsOf(budgets, [level])).toEqual([units({ messages: 1 })]);
  });

  test("a credit in a later slot gives back where the message was and earns where it is", async () => {
    const budgets = open();
    const level = levelOf(5);
    const hold = holdOf([level]);
    await reserve(budgets, [level], hold);
    now += 11 * DAY_SLOT_MS;
    await budgets.credit(hold);
    const credited = units({ verified: 1, messages: 1, earned: 1 });
    expect(await unitsOf(budgets, [level])).toEqual([credited]);
    now += DAY_SLOT_MS;
    expect(await unitsOf(budgets, [level])).toEqual([{ ...credited, messages: 0, verifiedEarlier: 1 }]);
  });

  test("a credit after its slot has passed earns, and makes no number negative", async () => {
    const budgets = open();
    const [day, hour] = [levelOf(5), levelOf(5, { windowSeconds: HOUR })];
    const hold = holdOf([day, hour]);
    await reserve(budgets, [day, hour], hold);
    now += HOUR * 1000;
    await budgets.credit(hold);
    expect(await unitsOf(budgets, [day, hour])).toEqual([
      units({ verified: 1, messages: 1, earned: 1 }),
      units({ verified: 1, earned: 1 }),
    ]);
    expect(await roomOf(budgets, hour, now)).toBe(5);
  });

  test("what was earned is remembered for 30 days after the last verification", async () => {
    const budgets = open();
    const level = levelOf(5);
    for (let verified = 1; verified <= 2; verified++) {
      const hold = holdOf([level], { atMs: now });
      await reserve(budgets, [level], hold);
      await budgets.credit(hold);
      await pass(29 * DAY);
      expect(await unitsOf(budgets, [level])).toEqual([units({ earned: verified })]);
    }
    await pass(DAY);
    expect(await unitsOf(budgets, [level])).toEqual([units()]);
  });

  test("what was earned is forgotten after 30 days without a verification, though messages go on", async () => {
    const budgets = open();
    const level = levelOf(5);
    const hold = holdOf([level]);
    await reserve(budgets, [level], hold);
    await budgets.credit(hold);
    for (let day = 0; day < 31; day += 0.5) {
      await pass(DAY / 2);
      await reserve(budgets, [level], holdOf([level], { atMs: now }));
    }
    expect(await unitsOf(budgets, [level])).toEqual([units({ unverified: 2, messages: 2 })]);
  });

  test.for([
    ["release", "release", {}, 0],
    ["release", "credit", {}, 0],
    ["credit", "credit", { verified: 1, messages: 1, earned: 1 }, 7],
    ["credit", "release", { verified: 1, messages: 1, earned: 1 }, 7],
  ] as const)("a %s and then a %s of one message are one", async ([first, second, once, total]) => {
    const budgets = open();
    const [taken, earns] = [levelOf(5), levelOf(5)];
    const meter = meterOf(100, { amount: 7 });
    const make = () => holdOf([taken], { earns: [earns], meters: [meter] });
    const [kept, hold] = [make(), make()];
    await reserve(budgets, [taken], kept);
    await reserve(budgets, [taken], hold);
    for (const act of [first, second, second]) await budgets[act](hold);
    const { messages = 0, ...learned } = { messages: 0, ...once };
    expect(await unitsOf(budgets, [taken, earns])).toEqual([
      units({ ...learned, unverified: 1, messages: 1 + messages }),
      units(learned),
    ]);
    expect(await totalsOf(budgets, [meter])).toEqual([7 + total]);
    await budgets.release(kept);
    expect(await unitsOf(budgets, [taken]), "the other message's is still there to be given back").toEqual([
      units({ ...learned, messages }),
    ]);
    expect(await totalsOf(budgets, [meter])).toEqual([total]);
  });

  test.for(["release", "credit"] as const)(
    "a %s for a reservation that never ran does nothing, whatever is out beside it",
    async (act) => {
      const budgets = open();
      const [taken, earns] = [levelOf(5), levelOf(5)];
      const meters = [meterOf(100, { amount: 7 })];
      await reserve(budgets, [taken], holdOf([taken], { meters }));
      await budgets[act](holdOf([taken], { earns: [earns], meters }));
      expect(await unitsOf(budgets, [taken, earns])).toEqual([
        units({ unverified: 1, messages: 1 }),
        units(),
      ]);
      expect(await totalsOf(budgets, meters)).toEqual([7]);
    },
  );

  test.for(["release", "credit"] as const)(
    "a %s for a reservation that was refused does nothing",
    async (act) => {
      const budgets = open();
      const [level, full] = [levelOf(5), levelOf(0)];
      const [meter, capped] = [meterOf(100, { amount: 7 }), meterOf(0)];
      await reserve(budgets, [level], holdOf([level], { meters: [meter] }));
      const exhausted = holdOf([level, full], { meters: [meter] });
      const overspent = holdOf([level], { meters: [meter, capped] });
      expect(await reserve(budgets, [level, full], exhausted)).toMatchObject({ kind: "exhausted" });
      expect(await reserve(budgets, [level], overspent)).toMatchObject({ kind: "capped" });
      await budgets[act](exhausted);
      await budgets[act](overspent);
      expect(await unitsOf(budgets, [level, full])).toEqual([units({ unverified: 1, messages: 1 }), units()]);
      expect(await totalsOf(budgets, [meter, capped])).toEqual([7, 0]);
    },
  );

  test("a release that came before its reservation does not stop the next one", async () => {
    const budgets = open();
    const level = levelOf(5);
    const hold = holdOf([level]);
    await budgets.release(hold);
    await reserve(budgets, [level], hold);
    expect(await unitsOf(budgets, [level])).toEqual([units({ unverified: 1, messages: 1 })]);
    await budgets.release(hold);
    expect(await unitsOf(budgets, [level])).toEqual([units()]);
  });

  test("50 credits and releases of one message at once are one", async () => {
    const [budgets, other] = [open(), open()];
    const level = levelOf(50);
    const meter = meterOf(100);
    const [hold, ...kept] = Array.from({ length: 10 }, () => holdOf([level], { meters: [meter] }));
    for (const one of [hold as Reservation, ...kept]) await reserve(budgets, [level], one);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        (i % 4 < 2 ? budgets : other)[i % 2 ? "credit" : "release"](hold as Reservation),
      ),
    );
    const [reading] = await unitsOf(budgets, [level]);
    const [total] = await totalsOf(budgets, [meter]);
    const released = { ...units({ unverified: 9, messages: 9 }), total: 9 };
    const credited = { ...units({ unverified: 9, messages: 10, verified: 1, earned: 1 }), total: 10 };
    expect([released, credited]).toContainEqual({ ...reading, total });
  });

  test("50 credits and releases at once lose nothing", async () => {
    waitAsLongAsItTakes();
    const budgets = open();
    const level = levelOf(50);
    const holds = Array.from({ length: 50 }, () => holdOf([level]));
    await Promise.all(holds.map((hold) => reserve(budgets, [level], hold)));
    await Promise.all(holds.map((hold, i) => (i % 2 ? budgets.credit(hold) : budgets.release(hold))));
    expect(await unitsOf(budgets, [level])).toEqual([units({ verified: 25, messages: 25, earned: 25 })]);
  });
}

describe("budgets, in the lab's memory", () => {
  keepsBudgets(
    () => shared(() => budgetsOf(memoryStore(clock, 3600))),
    async (seconds) => {
      now += seconds * 1000;
    },
  );

  /** One store for all ports of one test, as isolates share one Redis. */
  let store: Budgets | null = null;
  beforeEach(() => {
    store = null;
  });
  function shared(make: () => Budgets): Budgets {
    store ??= make();
    return store;
  }
});

describeOnRedis("budgets", (upstash) => {
  const open = () => budgetsOf(storeOn(upstash().connect(), clock));

  keepsBudgets(open, async (seconds) => {
    now += seconds * 1000;
    const redis = upstash().connect();
    for (const [key, life] of Object.entries(await upstash().lives())) {
      await (life > seconds ? redis.expire(key, life - seconds) : redis.del(key));
    }
  });

  const tenLevels = () => Array.from({ length: 10 }, () => levelOf(5));
  const allMeters = () =>
    (["minute", "hour", "day", "month"] as const).map((period) => meterOf(100, { period }));

  test("a reading is one command, and a reservation is one, however many levels and meters there are", async () => {
    const budgets = open();
    const levels = tenLevels();
    await budgets.read(levels, allMeters());
    await reserve(budgets, levels, holdOf(levels, { meters: allMeters() }));
    const one = { requests: 1, commands: 1, byName: { evalsha: 1 } };
    upstash().countFromHere();
    await budgets.read(levels, allMeters());
    expect(upstash().service.stats).toEqual(one);
    upstash().countFromHere();
    await reserve(budgets, levels, holdOf(levels, { meters: allMeters() }));
    expect(upstash().service.stats).toEqual(one);
  });

  test("a release is one request and a credit is one, and so is a second one that learns that it is none", async () => {
    const budgets = open();
    const levels = tenLevels();
    const make = () => holdOf(levels, { meters: allMeters(), earns: [levelOf(5)] });
    const [released, credited] = [make(), make()];
    await reserve(budgets, levels, released);
    await reserve(budgets, levels, credited);
    await budgets.release(make());
    await budgets.credit(make());
    const requestsOf = async (act: "release" | "credit", hold: Reservation) => {
      upstash().countFromHere();
      await budgets[act](hold);
      return upstash().service.stats.requests;
    };
    expect(await requestsOf("release", released)).toBe(1);
    expect(await requestsOf("credit", credited)).toBe(1);
    expect(await requestsOf("release", released)).toBe(1);
    expect(await requestsOf("credit", credited)).toBe(1);
  });

  test("an open reservation goes with its release or credit, in any isolate", async () => {
    const level = levelOf(5);
    const holds = { release: holdOf([level]), credit: holdOf([level]), kept: holdOf([level]) };
    for (const hold of Object.values(holds)) await reserve(open(), [level], hold);
    const marks = async () =>
      Object.keys(await upstash().lives()).filter((key) => key.startsWith("tg:book:reservation:"));
    const keysOf = (list: Reservation[]) => list.map(({ id }) => `tg:book:reservation:${id}`).sort();
    expect((await marks()).sort()).toEqual(keysOf(Object.values(holds)));
    await open().release(holds.release);
    await open().credit(holds.credit);
    expect(await marks()).toEqual(keysOf([holds.kept]));
  });

  test.for(["release", "credit"] as const)(
    "a %s after the longest window of what was reserved does nothing",
    async (act) => {
      const budgets = open();
      const level = levelOf(5);
      const month = [meterOf(5, { period: "month" })];
      const hold = holdOf([level], { meters: month });
      await reserve(budgets, [level], hold);
      now += DAY * 1000;
      await budgets[act](hold);
      expect(await unitsOf(budgets, [level])).toEqual([units()]);
      expect(await totalsOf(budgets, month)).toEqual([1]);
    },
  );

  test("every key has an end: its window, a month once something verified, two periods of a meter", async () => {
    const budgets = open();
    const levels = [levelOf(5), levelOf(5, { windowSeconds: HOUR })];
    const [proven, earns] = [levelOf(5), levelOf(5)];
    const meters = allMeters();
    const unanswered = holdOf(levels, { meters });
    await reserve(budgets, levels, unanswered);
    const answered = holdOf([proven], { earns: [earns], meters });
    await reserve(budgets, [proven], answered);
    await budgets.credit(answered);
    await reserve(budgets, [proven], answered);
    await budgets.release(answered);
    const bookOf = ({ key }: Level) => `tg:book:${key.slice("stranger:".length)}`;
    const expected: Record<string, number> = {
      "tg:packed-since": 400 * DAY,
      [`tg:book:reservation:${unanswered.id}`]: DAY,
      ...Object.fromEntries(levels.map((level) => [bookOf(level), level.windowSeconds])),
      ...Object.fromEntries([proven, earns].map((level) => [bookOf(level), 30 * DAY])),
      // The meters of the month are the longest there.
      "tg:book:all": 62 * DAY,
      "tg:known:nobody": 180 * DAY,
    };
    const lives = await upstash().lives();
    expect(Object.keys(lives).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, seconds] of Object.entries(lives)) {
      expect(expected[key]).toBeGreaterThanOrEqual(seconds);
      expect(expected[key]).toBeLessThan(seconds + 10);
    }
  });

  test("keys name their level, and a meter its scope and period of UTC, as the table of keys says", async () => {
    const level = levelOf(5, { key: "stranger:block:+1201555" });
    const meters = (["minute", "hour", "day", "month"] as const).map((period) =>
      meterOf(9, { period, scope: "spend:all" }),
    );
    await reserve(open(), [level], holdOf([level], { id: "some-hold", meters }));
    expect(Object.keys(await upstash().lives()).sort()).toEqual([
      "tg:book:all",
      "tg:book:block:+1201555",
      "tg:book:reservation:some-hold",
      "tg:packed-since",
    ]);
    const redis = upstash().connect();
    const ends = (seconds: number) => NOON_MS / 1000 + seconds;
    const slot = NOON_MS / DAY_SLOT_MS;
    expect(await redis.get("tg:book:block:+1201555")).toBe(
      `L stranger:block ${ends(DAY)} 0 0 0 0 ${slot}/100/0/1`,
    );
    expect(String(await redis.get("tg:book:all")).split("\n")).toEqual([
      `M spend:all:2026-07-01T12:00 ${ends(120)} 1`,
      `M spend:all:2026-07-01T12 ${ends(2 * HOUR)} 1`,
      `M spend:all:2026-07-01 ${ends(2 * DAY)} 1`,
      `M spend:all:2026-07 ${ends(62 * DAY)} 1`,
    ]);
    expect(await redis.get("tg:book:reservation:some-hold")).toBe(
      `R some-hold ${ends(DAY)} ${NOON_MS} block:+1201555|stranger:block`,
    );
  });

  test("money that is spent leaves its meter's key and no other, for as long as the meter counts", async () => {
    await open().spend(meterOf(5, { scope: "spend:lookup" }));
    const lives = Object.entries(await upstash().lives());
    expect(lives.map(([key]) => key)).toEqual(["tg:spend:lookup:2026-07-01"]);
    expect(lives[0]?.[1]).toBeGreaterThanOrEqual(2 * DAY);
  });

  test("a refused reservation leaves no key behind", async () => {
    const budgets = open();
    await budgets.spend(meterOf(0));
    const levels = [levelOf(5), levelOf(0)];
    await reserve(budgets, levels, holdOf(levels, { meters: [meterOf(5)] }));
    await reserve(budgets, [], holdOf([], { meters: [meterOf(5), meterOf(0)] }));
    expect(await upstash().lives()).toEqual({});
  });

  /** A hold that was taken, and whose levels and meters the store has lost since. */
  async function lost(levels: Level[], meters: SpendMeter[]): Promise<Reservation> {
    const redis = upstash().connect();
    const hold = holdOf(levels, { meters });
    expect(await reserve(budgetsOf(storeOn(redis, clock)), levels, hold)).toMatchObject({ kind: "granted" });
    for (const key of Object.keys(await upstash().lives())) {
      if (key !== redisKeys.book(`reservation:${hold.id}`)) await redis.del(key);
    }
    expect(Object.keys(await upstash().lives())).toEqual([redisKeys.book(`reservation:${hold.id}`)]);
    return hold;
  }

  test.for(["release", "credit"] as const)(
    "a %s of what the store has lost leaves no key that stays for ever",
    async (act) => {
      const hold = await lost([levelOf(5)], [meterOf(5)]);
      await open()[act](hold);
      const forever = Object.entries(await upstash().lives()).filter(([, seconds]) => seconds < 0);
      expect(forever).toEqual([]);
    },
  );

  test.for(["release", "credit"] as const)(
    "a %s of what the store has lost makes no number negative",
    async (act) => {
      const budgets = open();
      const level = levelOf(5);
      const meters = [meterOf(5)];
      const hold = await lost([level], meters);
      await budgets[act](hold);
      const earned = act === "credit" ? { verified: 1, earned: 1 } : {};
      expect(await unitsOf(budgets, [level])).toEqual([units(earned)]);
      expect(await totalsOf(budgets, meters)).toEqual([0]);
    },
  );

  test.for(["release", "credit"] as const)(
    "a %s by a store that lost everything leaves no key",
    async (act) => {
      await open()[act](holdOf([levelOf(5)], { earns: [levelOf(5)], meters: [meterOf(5)] }));
      const kept = Object.keys(await upstash().lives()).filter((key) => key !== "tg:known:nobody");
      expect(kept).toEqual([]);
    },
  );

  test("slots that fell out are dropped with the next message", async () => {
    const redis = upstash().connect();
    const budgets = budgetsOf(storeOn(redis, clock));
    const level = levelOf(5);
    for (let i = 0; i < 3; i++) {
      const hold = holdOf([level], { atMs: now });
      await reserve(budgets, [level], hold);
      await budgets.credit(hold);
      now += 13 * DAY_SLOT_MS;
    }
    const kept = String(await redis.get(redisKeys.book(level.key.slice("stranger:".length))));
    // Ever, the last time, the past, and one slot with 1 verified and 1 message.
    expect(kept).toMatch(/^L stranger:block \d+ 3 \d+ 0 200 \d+\/0\/100\/1$/);
    expect(await unitsOf(budgets, [level])).toEqual([units({ earned: 3 })]);
    const [reading] = await read(budgets, [level]);
    expect(reading?.past).toEqual({ unverified: 0, verified: 3 * UNIT_HUNDREDTHS });
  });

  test("a Redis that is down is unavailable and has taken nothing", async () => {
    const budgets = open();
    const level = levelOf(5);
    const hold = holdOf([level], { meters: [meterOf(5)] });
    upstash().service.faults.down = true;
    const unavailable = { kind: "unavailable", cause: "error answer" };
    expect(await budgets.read([level], hold.meters)).toEqual(unavailable);
    expect(await reserve(budgets, [level], hold)).toEqual(unavailable);
    await expect(budgets.release(hold)).rejects.toThrow();
    await expect(budgets.credit(hold)).rejects.toThrow();
    upstash().service.faults.down = false;
    expect(await upstash().lives()).toEqual({});
  });

  test("a Redis that is silent for a second is unavailable, and is asked once, or it might take twice", async () => {
    const budgets = budgetsOf(storeOn(upstash().connect(undefined, 1000), clock));
    const level = levelOf(5);
    const unavailable = { kind: "unavailable", cause: "no answer in 1000 ms" };
    // The hashes of its scripts are made as an isolate starts.
    await new Promise((resolve) => setTimeout(resolve, 20));
    upstash().service.faults.delayMs = 1500;
    const answers = [budgets.read([level], []), reserve(budgets, [level], holdOf([level]))];
    expect(await Promise.all(answers)).toEqual([unavailable, unavailable]);
    expect(upstash().service.stats.requests).toBe(1);
  });

  test("a stranger's token is unavailable and takes nothing", async () => {
    const level = levelOf(5);
    const budgets = budgetsOf(storeOn(upstash().connect("another-token"), clock));
    expect(await reserve(budgets, [level], holdOf([level]))).toMatchObject({ kind: "unavailable" });
    expect(await upstash().lives()).toEqual({});
  });

  test("whatever happens, the lab's memory gives the same answers and readings", async () => {
    await fc.assert(fc.asyncProperty(fc.array(stepOf, { maxLength: 16 }), sameAsMemory(upstash)), {
      numRuns: 30,
    });
  });
});

type Step =
  | { kind: "reserve"; which: number[]; weight: number; spare: number; lifted: boolean }
  | { kind: "release" | "credit"; which: number }
  | { kind: "answer"; which: number; other: number }
  | { kind: "wait"; ms: number };

const SLOW_START = { start: UNIT_HUNDREDTHS, factor: 1.5 };

const stepOf: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("reserve" as const),
      which: fc.subarray([0, 1, 2, 3], { minLength: 1 }),
      weight: fc.constantFrom(100, 100, 137, 250),
      spare: fc.constantFrom(0, 1),
      lifted: fc.constantFrom(false, false, false, true),
    }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom("release", "credit", "credit"), which: fc.nat(15) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({ kind: fc.constant("answer" as const), which: fc.nat(15), other: fc.nat(15) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("wait" as const),
      ms: fc.constantFrom(1, 299_999, 300_000, HOUR * 1000, DAY_SLOT_MS, 11 * DAY_SLOT_MS, DAY * 1000),
    }),
  },
);

/**
 * An answer without the unverified units of earlier windows, and these apart: Redis lets them go where nobody had verified by the
 * end of their window, so that a code typed later finds fewer of them than the lab's memory has. Gains that are learned from
 * them are lower for it, never higher.
 */
function withoutPastUnverified(answer: unknown): { value: unknown; past: number[] } {
  const past: number[] = [];
  const value = JSON.parse(
    JSON.stringify(answer, (key, inner) => {
      if (key !== "past") return inner;
      past.push(inner.unverified);
      return { verified: inner.verified };
    }) ?? "null",
  );
  return { value, past };
}

/**
 * Plays steps on the adapter and on the memory of the lab. Holds are released and credited over and over, also those whose
 * reservation was refused: whatever comes after the first must be nothing.
 */
function sameAsMemory(upstash: () => UpstashWorld): (steps: Step[]) => Promise<void> {
  return async (steps) => {
    now = NOON_MS;
    const ports = [
      budgetsOf(storeOn(upstash().connect(), clock)),
      budgetsOf(memoryStore(clock, 3600)),
    ] as const;
    const levels = [
      levelOf(3, { gain: 1, maxMessages: 6 }),
      levelOf(5, { gain: 0.37, windowSeconds: HOUR }),
      levelOf(2, { gain: 2 }),
      uncappedLevel(levelOf(0)),
    ];
    const scope = `spend:${randomUUID()}`;
    const meter = meterOf(900, { scope, period: "hour" });
    const asked: Reservation[] = [];
    const ended = new Set<Reservation>();

    /** Does the same on both and expects the same of both. */
    async function both<T>(act: (budgets: Budgets) => Promise<T>): Promise<T> {
      const [onRedis, inMemory] = await Promise.all([act(ports[0]), act(ports[1])]);
      const [exact, forgotten] = [withoutPastUnverified(onRedis), withoutPastUnverified(inMemory)];
      expect(exact.value).toEqual(forgotten.value);
      exact.past.forEach((units, i) => {
        expect(units).toBeLessThanOrEqual(forgotten.past[i] ?? 0);
      });
      return onRedis;
    }

    for (const step of steps) {
      if (step.kind === "wait") {
        now += step.ms;
      } else if (step.kind === "reserve") {
        const drawn = step.which.map((i) => levels[i] as Level);
        const hold = holdOf(drawn, {
          atMs: now,
          weight: step.weight,
          earns: levels.filter((level) => !drawn.includes(level)).slice(0, step.spare),
          meters: [{ ...meter, amount: step.weight, lifted: step.lifted }],
        });
        const answer = await both((budgets) => reserve(budgets, drawn, hold, SLOW_START));
        asked.push(hold);
        if (answer.kind !== "granted") ended.add(hold);
      } else if (step.kind === "answer") {
        const [hold, other] = [step.which, step.other].map((i) => asked[i % Math.max(1, asked.length)]);
        if (hold && other && hold !== other) {
          await both((budgets) => budgets.credit(hold, [other]));
          ended.add(hold).add(other);
        }
      } else {
        const hold = asked[step.which % Math.max(1, asked.length)];
        if (hold) {
          const look = () => both((budgets) => budgets.read(levels, [meter]));
          const before = ended.has(hold) ? await look() : null;
          await both((budgets) => budgets[step.kind](hold));
          if (before) expect(await look()).toEqual(before);
          ended.add(hold);
        }
      }
      const readings = await both((budgets) => read(budgets, levels));
      const answer = await both((budgets) => budgets.read([], [meter]));
      expect(answer.kind === "answered" && Math.min(...answer.totals)).toBeGreaterThanOrEqual(0);
      for (const { level: _, past, ...numbers } of readings) {
        expect(Math.min(...Object.values(numbers), ...Object.values(past))).toBeGreaterThanOrEqual(0);
      }
    }
  };
}
