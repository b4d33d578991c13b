import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import type { LimitPolicy } from "../../../src/domain/admission/limits.policy.ts";
import { sendLimits, wrongCodeLimit } from "../../../src/domain/admission/limits.ts";
import { countOutcome } from "../../../src/domain/monitor/counting.ts";
import { claimsOf, limitsOf, storeOn } from "../../support/store-parts.ts";
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
  const open = () => limitsOf(storeOn(upstash().connect(), Date.now));

  test("all limits of a send cost one request: one command for the exact ones, and one for each sliding rule", async () => {
    const limits = open();
    await limits.take(sendTakes());
    upstash().countFromHere();
    const takes = sendTakes();
    expect(await limits.take(takes)).toMatchObject({ kind: "answered" });
    const sliding = takes.filter((take) => !take.exact).flatMap(({ rules }) => rules).length;
    expect(upstash().service.stats).toEqual({
      requests: 1,
      commands: 1 + sliding,
      byName: { evalsha: 1 + sliding },
    });
  });

  test("a Redis that has not seen the scripts yet is told them and answers the same", async () => {
    const takes = sendTakes();
    const limits = open();
    // The hashes of its scripts are made as an isolate starts.
    await new Promise((resolve) => setTimeout(resolve, 20));
    const answer = await limits.take(takes);
    expect(answer).toMatchObject({
      kind: "answered",
      results: takes.map((take) => ({ take: { name: take.name }, allowed: true })),
    });
    expect(upstash().service.stats.requests).toBe(2);
  });

  test("a limit too large to be packed is a sorted set, and a command of its own", async () => {
    const limits = open();
    const take = takeOf([{ max: 201, window_seconds: 3600 }], "exactly", "many");
    expect(await draw(limits, take)).toMatchObject({ allowed: true, max: 201, remaining: 200, used: 1 });
    await limits.refund([take]);
    expect(await draw(limits, takeOf([{ max: 201, window_seconds: 3600 }], "exactly", "many"))).toMatchObject(
      {
        remaining: 200,
      },
    );
    expect(Object.keys(await upstash().lives())).toEqual(["tg:log:number:many"]);
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
    const limits = limitsOf(storeOn(redis, Date.now));
    const claims = claimsOf(storeOn(redis, Date.now));
    const counters = storeOn(redis, Date.now).counters;
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
    await limits.refund([wrongCode]);
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
      "tg:draws:number:some-number",
      expect.stringMatching(/^tg:rl:device:[\d:]+:some-device:\d+$/),
    ]);
  });
});
