import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { limitsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";
import { draw, drawAtOnce, takeOf } from "./support-takes.ts";

/** The start of an hour, where the library's buckets of an hour begin too. */
const HOUR_MS = Date.UTC(2026, 6, 1, 12, 0, 0);
const TEN_AN_HOUR = [{ max: 10, window_seconds: 3600 }];

describeOnRedis("the sliding window of devices and keys", (upstash) => {
  // The library reads the clock itself.
  beforeEach(() => vi.useFakeTimers({ toFake: ["Date"], now: HOUR_MS }));
  afterEach(() => vi.useRealTimers());

  const open = () => limitsOf(storeOn(upstash().connect(), Date.now));

  test("11 draws in a bucket let 10 through, and each says what is left", async () => {
    const limits = open();
    const take = takeOf(TEN_AN_HOUR, "sliding");
    for (let left = 9; left >= 0; left--) {
      expect(await draw(limits, take)).toMatchObject({ allowed: true, max: 10, remaining: left });
    }
    expect(await draw(limits, take)).toMatchObject({ allowed: false, remaining: 0 });
  });

  test("a full bucket still counts in the next one, less and less", async () => {
    const limits = open();
    const take = takeOf(TEN_AN_HOUR, "sliding");
    vi.setSystemTime(HOUR_MS + 3_599_000);
    expect(await drawAtOnce(limits, take, 10)).toBe(10);
    vi.setSystemTime(HOUR_MS + 3_600_001);
    expect(await drawAtOnce(limits, take, 10)).toBe(1);
    vi.setSystemTime(HOUR_MS + 3_600_000 + 1_800_001);
    expect(await drawAtOnce(limits, take, 10)).toBe(5);
  });

  test.for([0, 1, 500, 1_234_567, 3_599_000, 3_599_999])(
    "a moment after the time told at %i ms past the hour, one more passes",
    async (offset) => {
      const limits = open();
      const take = takeOf(TEN_AN_HOUR, "sliding");
      const asked = HOUR_MS + offset;
      vi.setSystemTime(asked);
      await drawAtOnce(limits, take, 10);
      const { allowed, retryAfterSeconds } = await draw(limits, take);
      expect(allowed).toBe(false);
      expect(retryAfterSeconds).toBe(Math.ceil((3_600_000 - offset) / 1000));
      // On the very edge the library still weighs the old bucket in full.
      vi.setSystemTime(asked + retryAfterSeconds * 1000 + 1);
      expect(await draw(limits, take)).toMatchObject({ allowed: true });
    },
  );

  test("a look draws nothing, and says what a draw would", async () => {
    const limits = open();
    const take = takeOf([{ max: 2, window_seconds: 60 }], "sliding");
    const look = { ...take, peek: true };
    for (let i = 0; i < 5; i++)
      expect(await draw(limits, look)).toMatchObject({ allowed: true, remaining: 2 });
    await draw(limits, take);
    expect(await draw(limits, look)).toMatchObject({ allowed: true, remaining: 1 });
    await draw(limits, take);
    expect(await draw(limits, look)).toMatchObject({
      allowed: false,
      max: 2,
      remaining: 0,
      retryAfterSeconds: 60,
    });
  });

  test("a look at what nobody has drawn on leaves no key", async () => {
    await draw(open(), { ...takeOf(TEN_AN_HOUR, "sliding"), peek: true });
    expect(await upstash().lives()).toEqual({});
  });

  test("giving back gives back exactly one", async () => {
    const limits = open();
    const take = takeOf([{ max: 3, window_seconds: 60 }, ...TEN_AN_HOUR], "sliding");
    expect(await drawAtOnce(limits, take, 2)).toBe(2);
    await draw(limits, take);
    await limits.refund([take]);
    expect(await drawAtOnce(limits, take, 3)).toBe(1);
    await limits.refund([take]);
    expect(await drawAtOnce(limits, take, 3), "once only").toBe(0);
  });

  describe("a refused draw", () => {
    test("leaves no trace on the rule that refused it", async () => {
      const limits = open();
      const take = takeOf(TEN_AN_HOUR, "sliding");
      await draw(limits, take);
      await drawAtOnce(limits, take, 30);
      await limits.refund([take]);
      expect(await drawAtOnce(limits, take, 30)).toBe(1);
    });

    test("leaves no trace on the other rules, or impatience within the hour would cost the day", async () => {
      const limits = open();
      const day = { max: 15, window_seconds: 86_400 };
      const take = takeOf([...TEN_AN_HOUR, day], "sliding");
      expect(await drawAtOnce(limits, take, 30)).toBe(10);
      expect(await draw(limits, { ...take, rules: [day], peek: true })).toMatchObject({ remaining: 5 });
    });
  });

  test("an emergency's tighter limit goes on from what was drawn before it", async () => {
    const limits = open();
    const take = takeOf(TEN_AN_HOUR, "sliding");
    expect(await drawAtOnce(limits, take, 6)).toBe(6);
    const tightened = { ...take, rules: [{ max: 5, window_seconds: 3600 }] };
    expect(await draw(limits, tightened)).toMatchObject({ allowed: false });
  });
});
