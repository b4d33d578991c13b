import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { openUpstash } from "../../../src/adapters/upstash/upstash-client.ts";
import { countOutcome } from "../../../src/domain/monitor/counting.ts";
import {
  type Behaviour,
  deadUrl,
  json,
  openRudeServer,
  page,
  type RecordedRequest,
  type RudeServer,
} from "../../support/rude-server.ts";
import { budgetsOf, claimsOf, limitsOf, marksOf, storeOn } from "../../support/store-parts.ts";
import { describeOnRedis } from "../support/support-redis.ts";
import { holdOf, levelOf, meterOf, reserve } from "./support-budgets.ts";
import { takeOf } from "./support-takes.ts";

const RULES = [{ max: 5, window_seconds: 3600 }];
const TAKES = [
  takeOf(RULES, "exactly", "secret-subject"),
  takeOf(RULES, "sliding", "secret-subject"),
  { ...takeOf(RULES, "sliding", "secret-subject"), peek: true },
];

const LEVELS = [levelOf(5)];
const HOLD = holdOf(LEVELS, { meters: [meterOf(5)] });
const TAGS = {
  numberTag: "secret-tag",
  askTag: "secret-tag",
  failureTags: ["secret-tag"],
  channel: "sms" as const,
};

function portsOn(redis: ReturnType<typeof openUpstash>) {
  const limits = limitsOf(storeOn(redis, Date.now));
  const claims = claimsOf(storeOn(redis, Date.now));
  const counters = storeOn(redis, Date.now).counters;
  const budgets = budgetsOf(storeOn(redis, Date.now));
  const marks = marksOf(storeOn(redis, Date.now, 3600));
  return {
    limits,
    claims,
    counters,
    budgets,
    marks,
    askAll: () =>
      Promise.all([
        limits.take(TAKES),
        claims.claim("secret-key", "value", 600),
        counters.window(1000, 15),
        budgets.read(LEVELS, HOLD.meters),
        reserve(budgets, LEVELS, HOLD),
        budgets.spend(meterOf(5)),
        marks.recall(TAGS),
      ]),
  };
}

/** A Redis that gives every command of a request this one answer. */
const toEveryCommand =
  (answer: { result: unknown } | { error: string }) =>
  async ({ body }: RecordedRequest): Promise<Behaviour> =>
    json(
      200,
      JSON.parse(body).map(() => answer),
    );

const silence = { kind: "unavailable", cause: "error answer" };
const silent = (cause: string) => Array.from({ length: 7 }, () => ({ kind: "unavailable", cause }));

describeOnRedis("limits, claims, counters, budgets and marks", (upstash) => {
  test("are unavailable when Redis takes longer than a second", async () => {
    upstash().service.faults.delayMs = 1500;
    expect(await portsOn(upstash().connect(undefined, 1000)).askAll()).toEqual(
      silent("no answer in 1000 ms"),
    );
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
    const kinds = (await askAll()).map(({ kind }) => kind);
    expect(kinds).toEqual(["answered", "held", "answered", "answered", "granted", "granted", "answered"]);
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
    ["half an answer", { kind: "cut", status: 200, body: '[{"result":[1,5,4,0]},' }],
    ["a closed connection", { kind: "drop" }],
  ];

  test.for(noAnswers)("that answers with %s is unavailable", async ([, behaviour]) => {
    server.behave(behaviour);
    expect(await open().askAll()).toEqual(silent("error answer"));
  });

  test("that answers with an error for each command is unavailable", async () => {
    server.behave(toEveryCommand({ error: "ERR max daily request limit exceeded" }));
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

  const strangeAnswers = ["null", "[]", "[null]", "{}", '"OK"', "1", "true", "-1", "[2]", "[true]"];

  test.for(strangeAnswers)("that answers %s to every command allows nothing", async (text) => {
    server.behave(toEveryCommand({ result: JSON.parse(text) }));
    const answer = await open().limits.take(TAKES);
    const allowed = answer.kind === "answered" ? answer.results.filter((one) => one.allowed) : [];
    expect(allowed).toEqual([]);
  });

  test.for(strangeAnswers)("that answers %s to every command grants no reservation", async (text) => {
    server.behave(toEveryCommand({ result: JSON.parse(text) }));
    expect(await reserve(open().budgets, LEVELS, HOLD)).toEqual(silence);
  });

  test.for(strangeAnswers)(
    "that answers %s to every command reads no level and no meter as empty",
    async (text) => {
      server.behave(toEveryCommand({ result: JSON.parse(text) }));
      expect(await open().budgets.read(LEVELS, HOLD.meters)).toEqual(silence);
    },
  );

  test.for(strangeAnswers)("that answers %s to every command is no memory of anybody", async (text) => {
    server.behave(toEveryCommand({ result: JSON.parse(text) }));
    expect(await open().marks.recall(TAGS)).toEqual(silence);
  });

  test("is asked once, because a lost answer may have been counted", async () => {
    server.behave({ kind: "drop" });
    await open().limits.take(TAKES.slice(0, 1));
    expect(server.requests).toHaveLength(1);
  });

  test("fails what goes on behind an answer, which is logged there", async () => {
    server.behave(json(500, { error: "ERR" }));
    const { limits, claims, counters, budgets, marks } = open();
    await expect(limits.refund(TAKES)).rejects.toThrow();
    await expect(claims.release("secret-key", "value")).rejects.toThrow();
    await expect(counters.count([{ minute: 1000, entries: countOutcome("x") }])).rejects.toThrow();
    await expect(budgets.release(HOLD)).rejects.toThrow();
    await expect(budgets.credit(HOLD)).rejects.toThrow();
    await expect(marks.markKnown("secret-tag")).rejects.toThrow();
    await expect(marks.markAsked("secret-tag")).rejects.toThrow();
    await expect(marks.countFailure(["secret-tag"])).rejects.toThrow();
    await expect(marks.forgetFailures(["secret-tag"])).rejects.toThrow();
  });
});
