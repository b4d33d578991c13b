import { Miniflare } from "miniflare";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { kvRouteRecords } from "../../../src/adapters/cloudflare/kv-route-records.ts";
import {
  NEW_ROUTE_RECORD,
  type RouteRecord,
  type RoutingPolicy,
} from "../../../src/domain/delivery/routing.ts";

const START_MS = Date.UTC(2026, 6, 1, 12);
const POLICY: RoutingPolicy = {
  pin: {},
  weight: {},
  drain: [],
  equal_within: 0.02,
  rest: { after_failures: 3, seconds: [30, 120, 600] },
};
const KEY = "a/sms/IN";
const RECORD: RouteRecord = { verified: 12.5, unanswered: 4.25, failures: 0, restUntilMs: 0 };

let platform: Miniflare;
let kv: KVNamespace;
let nowMs = START_MS;
let facts: { fact: string; evidence: object }[] = [];
let reads: unknown[] = [];

const open = (store: Pick<KVNamespace, "get" | "put"> = kv) =>
  kvRouteRecords(
    {
      get: (...args: [string, object]) => {
        reads.push(args);
        return store.get(...(args as [string, { type: "text" }]));
      },
      put: (...args: Parameters<KVNamespace["put"]>) => store.put(...args),
    } as unknown as KVNamespace,
    POLICY,
    () => nowMs,
    (fact, evidence) => facts.push({ fact, evidence }),
  );

const recordOf = async (routes: ReturnType<typeof open>) => (await routes.records()).get(KEY);

beforeAll(() => {
  platform = new Miniflare({
    modules: true,
    script: "export default {}",
    compatibilityDate: "2026-07-01",
    kvNamespaces: ["CONTROL"],
  });
});
beforeEach(async () => {
  kv = (await platform.getKVNamespace("CONTROL")) as unknown as KVNamespace;
  await kv.delete("routes");
  nowMs = START_MS;
  facts = [];
  reads = [];
});
afterAll(() => platform.dispose());

describe("the routes on KV", () => {
  test("where nothing was ever written nothing is known, and nothing is wrong", async () => {
    expect(await open().records()).toEqual(new Map());
    expect(facts).toEqual([]);
  });

  test("what the cron writes is read as it was, in another place", async () => {
    const records = new Map([
      [KEY, RECORD],
      ["b/voice/BR", { ...NEW_ROUTE_RECORD, failures: 4, restUntilMs: START_MS + 30_000 }],
    ]);
    expect(await open().write(records)).toEqual({ kind: "done" });
    expect(await open().records()).toEqual(records);
  });

  test("a cron that knows of no route any more says so", async () => {
    await open().write(new Map([[KEY, RECORD]]));
    await open().write(new Map());
    expect(await open().records()).toEqual(new Map());
  });

  test("records nobody renews are gone in an hour", async () => {
    await open().write(new Map([[KEY, RECORD]]));
    const { keys } = await kv.list();
    const lifeSeconds = (keys.find(({ name }) => name === "routes")?.expiration ?? 0) - Date.now() / 1000;
    expect(lifeSeconds).toBeGreaterThan(3500);
    expect(lifeSeconds).toBeLessThanOrEqual(3600);
  });

  test("a place reads at most every 15 s, however many messages leave, and sees what is new then", async () => {
    const routes = open();
    await Promise.all([routes.records(), routes.records()]);
    for (let i = 0; i < 50; i++) await routes.records();
    const first = reads.length;
    expect(first).toBeLessThanOrEqual(2);
    expect(reads[0]).toEqual(["routes", { type: "text", cacheTtl: 30 }]);
    await open().write(new Map([[KEY, RECORD]]));
    nowMs += 14_999;
    expect(await recordOf(routes)).toBeUndefined();
    nowMs += 1;
    expect(await recordOf(routes)).toEqual(RECORD);
    expect(reads.length).toBe(first + 1);
  });

  test.each([
    ["no JSON", "{"],
    ["an empty text", ""],
    ["null", "null"],
    ["a list", "[]"],
    ["a record without its rest", JSON.stringify({ [KEY]: { verified: 1, unanswered: 1, failures: 0 } })],
    ["answers below zero", JSON.stringify({ [KEY]: { ...RECORD, unanswered: -1 } })],
    ["numbers in words", JSON.stringify({ [KEY]: { ...RECORD, verified: "12" } })],
    ["a megabyte of something else", `"${"x".repeat(1_000_000)}"`],
  ])("%s costs the knowledge and not the messages, and is named without its text", async (_, text) => {
    await kv.put("routes", text);
    expect(await open().records()).toEqual(new Map());
    expect(facts).toEqual([{ fact: "routes_unreadable", evidence: { error: expect.any(String) } }]);
    expect(JSON.stringify(facts)).not.toContain(KEY);
  });

  test("a KV that throws costs the knowledge for a while, and is asked again", async () => {
    let broken = true;
    const routes = open({
      get: (async () => {
        if (broken) throw new TypeError("no KV");
        return JSON.stringify({ [KEY]: RECORD });
      }) as unknown as KVNamespace["get"],
      put: kv.put,
    });
    expect(await routes.records()).toEqual(new Map());
    broken = false;
    nowMs += 15_000;
    expect(await recordOf(routes)).toEqual(RECORD);
  });

  test("a KV that refuses the write is unavailable", async () => {
    const put = async () => {
      throw new Error("429 Too Many Requests");
    };
    const routes = open({ get: kv.get.bind(kv) as KVNamespace["get"], put: put as KVNamespace["put"] });
    expect(await routes.write(new Map())).toEqual({
      kind: "unavailable",
      cause: "KV refused the routes",
    });
  });
});

