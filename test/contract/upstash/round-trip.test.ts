import { randomUUID } from "node:crypto";
import { expect, test } from "vitest";
import { sendLimits } from "../../../src/domain/admission/limits.ts";
import { storeOn } from "../../support/store-parts.ts";
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
  /** An isolate with a connection of its own. */
  function isolate() {
    const { admission } = storeOn(upstash().connect(), Date.now);
    return () =>
      admission.ask({
        draws: everyTake(),
        claim: { key: randomUUID(), value: "mine", ttlSeconds: 600 },
        person: {
          numberTag: "number",
          askTag: "ask",
          failureTags: ["number", "device", "user"],
          channel: "sms",
        },
        levels: Array.from({ length: 15 }, () => levelOf(5)),
        meters: Array.from({ length: 7 }, () => meterOf(5)),
      });
  }

  test("is one request, and one command beside those of each rule that @upstash/ratelimit counts", async () => {
    const ask = isolate();
    await ask();
    upstash().countFromHere();
    expect(await ask()).toMatchObject({
      kind: "answered",
      limits: { length: 7 },
      held: "mine",
      recalled: { failures: { length: 3 } },
      readings: { length: 15 },
      totals: { length: 7 },
    });
    expect(upstash().service.stats).toEqual({ requests: 1, commands: 8, byName: { evalsha: 8 } });
  });

  test("is one request more on a Redis that has not seen the scripts, or has forgotten them", async () => {
    const ask = isolate();
    // The hashes of its scripts are made as an isolate starts.
    await new Promise((resolve) => setTimeout(resolve, 20));
    await ask();
    expect(upstash().service.stats.requests).toBe(2);
    const redis = upstash().connect();
    await redis.scriptFlush();
    upstash().countFromHere();
    expect(await ask()).toMatchObject({ kind: "answered", held: "mine" });
    expect(upstash().service.stats.requests).toBe(2);
    upstash().countFromHere();
    await ask();
    expect(upstash().service.stats.requests).toBe(1);
  });
});
