import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import type { LimitRule } from "../../../src/domain/admission/limits.policy.ts";
import { memoryStore } from "../../../src/memory/memory-store.ts";
import { type Limits, limitsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";
import { draw, takeOf } from "./support-takes.ts";

/** A whole minute, so that the tests can say where its edge is. */
const MINUTE_MS = Date.UTC(2026, 6, 1, 12, 0, 0);
const ONE_A_MINUTE = [{ max: 1, window_seconds: 60 }];
const THREE_IN_TEN = [{ max: 3, window_seconds: 600 }];

/** Draws by a clock that the test sets. */
function byClock(limitsAt: (nowMs: () => number) => Limits) {
  const clock = { nowMs: MINUTE_MS };
  const limits = limitsAt(() => clock.nowMs);
  return {
    limits,
    drawAt: async (nowMs: number, take: Parameters<typeof draw>[1]) => {
      clock.nowMs = nowMs;
      return draw(limits, take);
    },
  };
}

const AS_SHIPPED = [
  { max: 1, window_seconds: 60 },
  { max: 4, window_seconds: 600 },
  { max: 10, window_seconds: 86_400 },
];

/** The exact limits of every store. `limitsAt` gives them by a clock, with nothing drawn. */
function countsExactly(limitsAt: (nowMs: () => number) => Limits): void {
  const open = () => byClock(limitsAt);

  test.for([0, 1, 29_999, 59_000, 59_999])(
    "1 in 60 s lets no second one through within 60 s of one at %i ms past the minute",
    async (offset) => {
      const { drawAt } = open();
      const take = takeOf(ONE_A_MINUTE);
      const first = MINUTE_MS + offset;
      expect(await drawAt(first, take)).toMatchObject({ allowed: true, max: 1, remaining: 0 });
      const untilEdge = 60_000 - offset;
      for (const later of [0, 1, 1000, 30_000, Math.min(untilEdge, 59_998), 59_999]) {
        expect(await drawAt(first + later, take)).toMatchObject({
          allowed: false,
          remaining: 0,
          retryAfterSeconds: Math.ceil((60_000 - later) / 1000),
        });
      }
      expect(await drawAt(first + 60_000, take)).toMatchObject({ allowed: true });
    },
  );

  test("freed waits let the next one through at once, and the longest window goes on counting", async () => {
    const { limits, drawAt } = open();
    const take = takeOf(AS_SHIPPED);
    for (let nth = 0; nth < 10; nth++) {
      expect(await drawAt(MINUTE_MS + nth * 1000, take)).toMatchObject({ allowed: true });
      expect(await drawAt(MINUTE_MS + nth * 1000, take)).toMatchObject({ allowed: false });
      await limits.freeWaits(take);
    }
    const eleventh = await drawAt(MINUTE_MS + 20_000, take);
    expect(eleventh).toMatchObject({ allowed: false, max: 10, used: 10 });
    // The last ones count as ten minutes old.
    expect(eleventh.retryAfterSeconds).toBe(86_400 - 600 - 20);
  });

  test("freed waits are those of one subject, and a limit of one window has none", async () => {
    const { limits, drawAt } = open();
    const [one, other, single] = [takeOf(AS_SHIPPED), takeOf(AS_SHIPPED), takeOf(ONE_A_MINUTE)];
    for (const take of [one, other, single]) await drawAt(MINUTE_MS, take);
    for (const take of [one, single]) await limits.freeWaits(take);
    expect(await drawAt(MINUTE_MS + 1000, { ...one, peek: true })).toMatchObject({ allowed: true });
    expect(await drawAt(MINUTE_MS + 1000, other)).toMatchObject({ allowed: false, retryAfterSeconds: 59 });
    expect(await drawAt(MINUTE_MS + 1000, single)).toMatchObject({ allowed: false, retryAfterSeconds: 59 });
  });

  test("waits that are freed where nothing was drawn leave nothing behind", async () => {
    const { limits, drawAt } = open();
    const take = takeOf(AS_SHIPPED);
    await limits.freeWaits(take);
    expect(await drawAt(MINUTE_MS, take)).toMatchObject({ allowed: true, used: 1 });
  });

  test("3 in 10 min lets no fourth one through within 10 min of the first, across the edge too", async () => {
    const { drawAt } = open();
    const take = takeOf(THREE_IN_TEN);
    const first = MINUTE_MS + 599_000;
    for (const later of [0, 1000, 2000])
      expect(await drawAt(first + later, take)).toMatchObject({ allowed: true });
    for (const later of [2001, 60_000, 300_000, 599_999]) {
      expect(await drawAt(first + later, take)).toMatchObject({ allowed: false });
    }
    expect(await drawAt(first + 600_000, take)).toMatchObject({ allowed: true });
    expect(await drawAt(first + 600_999, take)).toMatchObject({ allowed: false, retryAfterSeconds: 1 });
  });

  test("whoever waits as long as told passes, and a second less does not do", async () => {
    const { drawAt } = open();
    const take = takeOf([...ONE_A_MINUTE, ...THREE_IN_TEN]);
    for (const later of [0, 61_000, 130_000]) await drawAt(MINUTE_MS + later, take);
    const asked = MINUTE_MS + 200_000;
    const { allowed, retryAfterSeconds } = await drawAt(asked, take);
    expect({ allowed, retryAfterSeconds }).toEqual({ allowed: false, retryAfterSeconds: 400 });
    expect(await drawAt(asked + 399_000, take)).toMatchObject({ allowed: false, retryAfterSeconds: 1 });
    expect(await drawAt(asked + 400_000, take)).toMatchObject({ allowed: true, retryAfterSeconds: 0 });
  });

  test("a look draws nothing, and says what a draw would", async () => {
    const { drawAt } = open();
    const take = takeOf([{ max: 2, window_seconds: 60 }]);
    const look = { ...take, peek: true };
    for (let i = 0; i < 5; i++) {
      expect(await drawAt(MINUTE_MS, look)).toMatchObject({ allowed: true, max: 2, remaining: 2 });
    }
    await drawAt(MINUTE_MS, take);
    expect(await drawAt(MINUTE_MS, look)).toMatchObject({ allowed: true, remaining: 1 });
    await drawAt(MINUTE_MS, take);
    expect(await drawAt(MINUTE_MS + 1000, look)).toMatchObject({ allowed: false, retryAfterSeconds: 59 });
  });

  describe("gives back", () => {
    test("exactly one", async () => {
      const { limits, drawAt } = open();
      const takes = [1, 2, 3].map(() => takeOf(THREE_IN_TEN, "exactly", "somebody"));
      for (const take of takes) await drawAt(MINUTE_MS, take);
      await limits.refund(takes.slice(0, 1));
      const again = takeOf(THREE_IN_TEN, "exactly", "somebody");
      expect(await drawAt(MINUTE_MS, again)).toMatchObject({ allowed: true, remaining: 0 });
      expect(await drawAt(MINUTE_MS, again)).toMatchObject({ allowed: false });
    });

    test("its own draw and not a later one, or that one's message would be forgotten too early", async () => {
      const { limits, drawAt } = open();
      const twoAMinute = () => takeOf([{ max: 2, window_seconds: 60 }], "exactly", "somebody");
      const given = twoAMinute();
      await drawAt(MINUTE_MS, given);
      await drawAt(MINUTE_MS + 30_000, twoAMinute());
      await limits.refund([given]);
      expect(await drawAt(MINUTE_MS + 31_000, twoAMinute())).toMatchObject({ allowed: true });
      expect(await drawAt(MINUTE_MS + 60_000, twoAMinute())).toMatchObject({ allowed: false });
    });

    test("nothing for a refused draw or a look", async () => {
      const { limits, drawAt } = open();
      const make = (more = {}) => ({ ...takeOf(ONE_A_MINUTE, "exactly", "somebody"), ...more });
      const [drawn, refused, look] = [make(), make(), make({ peek: true })];
      expect(await drawAt(MINUTE_MS, look)).toMatchObject({ allowed: true });
      expect(await drawAt(MINUTE_MS, drawn)).toMatchObject({ allowed: true });
      expect(await drawAt(MINUTE_MS, refused)).toMatchObject({ allowed: false });
      await limits.refund([refused, look, make()]);
      expect(await drawAt(MINUTE_MS, make())).toMatchObject({ allowed: false });
    });

    test("nothing when there is nothing left of the draw", async () => {
      const { limits, drawAt } = open();
      const given = takeOf(ONE_A_MINUTE, "exactly", "somebody");
      await drawAt(MINUTE_MS, given);
      await drawAt(MINUTE_MS + 60_000, takeOf(ONE_A_MINUTE, "exactly", "somebody"));
      await limits.refund([given]);
      expect(await drawAt(MINUTE_MS + 61_000, takeOf(ONE_A_MINUTE, "exactly", "somebody"))).toMatchObject({
        allowed: false,
      });
    });
  });

  test("for any arrivals it answers as the definition does: a draw passes when no window is full", async () => {
    const rule = fc.record({
      max: fc.integer({ min: 1, max: 4 }),
      window_seconds: fc.integer({ min: 1, max: 90 }),
    });
    const arrival = fc.record({ gapMs: fc.nat(40_000), peek: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 1, maxLength: 3 }),
        fc.array(arrival, { minLength: 1, maxLength: 15 }),
        async (rules, arrivals) => {
          const { drawAt } = open();
          const take = takeOf(rules, "exactly", randomUUID());
          const passed: number[] = [];
          let nowMs = MINUTE_MS;
          for (const { gapMs, peek } of arrivals) {
            nowMs += gapMs;
            const result = await drawAt(nowMs, { ...take, peek });
            const waitMs = defined(rules, passed, nowMs);
            expect(result).toMatchObject({
              allowed: waitMs === 0,
              retryAfterSeconds: Math.ceil(waitMs / 1000),
            });
            if (result.allowed && !peek) passed.push(nowMs);
          }
          for (const { max, window_seconds } of rules) {
            for (const at of passed) {
              expect(
                passed.filter((other) => other > at - window_seconds * 1000 && other <= at).length,
              ).toBeLessThanOrEqual(max);
            }
          }
        },
      ),
      { numRuns: 40 },
    );
  });
}

