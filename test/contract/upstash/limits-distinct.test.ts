import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LimitRule } from "../../../src/domain/admission/limits.policy.ts";
import { memoryStore } from "../../../src/memory/memory-store.ts";
import { type Limits, limitsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";
import { draw, takeOf } from "./support-takes.ts";

const START_MS = Date.UTC(2026, 6, 1, 12, 0, 0);

/** The limits of every store that count distinct members. `limitsAt` gives them by a clock, with nothing drawn. */
function countsDistinctNumbers(limitsAt: (nowMs: () => number) => Limits): void {
  function open(rules: readonly LimitRule[]) {
    const clock = { nowMs: START_MS };
    const limits = limitsAt(() => clock.nowMs);
    const take = takeOf(rules);
    return {
      limits,
      /** Draws for a number so long after the start. */
      drawFor: async (member: string, afterMs = 0, peek = false) => {
        clock.nowMs = START_MS + afterMs;
        const drawn = { ...take, member, peek };
        return { ...(await draw(limits, drawn)), take: drawn };
      },
    };
  }

  test("counts each number once, however often it is asked for", async () => {
    const { drawFor } = open([{ max: 2, window_seconds: 3600 }]);
    for (let i = 0; i < 5; i++) expect(await drawFor("a")).toMatchObject({ allowed: true, remaining: 1 });
    expect(await drawFor("b")).toMatchObject({ allowed: true, remaining: 0 });
    expect(await drawFor("c")).toMatchObject({ allowed: false });
    expect(await drawFor("a")).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("giving back a number that was there before leaves it there", async () => {
    const { limits, drawFor } = open([{ max: 1, window_seconds: 3600 }]);
    await drawFor("a");
    const { take } = await drawFor("a", 1000);
    await limits.refund([take]);
    expect(await drawFor("b", 2000)).toMatchObject({ allowed: false });
  });

  test("giving back a number gives back that one and no other", async () => {
    const { limits, drawFor } = open([{ max: 2, window_seconds: 3600 }]);
    const { take } = await drawFor("a");
    await drawFor("b", 1000);
    await limits.refund([take]);
    expect(await drawFor("b", 2000)).toMatchObject({ allowed: true, remaining: 1 });
    expect(await drawFor("c", 2000)).toMatchObject({ allowed: true, remaining: 0 });
  });

  test("for any arrivals, no window ever holds more distinct numbers than it may", async () => {
    const rule = fc.record({
      max: fc.integer({ min: 1, max: 3 }),
      window_seconds: fc.integer({ min: 1, max: 60 }),
    });
    const arrival = fc.record({ gapMs: fc.nat(20_000), number: fc.constantFrom("a", "b", "c", "d") });
    await fc.assert(
      fc.asyncProperty(
        fc.array(rule, { minLength: 1, maxLength: 2 }),
        fc.array(arrival, { minLength: 1, maxLength: 15 }),
        async (rules, arrivals) => {
          const { drawFor } = open(rules);
          const passed: { number: string; atMs: number }[] = [];
          let atMs = 0;
          for (const { gapMs, number } of arrivals) {
            atMs += gapMs;
            if ((await drawFor(number, atMs)).allowed) passed.push({ number, atMs });
          }
          for (const { max, window_seconds } of rules) {
            for (const { atMs: endMs } of passed) {
              const within = passed.filter(
                (one) => one.atMs <= endMs && one.atMs > endMs - window_seconds * 1000,
              );
              expect(new Set(within.map(({ number }) => number)).size).toBeLessThanOrEqual(max);
            }
          }
        },
      ),
      { numRuns: 60 },
    );
  });

  test("a number that one rule remembers and a shorter one has forgotten draws on the shorter one again", async () => {
    const { drawFor } = open([
      { max: 1, window_seconds: 60 },
      { max: 9, window_seconds: 3600 },
    ]);
    expect(await drawFor("a")).toMatchObject({ allowed: true });
    expect(await drawFor("b", 70_000)).toMatchObject({ allowed: true });
    expect(await drawFor("a", 80_000)).toMatchObject({ allowed: false, retryAfterSeconds: 50 });
    expect(await drawFor("b", 80_000)).toMatchObject({ allowed: true });
  });
}

describe("a limit of distinct numbers, in the stand-in", () => {
  countsDistinctNumbers((nowMs) => limitsOf(memoryStore(nowMs, 3600)));
});

describeOnRedis("a limit of distinct numbers", (upstash) => {
  countsDistinctNumbers((nowMs) => limitsOf(storeOn(upstash().connect(), nowMs)));
});
