import { beforeEach, expect, test } from "vitest";
import type { Level } from "../../../src/domain/admission/exposure.ts";
import { countSent } from "../../../src/domain/monitor/counting.ts";
import { budgetsOf, claimsOf, limitsOf, marksOf, receiptsOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";
import { DAY, DAY_SLOT_MS, holdOf, levelOf, meterOf, NOON_MS, read, reserve } from "./support-budgets.ts";
import { draw, takeOf } from "./support-takes.ts";

const SLOT = NOON_MS / DAY_SLOT_MS;

describeOnRedis(
  "beside the version before, which kept a hash for each level and a sorted set for each log",
  (upstash) => {
    let redis: ReturnType<ReturnType<typeof upstash>["connect"]>;
    let nowMs = NOON_MS;
    beforeEach(() => {
      redis = upstash().connect();
      nowMs = NOON_MS;
    });
    const open = () => storeOn(upstash().connect(), () => nowMs);

    /** A level as that version left it: two messages of an hour ago, one of them verified, and the past. */
    async function keptBefore(level: Level): Promise<void> {
      await redis.hset(`tg:x:${level.key}`, {
        [`u${SLOT - 1}`]: 100,
        [`n${SLOT - 1}`]: 2,
        [`v${SLOT}`]: 100,
        "u-1": 700,
        "v-1": 5000,
        e: 57,
        t: NOON_MS / 1000 - 60,
      });
      await redis.expire(`tg:x:${level.key}`, 30 * DAY);
    }

    test("its budgets go on: what is unanswered, verified, earned and past", async () => {
      const budgets = budgetsOf(open());
      const level = levelOf(2);
      await keptBefore(level);
      const before = { unverified: 100, verified: 100, messages: 2, earned: 57 };
      expect(await read(budgets, [level])).toMatchObject([
        { ...before, past: { unverified: 700, verified: 5000 } },
      ]);
      expect(await reserve(budgets, [level], holdOf([level]))).toMatchObject({ kind: "granted" });
      expect(await reserve(budgets, [level], holdOf([level]))).toMatchObject({ kind: "exhausted" });
      const after = { ...before, unverified: 200, messages: 3 };
      expect(await read(budgetsOf(open()), [level])).toMatchObject([
        { ...after, past: { unverified: 700, verified: 5000 } },
      ]);
    });

    test("its spend counts towards the caps, while it goes on spending too", async () => {
      const budgets = budgetsOf(open());
      const meter = meterOf(10, { scope: "spend:all", period: "month", amount: 3 });
      await redis.set("tg:spend:all:2026-07", 4);
      expect(await reserve(budgets, [], holdOf([], { meters: [meter] }))).toMatchObject({
        meters: [{ total: 7 }],
      });
      await redis.incrby("tg:spend:all:2026-07", 2);
      expect(await budgets.read([], [meter])).toMatchObject({ totals: [9] });
      expect(await reserve(budgets, [], holdOf([], { meters: [meter] }))).toMatchObject({ kind: "capped" });
    });

    test("its draws on a number, and the distinct numbers of an address, count", async () => {
      const limits = limitsOf(open());
      await redis.zadd("tg:log:number:somebody", { score: NOON_MS - 1000, member: "a-request" });
      await redis.expire("tg:log:number:somebody", DAY);
      const minute = [{ max: 1, window_seconds: 60 }];
      expect(await draw(limits, takeOf(minute, "exactly", "somebody"))).toMatchObject({
        allowed: false,
        retryAfterSeconds: 59,
      });
      const address = { ...takeOf([{ max: 2, window_seconds: 3600 }]), name: "numbers_per_ip" as const };
      const key = `tg:log:numbers_per_ip:${address.subject}`;
      await redis.zadd(key, { score: NOON_MS - 1000, member: "one" });
      expect(await draw(limits, { ...address, member: "one" })).toMatchObject({ allowed: true, used: 1 });
      expect(await draw(limits, { ...address, member: "two" })).toMatchObject({ allowed: true, used: 2 });
      // That version goes on beside this one.
      await redis.zadd(key, { score: NOON_MS - 500, member: "three" });
      expect(await draw(limits, { ...address, member: "four" })).toMatchObject({ allowed: false, used: 3 });
    });

    test.for(["release", "credit"] as const)(
      "its open reservations end here with a %s, once",
      async (act) => {
        const budgets = budgetsOf(open());
        const level = levelOf(5);
        const meter = meterOf(9, { scope: "spend:all", period: "month", amount: 2 });
        const hold = holdOf([level], { meters: [meter], person: "known:number:tag" });
        await redis.hset(`tg:x:${level.key}`, { [`u${SLOT}`]: 100, [`n${SLOT}`]: 1 });
        await redis.expire(`tg:x:${level.key}`, DAY);
        await redis.set("tg:spend:all:2026-07", 2, { ex: DAY });
        await redis.set(`tg:hold:${hold.id}`, 1, { ex: 3600 });
        await redis.hset("tg:open:known:number:tag", { [hold.id]: "{}" });
        for (let i = 0; i < 2; i++) await budgets[act](hold);
        const credited = act === "credit" ? { verified: 100, earned: 1 } : { verified: 0, earned: 0 };
        const messages = act === "credit" ? 1 : 0;
        expect(await read(budgets, [level])).toMatchObject([{ ...credited, unverified: 0, messages }]);
        expect(await budgets.read([], [meter])).toMatchObject({ totals: [act === "credit" ? 2 : 0] });
        expect(await redis.exists(`tg:hold:${hold.id}`, "tg:open:known:number:tag")).toBe(0);
      },
    );

    test("known numbers, wrong codes, idempotency keys and owners are read and written as that version does", async () => {
      const store = open();
      await redis.set("tg:known:of-before", NOON_MS - DAY * 1000);
      await redis.set("tg:known:of-long-before", 1);
      await redis.set("tg:fail:tag", 4, { ex: 1800 });
      await redis.set("tg:idem:key", "value of before");
      const recall = (numberTag: string) =>
        marksOf(store).recall({ numberTag, askTag: "ask", failureTags: ["tag"], channel: "sms" });
      expect(await recall("of-before")).toMatchObject({
        knownSinceMs: NOON_MS - DAY * 1000,
        failures: [{ count: 4 }],
      });
      expect(await recall("of-long-before")).toMatchObject({ numberKnown: true, knownSinceMs: 0 });
      expect(await claimsOf(store).claim("key", "mine", 600)).toMatchObject({ value: "value of before" });

      await marksOf(store).markKnown("of-now");
      await marksOf(store).countFailure(["tag"]);
      await claimsOf(store).claim("another key", "mine", 600);
      const owner = {
        sessionId: "s",
        sendIndex: 0,
        correlationId: "c",
        country: "IN",
        channel: "sms" as const,
        minute: 1,
        handedOverMs: NOON_MS,
        session: null,
      };
      await receiptsOf(store).bind("p", "m", owner);
      expect(await redis.mget("tg:known:of-now", "tg:fail:tag", "tg:idem:another key", "tg:msg:p:m")).toEqual(
        [NOON_MS, 5, "mine", owner],
      );
    });

    test("a minute's counters are the fields that it wrote, and both count in them", async () => {
      const { counters } = open();
      const minute = Math.floor(NOON_MS / 60_000);
      await redis.hset(`tg:count:${minute}`, { overall: 1, "overall all": '{"s":3,"m":9000}' });
      const phone = {
        e164: "+919876543210",
        country: "IN",
        type: "mobile",
        block: "+91987654",
        prefix: "+91987",
      } as const;
      const place = { phone, channel: "sms", flow: "login", provider: "sandbox", asn: null } as const;
      await counters.count([{ minute, entries: countSent(place, 1000, "tag") }]);
      expect(await redis.hget(`tg:count:${minute}`, "overall all")).toEqual({ s: 4, m: 10_000 });
      expect(await redis.hget(`tg:count:${minute}`, "country")).toBe(1);
      expect(await redis.hget(`tg:count:${minute}`, "country IN")).toEqual({ s: 1, m: 1000 });
    });

    test("a month after it nothing of it is looked for any more", async () => {
      const budgets = budgetsOf(open());
      const levels = [levelOf(5)];
      await reserve(budgets, levels, holdOf(levels));
      nowMs += 32 * DAY * 1000;
      const old = levelOf(5);
      await redis.hset(`tg:x:${old.key}`, { [`u${Math.floor(nowMs / DAY_SLOT_MS)}`]: 100 });
      expect(await read(budgets, [old])).toMatchObject([{ unverified: 0 }]);
    });
  },
);
