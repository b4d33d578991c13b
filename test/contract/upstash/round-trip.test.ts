import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { upstashBudgets } from "../../../src/adapters/upstash/upstash-budgets.ts";
import { upstashIdempotencyClaims } from "../../../src/adapters/upstash/upstash-idempotency-claims.ts";
import { upstashLimits } from "../../../src/adapters/upstash/upstash-limits.ts";
import { upstashPersonMarks } from "../../../src/adapters/upstash/upstash-marks.ts";
import { sendLimits } from "../../../src/domain/admission/limits.ts";
import { describeOnRedis } from "../support/support-redis.ts";
import { levelOf, meterOf } from "./support-budgets.ts";

const RULES = [
  { max: 10, window_seconds: 3600 },
  { max: 50, window_seconds: 86_400 },
];
const LIMITS = {
  number: RULES,
  ip: RULES,
  numbers_per_ip: RULES,
  device: RULES,
  user: RULES,
  service_per_minute: 600,
  wrong_codes_per_ip: RULES,
};

/** The takes of a send that draws on every limit there is. */
const everyTake = () =>
  sendLimits(LIMITS, RULES, 1, {
    number: randomUUID(),
    ip: randomUUID(),
    ownDevice: false,
    claimedDevice: randomUUID(),
    user: randomUUID(),
    apiKey: { id: randomUUID(), maxPerMinute: 100 },
  });

describeOnRedis("everything that a send asks of Redis before it decides", (upstash) => {
  /** Asks as the send flow does: all in one tick, on the isolate's one connection. */
  function isolate() {
    const redis = upstash().connect();
    const limits = upstashLimits(redis, Date.now);
    const claims = upstashIdempotencyClaims(redis);
    const marks = upstashPersonMarks(redis, Date.now, 3600);
    const budgets = upstashBudgets(redis, Date.now);
    const levels = Array.from({ length: 15 }, () => levelOf(5));
    const meters = Array.from({ length: 7 }, () => meterOf(5));
    const tags = {
      numberTag: "number",
      askTag: "ask",
      failureTags: ["number", "device", "user"],
      channel: "sms" as const,
    };
    return () =>
      Promise.all([
        limits.take(everyTake()),
        claims.claim(randomUUID(), "mine", 600),
        marks.recall(tags),
        budgets.read(levels, meters),
      ]);
  }

  test("is one request, and one command for each limit or rule, the key, the marks, and the levels with the meters", async () => {
    const ask = isolate();
    await ask();
    upstash().countFromHere();
    expect(await ask()).toMatchObject([
      { kind: "answered", results: { length: 7 } },
      { kind: "held", value: "mine" },
      { kind: "answered", failures: { length: 3 } },
      { kind: "answered", readings: { length: 15 }, totals: { length: 7 } },
    ]);
    // Three exact limits, marks and levels; seven rules of sliding limits; the key.
    expect(upstash().service.stats).toEqual({
      requests: 1,
      commands: 13,
      byName: { eval: 5, evalsha: 7, set: 1 },
    });
  });

  test("is one request more on a Redis that has not seen the limits' scripts", async () => {
    await isolate()();
    expect(upstash().service.stats.requests).toBe(2);
  });
});
