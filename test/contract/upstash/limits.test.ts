import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { upstashCounters } from "../../../src/adapters/upstash/upstash-counters.ts";
import { upstashIdempotencyClaims } from "../../../src/adapters/upstash/upstash-idempotency-claims.ts";
import { upstashLimits } from "../../../src/adapters/upstash/upstash-limits.ts";
import type { LimitPolicy } from "../../../src/domain/admission/limits.policy.ts";
import { sendLimits, wrongCodeLimit } from "../../../src/domain/admission/limits.ts";
import { countOutcome } from "../../../src/domain/monitor/counting.ts";
import { describeOnRedis } from "../support/support-redis.ts";
import { draw, drawAtOnce, takeOf } from "./support-takes.ts";

const DAY = 86_400;
const POLICY: LimitPolicy = {
  number: [
    { max: 1, window_seconds: 60 },
    { max: 3, window_seconds: 600 },
    { max: 10, window_seconds: DAY },
  ],
  ip: [
    { max: 10, window_seconds: 3600 },
    { max: 50, window_seconds: DAY },
  ],
  numbers_per_ip: [{ max: 5, window_seconds: 3600 }],
  device: [
    { max: 8, window_seconds: 3600 },
    { max: 20, window_seconds: DAY },
  ],
  user: [{ max: 40, window_seconds: 3600 }],
  service_per_minute: 600,
  wrong_codes_per_ip: [{ max: 30, window_seconds: 3600 }],
};

const sendTakes = () =>
  sendLimits(POLICY, POLICY.number, 1, {
    number: randomUUID(),
    ip: randomUUID(),
    ownDevice: false,
    claimedDevice: randomUUID(),
    user: randomUUID(),
    apiKey: { id: randomUUID(), maxPerMinute: 100 },
  });

describeOnRedis("limits", (upstash) => {
  const open = () => upstashLimits(upstash().connect(), Date.now);

  test("all limits of a send cost one request, and one command for an exact limit or a sliding rule", async () => {
    const limits = open();
    await limits.take(sendTakes());
    upstash().countFromHere();
    const takes = sendTakes();
    expect(await limits.take(takes)).toMatchObject({ kind: "answered" });
    const exact = takes.filter((take) => take.exact).length;
    const sliding = takes.filter((take) => !take.exact).flatMap(({ rules }) => rules).length;
    expect(upstash().service.stats).toEqual({
      requests: 1,
      commands: exact + sliding,
      byName: { eval: exact, evalsha: sliding },
    });
  });

  test("an idempotency key claimed in the same tick rides in the same request", async () => {
    const redis = upstash().connect();
    const limits = upstashLimits(redis, Date.now);
    await limits.take(sendTakes());
    upstash().countFromHere();
    await Promise.all([limits.take(sendTakes()), upstashIdempotencyClaims(redis).claim("key", "mine", 600)]);
    expect(upstash().service.stats.requests).toBe(1);
  });

  test("a Redis that has not seen the scripts yet is told them and answers the same", async () => {
    const takes = sendTakes();
    const answer = await open().take(takes);
    expect(answer).toMatchObject({
      kind: "answered",
      results: takes.map((take) => ({ take: { name: take.name }, allowed: true })),
    });
    expect(upstash().service.stats.requests).toBe(2);
  });

  test("results come in the order of their takes and name the rule nearest to its end", async () => {
    const answer = await open().take(sendTakes());
    const results = answer.kind === "answered" ? answer.results : [];
    expect(results.map(({ take, max, remaining }) => [take.name, max, remaining])).toEqual([
      ["number", 1, 0],
      ["ip", 10, 9],
      ["numbers_per_ip", 5, 4],
      ["device", 8, 7],
      ["user", 40, 39],
      ["api_key", 100, 99],
      ["wrong_codes_per_ip", 30, 30],
    ]);
  });

  test.for(["exactly", "sliding"] as const)(
    "50 draws at once on a limit of 5 let 5 through, counted %s",
    async (counted) => {
      expect(await drawAtOnce(open(), takeOf([{ max: 5, window_seconds: DAY }], counted), 50)).toBe(5);
    },
  );

  test("50 isolates that draw at once on a limit of 5 let 5 through", async () => {
    const take = takeOf([{ max: 5, window_seconds: DAY }]);
    const results = await Promise.all(Array.from({ length: 50 }, () => draw(open(), take)));
    expect(results.filter(({ allowed }) => allowed)).toHaveLength(5);
  });

  test("subjects, and limits of one subject, do not touch each other", async () => {
    const limits = open();
    const rules = [{ max: 1, window_seconds: 60 }];
    const subject = randomUUID();
    const takes = [
      takeOf(rules, "exactly", subject),
      { ...takeOf(rules, "exactly", subject), name: "ip" as const },
      takeOf(rules, "sliding", subject),
      { ...takeOf(rules, "sliding", subject), name: "api_key" as const },
      takeOf(rules),
    ];
    for (const take of takes) expect(await draw(limits, take)).toMatchObject({ allowed: true });
    for (const take of takes) expect(await draw(limits, take)).toMatchObject({ allowed: false });
  });

  test("every key of a mixed day has an end", async () => {
    const redis = upstash().connect();
    const limits = upstashLimits(redis, Date.now);
    const claims = upstashIdempotencyClaims(redis);
    const counters = upstashCounters(redis);
    const takes = sendTakes();
    const wrongCode = wrongCodeLimit(POLICY, randomUUID());
    for (let i = 0; i < 3; i++) {
      await Promise.all([
        limits.take(takes),
        limits.take([wrongCode]),
        claims.claim("key", `value ${i}`, 600),
      ]);
      await counters.count([{ minute: 100, entries: countOutcome("signup") }]);
      await limits.refund(takes.filter(({ peek }) => !peek));
    }
    await limits.refund([wrongCode, takeOf(POLICY.device, "sliding")]);
    await limits.take(takes);

    // The scrape's counters are for ever, and bounded.
    const lives = Object.entries(await upstash().lives()).filter(([key]) => key !== "tg:totals");
    expect(lives.length).toBeGreaterThanOrEqual(6);
    expect(lives.filter(([, seconds]) => seconds < 0)).toEqual([]);
    expect(Math.max(...lives.map(([, seconds]) => seconds))).toBeLessThanOrEqual(2 * DAY + 1);
  });

  test("keys name the limit and the pseudonym, as the table of keys says", async () => {
    await open().take([
      takeOf([{ max: 1, window_seconds: 60 }], "exactly", "some-number"),
      takeOf([{ max: 10, window_seconds: 3600 }], "sliding", "some-device"),
    ]);
    expect(Object.keys(await upstash().lives()).sort()).toEqual([
      "tg:log:number:some-number",
      expect.stringMatching(/^tg:rl:device:[\d:]+:some-device:\d+$/),
    ]);
  });
});
