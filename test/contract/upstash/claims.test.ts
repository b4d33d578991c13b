import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { memoryStore } from "../../../src/memory/memory-store.ts";
import { type Claims, claimsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";

/** The claims of every store. `open` gives one in which nothing was claimed. */
function keepsClaims(open: () => Claims): void {
  test("the first one to claim a key holds it, and the others read who does", async () => {
    const claims = open();
    expect(await claims.claim("key", "first", 600)).toEqual({ kind: "held", value: "first" });
    expect(await claims.claim("key", "second", 600)).toEqual({ kind: "held", value: "first" });
    expect(await claims.claim("another", "second", 600)).toEqual({ kind: "held", value: "second" });
  });

  test("50 claims at once from one isolate agree on one holder", async () => {
    const claims = open();
    // Redis knows the script, as it does but for its first seconds.
    await open().claim("another key", "value", 600);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => claims.claim("key", `value ${i}`, 600)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toEqual({ kind: "held", value: expect.stringMatching(/^value \d+$/) });
  });

  test("a released key is free again", async () => {
    const claims = open();
    await claims.claim("key", "first", 600);
    await claims.release("key", "first");
    expect(await claims.claim("key", "second", 600)).toEqual({ kind: "held", value: "second" });
  });

  test("a release that comes late leaves the key to whoever claimed it meanwhile", async () => {
    const claims = open();
    await claims.claim("key", "first", 600);
    await claims.release("key", "first");
    await claims.claim("key", "second", 600);
    await claims.release("key", "first");
    expect(await claims.claim("key", "third", 600)).toEqual({ kind: "held", value: "second" });
  });

  test("a release frees its own key alone", async () => {
    const claims = open();
    await claims.claim("key", "same", 600);
    await claims.claim("another", "same", 600);
    await claims.release("key", "same");
    expect(await claims.claim("another", "second", 600)).toEqual({ kind: "held", value: "same" });
  });

  test("a holder's value comes back as it went in", async () => {
    const claims = open();
    const part = fc.integer({ min: 20, max: 60 }).map((size) => randomBytes(size).toString("base64url"));
    await fc.assert(
      fc.asyncProperty(part, part, part, async (key, fingerprint, token) => {
        const value = `${fingerprint} ${token}..${token}`;
        expect(await claims.claim(key, value, 600)).toEqual({ kind: "held", value });
        expect(await claims.claim(key, "another", 600)).toEqual({ kind: "held", value });
        await claims.release(key, value);
        expect(await claims.claim(key, "another", 600)).toEqual({ kind: "held", value: "another" });
      }),
      { numRuns: 30 },
    );
  });

  test("releasing a key nobody holds is no error, and whoever does not hold a key frees none", async () => {
    const claims = open();
    await claims.release("key", "anything");
    await claims.claim("key", "first", 600);
    for (const other of ["second", "", "firs", "first ", "FIRST"]) await claims.release("key", other);
    expect(await claims.claim("key", "third", 600)).toEqual({ kind: "held", value: "first" });
  });
}

describe("claims, in the stand-in", () => {
  keepsClaims(() => claimsOf(memoryStore(Date.now, 3600)));

  test("a claim ends when it was told to, and a late claimant does not prolong it", async () => {
    let nowMs = 0;
    const claims = claimsOf(memoryStore(() => nowMs, 3600));
    await claims.claim("key", "first", 90);
    await claims.claim("key", "second", 600);
    nowMs = 89_999;
    expect(await claims.claim("key", "third", 600)).toEqual({ kind: "held", value: "first" });
    nowMs = 90_000;
    expect(await claims.claim("key", "third", 600)).toEqual({ kind: "held", value: "third" });
  });
});

describeOnRedis("claims", (upstash) => {
  const open = () => claimsOf(storeOn(upstash().connect(), Date.now));

  keepsClaims(open);

  test("50 claims at once from 50 isolates agree on one holder", async () => {
    // Redis knows the script, as it does but for its first seconds.
    await open().claim("another key", "value", 600);
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, i) => open().claim("key", `value ${i}`, 600)),
    );
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1);
    expect(answers[0]).toEqual({ kind: "held", value: expect.stringMatching(/^value \d+$/) });
  });

  test("releasing a key nobody holds is no error", async () => {
    await open().release("never-claimed", "anything");
    expect(await upstash().lives()).toEqual({});
  });

  test("another holder keeps the key, whoever else releases it", async () => {
    const claims = open();
    await claims.claim("key", "first", 600);
    await claims.claim("key", "second", 600);
    for (const other of ["second", "", "firs", "first ", "FIRST"]) await open().release("key", other);
    expect(await claims.claim("key", "third", 600)).toEqual({ kind: "held", value: "first" });
    const [life = 0] = Object.values(await upstash().lives());
    expect(life, "and its life is what it was").toBeGreaterThan(590);
  });

  test("a release is one request and one command", async () => {
    const claims = open();
    await claims.claim("key", "value", 600);
    await claims.release("another key", "value");
    upstash().countFromHere();
    await claims.release("key", "value");
    expect(upstash().service.stats).toMatchObject({ requests: 1, commands: 1 });
  });

  test("a claim is one request and one command", async () => {
    const claims = open();
    await claims.claim("another key", "value", 600);
    upstash().countFromHere();
    await claims.claim("key", "value", 600);
    expect(upstash().service.stats).toMatchObject({ requests: 1, commands: 1 });
  });

  test("a claim ends when it was told to, and a late claimant does not prolong it", async () => {
    const claims = open();
    await claims.claim("key", "first", 90);
    await claims.claim("key", "second", 600);
    const [life = 0] = Object.values(await upstash().lives());
    expect(life).toBeGreaterThan(80);
    expect(life).toBeLessThanOrEqual(90);
  });
});
