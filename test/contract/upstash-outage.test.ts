import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openUpstash } from "../../src/adapters/upstash.ts";
import { upstashClaims } from "../../src/adapters/upstash-claims.ts";
import { upstashCounters } from "../../src/adapters/upstash-counters.ts";
import { upstashLimits } from "../../src/adapters/upstash-limits.ts";
import {
  type Behaviour,
  deadUrl,
  json,
  openRudeServer,
  page,
  type RudeServer,
} from "../support/rude-server.ts";
import { describeOnRedis } from "./support-redis.ts";
import { takeOf } from "./support-takes.ts";

const RULES = [{ max: 5, window_seconds: 3600 }];
const TAKES = [
  takeOf(RULES, "destination", "secret-subject"),
  takeOf(RULES, "caller", "secret-subject"),
  { ...takeOf(RULES, "caller", "secret-subject"), peek: true },
];

function portsOn(redis: ReturnType<typeof openUpstash>) {
  const limits = upstashLimits(redis, Date.now);
  const claims = upstashClaims(redis);
  const counters = upstashCounters(redis);
  return {
    limits,
    claims,
    counters,
    askAll: () =>
      Promise.all([limits.take(TAKES), claims.claim("secret-key", "value", 600), counters.window(1000, 15)]),
  };
}

const silent = (cause: string) => Array.from({ length: 3 }, () => ({ kind: "unavailable", cause }));

describeOnRedis("limits, claims and counters", (upstash) => {
  test("are unavailable when Redis takes longer than a second", async () => {
    upstash().service.faults.delayMs = 1500;
    expect(await portsOn(upstash().connect()).askAll()).toEqual(silent("no answer in 1000 ms"));
  });

  test("are unavailable when Redis is down", async () => {
    upstash().service.faults.down = true;
    expect(await portsOn(upstash().connect()).askAll()).toEqual(silent("error answer"));
  });

  test("are unavailable to a wrong token", async () => {
    expect(await portsOn(upstash().connect("another-token")).askAll()).toEqual(silent("error answer"));
    expect(await upstash().lives()).toEqual({});
  });

  test("work again as soon as Redis does", async () => {
    const { askAll } = portsOn(upstash().connect());
    upstash().service.faults.down = true;
    await askAll();
    upstash().service.faults.down = false;
    expect(await askAll()).toMatchObject([{ kind: "answered" }, { kind: "held" }, { kind: "answered" }]);
  });
});

describe("a broken Redis", () => {
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  const open = (url = server.url) =>
    portsOn(openUpstash({ UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: "secret-token" }));

  const noAnswers: [name: string, behaviour: Behaviour][] = [
    ["a page", page(200)],
    ["an error page", page(502)],
    ["an error for the whole request", json(400, { error: "ERR failed to parse pipeline request" })],
    ["one answer for many commands", json(200, { result: "OK" })],
    ["no answers at all", json(200, [])],
    [
      "an error for each command",
      json(200, Array(16).fill({ error: "ERR max daily request limit exceeded" })),
    ],
    ["half an answer", { kind: "cut", status: 200, body: '[{"result":[1,5,4,0]},' }],
    ["a closed connection", { kind: "drop" }],
  ];

  test.for(noAnswers)("that answers with %s is unavailable", async ([, behaviour]) => {
    server.behave(behaviour);
    expect(await open().askAll()).toEqual(silent("error answer"));
  });

  test.for<[name: string, behaviour: Behaviour]>([
    ["says nothing", { kind: "hang" }],
    ["falls silent in the middle", { kind: "hang_in_body", status: 200, body: "[" }],
  ])("that %s is unavailable after a second", async ([, behaviour]) => {
    server.behave(behaviour);
    expect(await open().askAll()).toEqual(silent("no answer in 1000 ms"));
  });

  test("that nobody reaches is unavailable", async () => {
    expect(await open(await deadUrl()).askAll()).toEqual(silent("error answer"));
  });

  test.for([null, [], [null], {}, "OK", "1", true, -1])(
    "that answers %j to every command allows nothing",
    async (result) => {
      server.behave(json(200, Array(16).fill({ result })));
      const answer = await open().limits.take(TAKES);
      const allowed = answer.kind === "answered" ? answer.results.filter((one) => one.allowed) : [];
      expect(allowed).toEqual([]);
    },
  );

  test("is asked once, because a lost answer may have been counted", async () => {
    server.behave({ kind: "drop" });
    await open().limits.take(TAKES.slice(0, 1));
    expect(server.requests).toHaveLength(1);
  });

  test("fails what goes on behind an answer, which is logged there", async () => {
    server.behave(json(500, { error: "ERR" }));
    const { limits, claims, counters } = open();
    await expect(limits.refund(TAKES)).rejects.toThrow();
    await expect(claims.release("secret-key")).rejects.toThrow();
    await expect(counters.count("sent", 1000)).rejects.toThrow();
  });
});