describe("what this place has heard", () => {
  test("counts at once, over what the cron said, and only here", async () => {
    await open().write(new Map([[KEY, RECORD]]));
    const routes = open();
    for (let i = 0; i < 3; i++) routes.heard(KEY, true);
    expect(await recordOf(routes)).toEqual({ ...RECORD, failures: 3, restUntilMs: START_MS + 30_000 });
    expect(await recordOf(open())).toEqual(RECORD);
  });

  test("of a route the cron does not know counts too", async () => {
    const routes = open();
    for (let i = 0; i < 3; i++) routes.heard(KEY, true);
    expect(await recordOf(routes)).toEqual({
      ...NEW_ROUTE_RECORD,
      failures: 3,
      restUntilMs: START_MS + 30_000,
    });
  });

  test("outlives the cron's next word", async () => {
    const routes = open();
    for (let i = 0; i < 4; i++) routes.heard(KEY, true);
    await open().write(new Map([[KEY, RECORD]]));
    nowMs += 15_000;
    expect(await recordOf(routes)).toEqual({ ...RECORD, failures: 4, restUntilMs: START_MS + 120_000 });
  });

  test("a success ends the rest this place gave, and not the one the cron gave", async () => {
    const routes = open();
    for (let i = 0; i < 3; i++) routes.heard(KEY, true);
    routes.heard(KEY, false);
    expect((await recordOf(routes))?.restUntilMs).toBe(0);
    await open().write(new Map([[KEY, { ...RECORD, restUntilMs: START_MS + 99_000 }]]));
    nowMs += 15_000;
    expect((await recordOf(routes))?.restUntilMs).toBe(START_MS + 99_000);
  });

  test("the cron's rest is not shortened by what this place heard", async () => {
    await open().write(new Map([[KEY, { ...RECORD, restUntilMs: START_MS + 600_000 }]]));
    const routes = open();
    for (let i = 0; i < 3; i++) routes.heard(KEY, true);
    expect((await recordOf(routes))?.restUntilMs).toBe(START_MS + 600_000);
  });

  test("does not change the map that was handed out before", async () => {
    const routes = open();
    const before = await routes.records();
    for (let i = 0; i < 3; i++) routes.heard(KEY, true);
    expect(before).toEqual(new Map());
  });
});
