import { describe, expect, test } from "vitest";
import { storeStrain } from "../../../src/adapters/upstash/store-strain.ts";
import { openUpstash } from "../../../src/adapters/upstash/upstash-client.ts";
import { openRudeServer } from "../../support/rude-server.ts";

function strainAt(answers: readonly number[]) {
  const clock = { nowMs: 0 };
  const strain = storeStrain(() => clock.nowMs);
  for (const tookMs of answers) strain.answered(tookMs);
  return {
    strain,
    /** How many of ten requests that come at once may ask. */
    askAt(nowMs: number) {
      clock.nowMs = nowMs;
      return Array.from({ length: 10 }, () => strain.mayAsk()).filter(Boolean).length;
    },
  };
}

describe("a store whose answers come near their deadline", () => {
  test.each<[string, number[], number]>([
    ["that was never asked", [], 10],
    ["that is quick", [5, 40, 799], 10],
    ["with two slow answers", [800, 1000], 10],
    ["with three slow answers", [800, 900, 1000], 1],
    ["with slow answers among quick ones", [900, 900, 5, 900, 5, 900], 10],
    ["that was slow, and is quick for once", [900, 900, 900, 5], 10],
    ["that was slow for long, and is quick for once", [...Array(50).fill(900), 5], 1],
    ["that was slow for long, and is quick again", [...Array(50).fill(900), 5, 5, 5, 5], 10],
  ])("%s", (_, answers, may) => {
    expect(strainAt(answers).askAt(0)).toBe(may);
  });

  test("is asked by one request every two seconds, until it is quick again", () => {
    const { strain, askAt } = strainAt([900, 900, 900]);
    expect([0, 1999, 2000, 3999, 4000].map(askAt)).toEqual([1, 0, 1, 0, 1]);
    strain.answered(20);
    expect(askAt(4001)).toBe(10);
  });

  test("under ten times the load it bears is asked by a sixth of it at most, and the rest is shed at once", () => {
    // It answers ten requests in its deadline, and a hundred come each second.
    const clock = { nowMs: 0 };
    const strain = storeStrain(() => clock.nowMs);
    let waiting = 0;
    let [asked, shed] = [0, 0];
    for (let second = 0; second < 60; second++) {
      clock.nowMs = second * 1000;
      for (let i = 0; i < 100; i++) {
        if (strain.mayAsk()) waiting += 1;
        else shed += 1;
      }
      const late = waiting > 10;
      asked += waiting;
      for (let i = 0; i < waiting; i++) strain.answered(late ? 1000 : 50);
      waiting = 0;
    }
    expect(asked + shed).toBe(6000);
    expect(asked).toBeLessThanOrEqual(1000);
  });
});

test("the client tells how long each round trip took, answered or not", async () => {
  const server = await openRudeServer();
  const took: number[] = [];
  const redis = openUpstash(
    { UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: "token" },
    (tookMs) => took.push(tookMs),
  );
  server.behave({ kind: "hang" });
  await expect(redis.get("key")).rejects.toThrow();
  expect(took).toHaveLength(1);
  expect(took[0]).toBeGreaterThanOrEqual(900);
  server.behave({ kind: "drop" });
  await expect(redis.get("key")).rejects.toThrow();
  expect(took).toHaveLength(2);
  await server.close();
});
