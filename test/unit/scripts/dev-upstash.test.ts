import { Ratelimit } from "@upstash/ratelimit";
import { Redis } from "@upstash/redis";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type LocalRedis, openRedis } from "../../../scripts/dev/redis.ts";
import { type LocalServer, serveLocally } from "../../../scripts/dev/serve.ts";
import { makeUpstash, type UpstashService } from "../../../scripts/dev/upstash.ts";

const TOKEN = "a-token-for-tests";
const WITHOUT_SERVERS = { PATH: "" };

const best = await openRedis();
const variants = [
  { name: "in memory", open: () => openRedis(WITHOUT_SERVERS) },
  ...(best.kind === "memory" ? [] : [{ name: `on ${best.kind}`, open: async () => best }]),
];
if (best.kind === "memory") console.log("no redis-server here: the local Upstash is tried in memory only");

describe.each(variants)("the local Upstash $name", ({ name, open }) => {
  const isReal = name !== "in memory";
  let redis: LocalRedis;
  let service: UpstashService;
  let server: LocalServer;
  let client: Redis;

  beforeAll(async () => {
    redis = await open();
    service = makeUpstash({ redis: redis.client, token: TOKEN });
    server = await serveLocally(service.handle);
    client = new Redis({ url: server.url, token: TOKEN, enableTelemetry: false, retry: false });
  });
  beforeEach(async () => {
    await redis.client.call("flushdb");
    service.faults.delayMs = 0;
    service.faults.down = false;
  });
  afterAll(async () => {
    await server.close();
    await redis.close();
  });

  function send(path: string, body?: unknown, headers: Record<string, string> = {}, method = "POST") {
    return fetch(`${server.url}${path}`, {
      method,
      headers: { authorization: `Bearer ${TOKEN}`, ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
  }

  test("a wrong or missing token is refused with 401", async () => {
    const wrong = await send("/", ["PING"], { authorization: "Bearer wrong" });
    expect(wrong.status).toBe(401);
    expect(await wrong.json()).toEqual({ error: "WRONGPASS invalid password" });
    expect((await fetch(`${server.url}/ping`)).status).toBe(401);
    expect((await fetch(`${server.url}/ping?_token=${TOKEN}`)).status).toBe(200);
  });

  test("the client reads back what it wrote, text of any script included", async () => {
    await client.set("text", "नमस्ते ✓");
    await client.hset("map", { b: "two", a: 1 });
    expect(await client.get("text")).toBe("नमस्ते ✓");
    expect(await client.hgetall("map")).toEqual({ a: 1, b: "two" });
    expect(await client.get("nothing")).toBeNull();
  });

  test("a command can stand in the path, with a body and a query behind it", async () => {
    expect(await (await send("/set/foo/a%20b", undefined, {}, "GET")).json()).toEqual({ result: "OK" });
    expect(await (await send("/get/foo", undefined, {}, "GET")).json()).toEqual({ result: "a b" });
    await send("/set/foo?EX=100", "from the body");
    expect(await (await send("/get/foo", undefined, {}, "GET")).json()).toEqual({ result: "from the body" });
    expect(await (await send("/ttl/foo", undefined, {}, "GET")).json()).toEqual({ result: 100 });
  });

  test("strings come in base64 when asked, except OK", async () => {
    const base64 = { "upstash-encoding": "base64" };
    expect(await (await send("/", ["SET", "foo", "bar"], base64)).json()).toEqual({ result: "OK" });
    expect(await (await send("/", ["GET", "foo"], base64)).json()).toEqual({ result: "YmFy" });
    expect(await (await send("/pipeline", [["MGET", "foo", "no"]], base64)).json()).toEqual([
      { result: ["YmFy", null] },
    ]);
  });

  test("a failed command is 400 alone and one line of a pipeline", async () => {
    const single = await send("/", ["NONSENSE", "x"]);
    expect(single.status).toBe(400);
    expect(await single.json()).toEqual({ error: expect.stringMatching(/^ERR unknown command 'NONSENSE'/) });

    const many = await send("/pipeline", [["SET", "a", "1"], ["NONSENSE"], ["INCR", "a"]]);
    expect(many.status).toBe(200);
    expect(await many.json()).toEqual([
      { result: "OK" },
      { error: expect.stringMatching(/^ERR unknown command/) },
      { result: 2 },
    ]);
  });

  test("a transaction runs whole or, with a command that cannot run, not at all", async () => {
    const fine = await send("/multi-exec", [
      ["SET", "a", "1"],
      ["INCR", "a"],
    ]);
    expect(await fine.json()).toEqual([{ result: "OK" }, { result: 2 }]);

    for (const impossible of [["NONSENSE"], ["WATCH", "a"]]) {
      const given = await send("/multi-exec", [["SET", "a", "changed"], impossible]);
      expect(given.status).toBe(400);
      expect(await given.json()).toEqual({ error: expect.any(String) });
    }
    expect(await client.get("a")).toBe(2);
  });

  test.runIf(isReal)("errors inside Redis are told as the documentation's samples tell them", async () => {
    const commands = [
      ["SET", "key1", "valuex"],
      ["SETEX", "key2", 13, "valuez"],
      ["INCR", "key1"],
      ["ZADD", "myset", 11, "item1", 22, "item2"],
    ];
    const expected = [
      { result: "OK" },
      { result: "OK" },
      { error: expect.stringMatching(/^ERR value is not an int/) },
      { result: 2 },
    ];
    expect(await (await send("/pipeline", commands)).json()).toEqual(expected);
    await client.flushdb();
    expect(await (await send("/multi-exec", commands)).json()).toEqual(expected);
    const short = await send("/get", undefined, {}, "GET");
    expect(short.status).toBe(400);
    expect(await short.json()).toEqual({ error: "ERR wrong number of arguments for 'get' command" });
  });

  test.each([
    ["BLPOP", "list", "1"],
    ["WATCH", "a"],
    ["SELECT", "1"],
    ["XREAD", "BLOCK", "0", "STREAMS", "s", "$"],
    ["SUBSCRIBE", "c"],
  ])("%s is not available over REST", async (...command) => {
    const response = await send("/", command);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ error: expect.stringContaining("not available") });
  });

  test.each([
    ["/", "not json"],
    ["/", "{}"],
    ["/", "[]"],
    ["/", '[["SET","a","1"]]'],
    ["/", '["SET","a",null]'],
    ["/pipeline", '["SET","a","1"]'],
    ["/pipeline", "[]"],
    ["/multi-exec", "[[]]"],
    ["/get/%E0%A4%A", ""],
  ])("a malformed request to %s is 400: %s", async (path, body) => {
    expect((await send(path, body)).status).toBe(400);
  });

  test("methods and formats that are not served are told so", async () => {
    expect((await send("/get/a", undefined, {}, "DELETE")).status).toBe(405);
    expect((await send("/", ["GET", "a"], { "upstash-response-format": "resp2" })).status).toBe(400);
  });

  test("a script is found by the hash of what the client wrote, its first line included", async () => {
    const script = "#!lua flags=allow-key-locking\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])";
    const sha = "0f0c3e1a4f7a1b2c3d4e5f60718293a4b5c6d7e8";
    const unknown = await send("/", ["EVALSHA", sha, 1, "n", 5]);
    expect(await unknown.json()).toEqual({ error: expect.stringMatching(/^NOSCRIPT/) });

    expect(await client.eval(script, ["n"], [5])).toBe(5);
    const loaded = await client.scriptLoad(script);
    expect(await client.evalsha(loaded, ["n"], [5])).toBe(10);
    expect(await client.scriptExists(loaded, sha)).toEqual([1, 0]);
    await client.scriptFlush();
    await expect(client.evalsha(loaded, ["n"], [5])).rejects.toThrow("NOSCRIPT");
  });

  test("scripts see missing values as false and give back what Redis would", async () => {
    const reply = await client.eval(
      `local fields = redis.call('HMGET', KEYS[1], 'a', 'b')
       redis.call('ZADD', KEYS[2], 5, 'old', 9, 'new')
       redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', 5)
       redis.call('INCRBY', KEYS[3], 4)
       redis.call('PEXPIRE', KEYS[3], 50000)
       return { type(fields[1]), #fields, redis.call('ZCARD', KEYS[2]), redis.call('GET', KEYS[3]),
                redis.call('PTTL', KEYS[3]) > 40000, 3.99, redis.call('ZRANGE', KEYS[2], 0, -1, 'WITHSCORES') }`,
      ["no-such-map", "set", "count"],
      [],
    );
    expect(reply).toEqual(["boolean", 2, 1, 4, 1, 3, ["new", 9]]);
    await expect(client.eval("return redis.error_reply('NOPE not today')", [], [])).rejects.toThrow("NOPE");
    await expect(client.eval("return nonsense(", [], [])).rejects.toThrow("user_script:1:");
  });

  test.each(["fixedWindow", "slidingWindow"] as const)("the rate limiter's %s counts", async (kind) => {
    const limiter = new Ratelimit({
      redis: client,
      limiter: Ratelimit[kind](2, "60 s"),
      prefix: `limit-${kind}`,
      ephemeralCache: false,
    });
    const answers = [];
    for (let i = 0; i < 3; i++) answers.push((await limiter.limit("someone")).success);
    expect(answers).toEqual([true, true, false]);
    expect((await limiter.limit("someone else")).success).toBe(true);
    expect((await limiter.getRemaining("someone")).remaining).toBe(0);
  });

  test("the rate limiter's token bucket refills", async () => {
    const limiter = new Ratelimit({
      redis: client,
      limiter: Ratelimit.tokenBucket(1, "100 ms", 2),
      prefix: "bucket",
      ephemeralCache: false,
    });
    const take = async () => (await limiter.limit("someone")).success;
    expect([await take(), await take(), await take()]).toEqual([true, true, false]);
    await new Promise((resolve) => setTimeout(resolve, 150));
    expect(await take()).toBe(true);
  });

  test("hops and commands are counted, so that a test can hold them down", async () => {
    const before = structuredClone(service.stats);
    await client.pipeline().incr("a").incr("a").get("a").exec();
    expect(service.stats.requests - before.requests).toBe(1);
    expect(service.stats.commands - before.commands).toBe(3);
    expect((service.stats.byName.incr ?? 0) - (before.byName.incr ?? 0)).toBe(2);
  });

  test("it can be slow and it can be down", async () => {
    service.faults.delayMs = 80;
    const startedMs = performance.now();
    await client.ping();
    expect(performance.now() - startedMs).toBeGreaterThan(75);
    service.faults.down = true;
    await expect(client.ping()).rejects.toThrow();
  });
});

test("two Redises in memory share nothing", async () => {
  const [one, two] = await Promise.all([openRedis(WITHOUT_SERVERS), openRedis(WITHOUT_SERVERS)]);
  await one.client.call("set", "a", "1");
  expect(await two.client.call("get", "a")).toBeNull();
  await Promise.all([one.close(), two.close()]);
});

test("a REDIS_URL where nothing answers is an error, not a silent fallback", async () => {
  await expect(openRedis({ REDIS_URL: "redis://127.0.0.1:1" })).rejects.toThrow("REDIS_URL is set");
});
