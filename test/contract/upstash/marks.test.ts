import { beforeEach, describe, expect, test } from "vitest";
import { memoryStore } from "../../../src/memory/memory-store.ts";
import type { Recalled } from "../../../src/ports/people.ts";
import { type Marks, marksOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";

const DAY = 86_400;
const MEMORY_SECONDS = 7200;

/** What is remembered under these tags by a store that must be there to answer. */
async function recall(
  marks: Marks,
  numberTag = "number",
  askTag = "ask",
  failureTags = ["failed", "failed too"],
): Promise<{ kind: "answered" } & Recalled> {
  const answer = await marks.recall({ numberTag, askTag, failureTags, channel: "sms" });
  if (answer.kind === "unavailable") throw new Error(answer.cause);
  return answer;
}

const NOTHING: { kind: "answered" } & Recalled = {
  kind: "answered",
  numberKnown: false,
  knownSinceMs: null,
  askedAtMs: null,
  failures: [null, null],
  refusal: null,
};

/** What holds for marks wherever they are kept, by the clock on the wall. */
function keepsMarks(open: () => Marks): void {
  test("of strangers nothing is remembered", async () => {
    expect(await recall(open())).toEqual(NOTHING);
  });

  test("a number that was marked is known, and no other", async () => {
    const marks = open();
    const beforeMs = Date.now();
    await marks.markKnown("number");
    const afterMs = Date.now();
    await new Promise((resolve) => setTimeout(resolve, 20));
    await marks.markKnown("number");
    const { knownSinceMs, ...rest } = await recall(marks);
    expect({ ...rest, knownSinceMs: null }).toEqual({ ...NOTHING, numberKnown: true });
    expect(knownSinceMs, "its first verification counts").toBeGreaterThanOrEqual(beforeMs);
    expect(knownSinceMs).toBeLessThanOrEqual(afterMs);
    expect(await recall(marks, "another")).toEqual(NOTHING);
  });

  test("a refused number is refused by the channels it was refused by, until it is lifted", async () => {
    const marks = open();
    await marks.refuseNumber("number", ["sms", "voice"], "opted_out", 600);
    await marks.refuseNumber("another", ["whatsapp"], "unreachable", 600);
    expect(await recall(marks)).toEqual({ ...NOTHING, refusal: "opted_out" });
    expect(await recall(marks, "another")).toEqual(NOTHING);
    await marks.refuseNumber("number", ["sms"], "fraud", 600);
    expect(await recall(marks)).toMatchObject({ refusal: "fraud" });
    expect(await marks.liftRefusals(["older", "number"], ["sms", "voice", "whatsapp"])).toBe(2);
    expect(await recall(marks)).toEqual(NOTHING);
    expect(await marks.liftRefusals(["number"], ["sms"])).toBe(0);
  });

  test("a demand is remembered to the millisecond, the first one of its tag", async () => {
    const marks = open();
    const asked = async (): Promise<[sinceMs: number, untilMs: number]> => {
      const sinceMs = Date.now();
      await marks.markAsked("ask");
      return [sinceMs, Date.now()];
    };
    const [sinceMs, untilMs] = await asked();
    await new Promise((resolve) => setTimeout(resolve, 20));
    const [laterMs] = await asked();
    expect(laterMs).toBeGreaterThan(untilMs);
    const { askedAtMs } = await recall(marks);
    expect(askedAtMs).toBeGreaterThanOrEqual(sinceMs);
    expect(askedAtMs).toBeLessThanOrEqual(untilMs);
    expect(await recall(marks, "number", "another")).toEqual(NOTHING);
  });

  test("failures are counted by their tags, in the order asked for, with the time of the last one", async () => {
    const marks = open();
    await marks.countFailure(["failed", "failed too"]);
    await new Promise((resolve) => setTimeout(resolve, 1200));
    const sinceMs = Date.now();
    await marks.countFailure(["failed too"]);
    const untilMs = Date.now();
    const { failures } = await recall(marks, "number", "ask", ["failed too", "never", "failed"]);
    expect(failures).toEqual([
      { count: 2, lastAtMs: expect.any(Number) },
      null,
      { count: 1, lastAtMs: expect.any(Number) },
    ]);
    const [last, , first] = failures.map((one) => one?.lastAtMs ?? 0) as [number, number, number];
    expect(last).toBeGreaterThanOrEqual(sinceMs - 1000);
    expect(last).toBeLessThanOrEqual(untilMs + 1000);
    expect(last - first).toBeGreaterThan(600);
  });

  test("50 failures at once are 50", async () => {
    const marks = open();
    await Promise.all(Array.from({ length: 50 }, () => marks.countFailure(["failed"])));
    expect((await recall(marks)).failures).toMatchObject([{ count: 50 }, null]);
  });

  test("failures are forgotten by their tags, and those of others are not", async () => {
    const marks = open();
    await marks.countFailure(["failed", "failed too", "failed as well"]);
    await marks.forgetFailures(["failed", "never"]);
    const { failures } = await recall(marks, "number", "ask", ["failed", "failed too", "failed as well"]);
    expect(failures).toMatchObject([null, { count: 1 }, { count: 1 }]);
    await marks.countFailure(["failed"]);
    expect((await recall(marks)).failures).toMatchObject([{ count: 1 }, { count: 1 }]);
  });

  test("counting and forgetting the failures of nobody, and asking for none, is no error", async () => {
    const marks = open();
    await marks.countFailure([]);
    await marks.forgetFailures([]);
    expect(await recall(marks, "number", "ask", [])).toEqual({ ...NOTHING, failures: [] });
  });

  test("one tag stands for three things that do not touch", async () => {
    const marks = open();
    const all = () => recall(marks, "same", "same", ["same"]);
    await marks.countFailure(["same"]);
    expect(await all()).toMatchObject({ numberKnown: false, askedAtMs: null, failures: [{ count: 1 }] });
    await marks.markKnown("same");
    expect(await all()).toMatchObject({ numberKnown: true, askedAtMs: null, failures: [{ count: 1 }] });
    await marks.markAsked("same");
    await marks.forgetFailures(["same"]);
    expect(await all()).toMatchObject({
      numberKnown: true,
      askedAtMs: expect.any(Number),
      failures: [null],
    });
  });
}

describe("marks, in the lab's memory", () => {
  keepsMarks(() => marksOf(memoryStore(Date.now, MEMORY_SECONDS)));

  describe("by a clock that jumps", () => {
    let now = 0;
    beforeEach(() => {
      now = Date.UTC(2026, 6, 1, 12);
    });

    test("a mark ends when its life does, which starts again with the next one, but for a demand's", async () => {
      const marks = marksOf(memoryStore(() => now, MEMORY_SECONDS));
      const markAll = () =>
        Promise.all([marks.markKnown("number"), marks.markAsked("ask"), marks.countFailure(["failed"])]);
      const startMs = now;
      await markAll();
      now += 500_000;
      await markAll();
      const after = async (seconds: number) => {
        now = startMs + 500_000 + seconds * 1000;
        const { numberKnown, askedAtMs, failures } = await recall(marks);
        return [numberKnown, askedAtMs !== null, failures[0]?.count ?? 0];
      };
      expect(await after(99)).toEqual([true, true, 2]);
      expect(await after(100)).toEqual([true, false, 2]);
      expect(await after(MEMORY_SECONDS - 1)).toEqual([true, false, 2]);
      expect(await after(MEMORY_SECONDS)).toEqual([true, false, 0]);
      expect(await after(180 * DAY - 1)).toEqual([true, false, 0]);
      expect(await after(180 * DAY)).toEqual([false, false, 0]);
    });

    test("a demand whose life is over gives way to the next one, which lives as long", async () => {
      const marks = marksOf(memoryStore(() => now, MEMORY_SECONDS));
      await marks.markAsked("ask");
      now += 600_000;
      const askedAtMs = now;
      await marks.markAsked("ask");
      now += 599_999;
      expect(await recall(marks)).toMatchObject({ askedAtMs });
      now += 1;
      expect(await recall(marks)).toEqual(NOTHING);
    });

    test("failures whose memory is over are counted from one again", async () => {
      const marks = marksOf(memoryStore(() => now, MEMORY_SECONDS));
      await marks.countFailure(["failed"]);
      now += MEMORY_SECONDS * 1000;
      await marks.countFailure(["failed"]);
      expect((await recall(marks)).failures).toEqual([{ count: 1, lastAtMs: now }, null]);
    });
  });
});

describeOnRedis("marks", (upstash) => {
  const open = () => marksOf(storeOn(upstash().connect(), Date.now, MEMORY_SECONDS));

  keepsMarks(open);

  test("everything is recalled with one command", async () => {
    const marks = open();
    await recall(marks);
    upstash().countFromHere();
    await recall(marks);
    expect(upstash().service.stats).toEqual({ requests: 1, commands: 1, byName: { evalsha: 1 } });
  });

  test("each mark is one request", async () => {
    const marks = open();
    const markAll = async () => {
      await marks.markKnown("number");
      await marks.markAsked("ask");
      await marks.countFailure(["failed", "failed too", "failed as well"]);
      await marks.forgetFailures(["failed", "failed too", "failed as well"]);
    };
    await markAll();
    upstash().countFromHere();
    await markAll();
    expect(upstash().service.stats).toMatchObject({ requests: 4, commands: 4 });
  });

  test("marks have the lives and the names that the table of keys says", async () => {
    const marks = open();
    await Promise.all([
      marks.markKnown("number"),
      marks.markAsked("ask"),
      marks.countFailure(["failed", "failed too"]),
    ]);
    const lives = await upstash().lives();
    const expected: Record<string, number> = {
      "tg:known:number": 180 * DAY,
      "tg:asked:ask": 600,
      "tg:fail:failed": MEMORY_SECONDS,
      "tg:fail:failed too": MEMORY_SECONDS,
    };
    expect(Object.keys(lives).sort()).toEqual(Object.keys(expected).sort());
    for (const [key, seconds] of Object.entries(lives)) {
      expect(expected[key]).toBeGreaterThanOrEqual(seconds);
      expect(expected[key]).toBeLessThan(seconds + 10);
    }
  });

  test("a mark's life starts again with the next one, but for a demand's", async () => {
    const redis = upstash().connect();
    const marks = marksOf(storeOn(redis, Date.now, MEMORY_SECONDS));
    const markAll = () =>
      Promise.all([marks.markKnown("number"), marks.markAsked("ask"), marks.countFailure(["failed"])]);
    await markAll();
    const names = Object.keys(await upstash().lives());
    for (const name of names) await redis.expire(name, 100);
    await markAll();
    const { "tg:asked:ask": asked, ...lives } = await upstash().lives();
    expect(Object.values(lives)).toHaveLength(2);
    expect(Math.min(...Object.values(lives))).toBeGreaterThan(500);
    expect(asked).toBeGreaterThan(90);
    expect(asked).toBeLessThanOrEqual(100);
  });

  test("a mark whose life is over is gone", async () => {
    const redis = upstash().connect();
    const marks = marksOf(storeOn(redis, Date.now, MEMORY_SECONDS));
    await Promise.all([marks.markKnown("number"), marks.markAsked("ask"), marks.countFailure(["failed"])]);
    for (const name of Object.keys(await upstash().lives())) await redis.pexpire(name, 1);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(await recall(marks)).toEqual(NOTHING);
  });

  test("another isolate remembers the same", async () => {
    await open().markKnown("number");
    await open().countFailure(["failed"]);
    expect(await recall(open())).toMatchObject({ numberKnown: true, failures: [{ count: 1 }, null] });
  });

  test("tags that look like numbers, or like JSON, come back as they went in", async () => {
    const marks = open();
    for (const tag of ["0123", "1e9", "null", "{}", '"', "a:b"]) {
      await marks.markKnown(tag);
      await marks.countFailure([tag]);
      expect(await recall(marks, tag, tag, [tag])).toMatchObject({
        numberKnown: true,
        askedAtMs: null,
        failures: [{ count: 1 }],
      });
    }
  });
});
