import { describe, expect, test } from "vitest";
import { upstashInsightCache } from "../../../src/adapters/upstash/upstash-insight-cache.ts";
import type { NumberInsight } from "../../../src/domain/admission/insight.ts";
import type { SpendMeter } from "../../../src/domain/delivery/money.ts";
import { memoryInsightCache } from "../../../src/memory/memory-insight-cache.ts";
import type { InsightCachePort } from "../../../src/ports/people.ts";
import { budgetsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";
import { waitAsLongAsItTakes } from "./support-budgets.ts";

const DAY = 86_400;

const PREMIUM: NumberInsight = {
  lineType: "premium_rate",
  reachable: false,
  ported: true,
  roaming: false,
  pumpingRisk: 93,
  simSwappedHoursAgo: 12,
  costMicros: 8000,
};
const NOTHING: NumberInsight = {
  lineType: null,
  reachable: null,
  ported: null,
  roaming: null,
  pumpingRisk: null,
  simSwappedHoursAgo: null,
  costMicros: null,
};

/** What holds for insights wherever they are kept, by the clock on the wall. */
function keepsInsights(open: () => InsightCachePort): void {
  test("of a number nobody asked about nothing is remembered", async () => {
    expect(await open().recall("number")).toBeNull();
  });

  test.each([
    ["that says everything", PREMIUM],
    ["that says nothing", NOTHING],
  ])("an answer %s comes back as it was, and for no other number", async (_, insight) => {
    const insights = open();
    await insights.remember("number", insight, DAY);
    expect(await insights.recall("number")).toEqual(insight);
    expect(await insights.recall("another")).toBeNull();
  });

  test("the latest answer counts", async () => {
    const insights = open();
    await insights.remember("number", PREMIUM, DAY);
    await insights.remember("number", NOTHING, DAY);
    expect(await insights.recall("number")).toEqual(NOTHING);
  });

  test("an answer is gone when its time is over", async () => {
    const insights = open();
    await insights.remember("number", PREMIUM, 1);
    await new Promise((resolve) => setTimeout(resolve, 1100));
    expect(await insights.recall("number")).toBeNull();
  });
}

describe("insights, in memory", () => {
  keepsInsights(() => memoryInsightCache(Date.now));
});

describeOnRedis("insights", (upstash) => {
  const open = () => upstashInsightCache(upstash().connect());

  keepsInsights(open);

  test("another isolate remembers the same", async () => {
    await open().remember("number", PREMIUM, DAY);
    expect(await open().recall("number")).toEqual(PREMIUM);
  });

  test("recalling and remembering are one command each", async () => {
    const insights = open();
    await insights.recall("number");
    await insights.remember("number", PREMIUM, DAY);
    expect(upstash().service.stats).toEqual({ requests: 2, commands: 2, byName: { get: 1, set: 1 } });
  });

  test("an answer has the name and the life that the table of keys says", async () => {
    const insights = open();
    await insights.remember("lasting", NOTHING, 30 * DAY);
    await insights.remember("passing", PREMIUM, 3600);
    const lives = await upstash().lives();
    expect(Object.keys(lives).sort()).toEqual(["tg:insight:lasting", "tg:insight:passing"]);
    expect(lives["tg:insight:lasting"]).toBeGreaterThan(30 * DAY - 10);
    expect(lives["tg:insight:passing"]).toBeLessThanOrEqual(3600);
  });

  test.each([
    ["text", "neither JSON nor anything"],
    ["a number", 7],
    ["another shape", { lineType: "mobile" }],
    ["a line type that is none", { ...NOTHING, lineType: "tin_can" }],
    ["a list", [PREMIUM]],
  ])("%s where an answer should be was never said, and gives way to the next one", async (_, value) => {
    await upstash().connect().set("tg:insight:number", value);
    const insights = open();
    expect(await insights.recall("number")).toBeNull();
    await insights.remember("number", PREMIUM, DAY);
    expect(await insights.recall("number")).toEqual(PREMIUM);
  });

  test("a store that does not let us in is unavailable, and its words are not repeated", async () => {
    const stranger = upstashInsightCache(upstash().connect("another-token"));
    expect(await stranger.recall("number")).toEqual({ kind: "unavailable", cause: "error answer" });
    await expect(stranger.remember("number", PREMIUM, DAY)).rejects.toThrow();
  });

  test("a day's money for lookups holds when 60 ask at once from 60 isolates", async () => {
    waitAsLongAsItTakes();
    const nowMs = Date.UTC(2026, 6, 1, 12);
    const day: SpendMeter = {
      scope: "spend:lookup",
      period: "day",
      amount: 8000,
      cap: 80_000,
      lifted: false,
    };
    const paid = await Promise.all(
      Array.from({ length: 60 }, () => budgetsOf(storeOn(upstash().connect(), () => nowMs)).spend(day)),
    );
    expect(paid.filter(({ kind }) => kind === "granted")).toHaveLength(10);
    expect(paid.filter(({ kind }) => kind === "capped")).toHaveLength(50);
    expect(Object.keys(await upstash().lives())).toContain("tg:spend:lookup:2026-07-01");
  });
});
