import { expect, test } from "vitest";
import { upstashCounters } from "../../src/adapters/upstash-counters.ts";
import { describeOnRedis } from "./support-redis.ts";

/** 2026-07-01 12:00 UTC in minutes. */
const MINUTE = 29_715_120;

describeOnRedis("cohort counters", (upstash) => {
  const open = () => upstashCounters(upstash().connect());

  test("a window lists its minutes, the oldest first, with zero for those without a message", async () => {
    const counters = open();
    await counters.count("sent", MINUTE);
    await counters.count("sent", MINUTE - 2);
    await counters.count("sent", MINUTE - 2);
    await counters.count("verified", MINUTE - 2);
    expect(await counters.window(MINUTE, 4)).toEqual({
      kind: "answered",
      cohorts: [
        { minute: MINUTE - 3, sent: 0, verified: 0 },
        { minute: MINUTE - 2, sent: 2, verified: 1 },
        { minute: MINUTE - 1, sent: 0, verified: 0 },
        { minute: MINUTE, sent: 1, verified: 0 },
      ],
    });
  });

  test("a window leaves out what lies before and after it", async () => {
    const counters = open();
    for (const minute of [MINUTE - 15, MINUTE + 1]) await counters.count("sent", minute);
    const answer = await counters.window(MINUTE, 15);
    expect(answer).toMatchObject({ kind: "answered", cohorts: { length: 15 } });
    expect(JSON.stringify(answer)).not.toContain('"sent":1');
  });

  test("a verification counts though its message was never counted", async () => {
    const counters = open();
    await counters.count("verified", MINUTE);
    expect(await counters.window(MINUTE, 1)).toMatchObject({
      cohorts: [{ minute: MINUTE, sent: 0, verified: 1 }],
    });
  });

  test("50 isolates that count at once lose nothing", async () => {
    await Promise.all(
      Array.from({ length: 50 }, (_, i) => open().count(i % 2 ? "sent" : "verified", MINUTE)),
    );
    expect(await open().window(MINUTE, 1)).toMatchObject({
      cohorts: [{ minute: MINUTE, sent: 25, verified: 25 }],
    });
  });

  test("counting, and reading an hour, cost one request each", async () => {
    const counters = open();
    await counters.count("sent", MINUTE);
    expect(upstash().service.stats).toMatchObject({ requests: 1, commands: 2 });
    await counters.window(MINUTE, 60);
    expect(upstash().service.stats).toMatchObject({ requests: 2, commands: 62 });
  });

  test("a cohort ends two hours after it was last counted on", async () => {
    await open().count("sent", MINUTE);
    const [life = 0] = Object.values(await upstash().lives());
    expect(life).toBeGreaterThan(7100);
    expect(life).toBeLessThanOrEqual(7200);
  });
});