describe("the exact log of a number, in the stand-in", () => {
  countsExactly((nowMs) => limitsOf(memoryStore(nowMs, 3600)));
});

describeOnRedis("the exact log of a number", (upstash) => {
  const limitsAt = (nowMs: () => number) => limitsOf(storeOn(upstash().connect(), nowMs));

  countsExactly(limitsAt);

  test("gives back a draw whose answer was lost", async () => {
    const { limits, drawAt } = byClock((nowMs) =>
      limitsOf(storeOn(upstash().connect(undefined, 1000), nowMs)),
    );
    const lost = takeOf(ONE_A_MINUTE, "exactly", "somebody");
    // Redis knows the script, as it does but for its first seconds.
    await drawAt(MINUTE_MS, takeOf(ONE_A_MINUTE, "exactly", "nobody"));
    upstash().service.faults.delayMs = 1100;
    expect(await limits.take([lost])).toMatchObject({ kind: "unavailable" });
    upstash().service.faults.delayMs = 0;
    const another = takeOf(ONE_A_MINUTE, "exactly", "somebody");
    await vi.waitFor(async () => expect(Object.keys(await upstash().lives())).toHaveLength(2));
    expect(await drawAt(MINUTE_MS, another), "it was drawn").toMatchObject({ allowed: false });
    await limits.refund([lost]);
    expect(await drawAt(MINUTE_MS, another)).toMatchObject({ allowed: true });
    await limits.refund([lost]);
    expect(await drawAt(MINUTE_MS, another), "once only").toMatchObject({ allowed: false });
  });
});

/** The definition: how long until no rule's window holds as many messages as it may. */
function defined(rules: readonly LimitRule[], passed: readonly number[], nowMs: number): number {
  const fits = (atMs: number) =>
    rules.every(
      ({ max, window_seconds }) => passed.filter((at) => at > atMs - window_seconds * 1000).length < max,
    );
  const ends = rules.flatMap(({ window_seconds }) => passed.map((at) => at + window_seconds * 1000));
  const moments = [nowMs, ...ends.filter((at) => at > nowMs).sort((a, b) => a - b)];
  return (moments.find(fits) ?? Number.NaN) - nowMs;
}
