import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { upstashClaims } from "../../src/adapters/upstash-claims.ts";
import { upstashCounters } from "../../src/adapters/upstash-counters.ts";
import { upstashLimits } from "../../src/adapters/upstash-limits.ts";
import { sendLimits, wrongCodeLimit } from "../../src/domain/limits.ts";
import { describeOnRedis } from "./support-redis.ts";
import { draw, drawAtOnce, takeOf } from "./support-takes.ts";

const DAY = 86_400;
const POLICY = {
  number: [
    { max: 1, window_seconds: 60 },
    { max: 3, window_seconds: 600 },
    { max: 10, window_seconds: DAY },
  ],
  ip: [
    { max: 10, window_seconds: 3600 },
    { max: 50, window_seconds: DAY },
  ],
  service: [{ max: 600, window_seconds: 60 }],
  wrong_codes_per_ip: [{ max: 30, window_seconds: 3600 }],
};

const sendTakes = () => sendLimits(POLICY, "normal", { number: randomUUID(), ip: randomUUID() });

describeOnRedis("limits", (upstash) => {
  const open = () => upstashLimits(upstash().connect(), Date.now);

  test("all limits of a send cost one request and one command for each rule or number", async () => {
    const limits = open();
    await limits.take(sendTakes());
    upstash().countFromHere();
    expect(await limits.take(sendTakes())).toMatchObject({ kind: "answered" });
    expect(upstash().service.stats).toEqual({
      requests: 1,
      commands: 5,
      byName: { eval: 1, evalsha: 4 },
    });
  });

  test("an idempotency key claimed in the same tick rides in the same request", async () => {
    const redis = upstash().connect();
    const limits = upstashLimits(redis, Date.now);
    await limits.take(sendTakes());
    upstash().countFromHere();
    await Promise.all([limits.take(sendTakes()), upstashClaims(redis).claim("key", "mine", 600)]);
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
    expect(answer).toMatchObject({
      results: [
        { max: 1, remaining: 0 },
        { max: 10, remaining: 9 },
        { max: 600, remaining: 599 },
        { max: 30, remaining: 30 },
      ],
    });
  });

  test.for(["destination", "caller", "service"] as const)(
    "50 draws at once on a limit of 5 of a %s let 5 through",
    async (owner) => {
      const take = takeOf([{ max: 5, window_seconds: DAY }], owner);
      expect(await drawAtOnce(open(), take, 50)).toBe(5);
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
      takeOf(rules, "destination", subject),
      takeOf(rules, "caller", subject),
      takeOf(rules, "service", subject),
      takeOf(rules, "destination"),
    ];
    for (const take of takes) expect(await draw(limits, take)).toMatchObject({ allowed: true });
    for (const take of takes) expect(await draw(limits, take)).toMatchObject({ allowed: false });
  });

  test("every key of a mixed day has an end", async () => {
    const redis = upstash().connect();
    const limits = upstashLimits(redis, Date.now);
    const claims = upstashClaims(redis);
    const counters = upstashCounters(redis);
    const takes = sendTakes();
    const wrongCode = wrongCodeLimit(POLICY, randomUUID());
    for (let i = 0; i < 3; i++) {
      await Promise.all([
        limits.take(takes),
        limits.take([wrongCode]),
        claims.claim("key", `value ${i}`, 600),
      ]);
      await Promise.all([counters.count("sent", 100), counters.count("verified", 100)]);
      await limits.refund(takes.filter(({ peek }) => !peek));
    }
    await limits.refund([wrongCode, takeOf(POLICY.service, "service")]);
    await limits.take(takes);

    const lives = Object.entries(await upstash().lives());
    expect(lives.length).toBeGreaterThanOrEqual(6);
    expect(lives.filter(([, seconds]) => seconds < 0)).toEqual([]);
    expect(Math.max(...lives.map(([, seconds]) => seconds))).toBeLessThanOrEqual(2 * DAY + 1);
  });

  test("keys name the limit and the pseudonym, as the table of keys says", async () => {
    await open().take([
      takeOf([{ max: 1, window_seconds: 60 }], "destination", "some-number"),
      takeOf([{ max: 10, window_seconds: 3600 }], "caller", "some-ip"),
    ]);
    expect(Object.keys(await upstash().lives()).sort()).toEqual([
      "tg:log:number:some-number",
      expect.stringMatching(/^tg:rl:ip:10:3600:some-ip:\d+$/),
    ]);
  });
});
