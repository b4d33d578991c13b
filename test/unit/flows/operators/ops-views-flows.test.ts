import { expect, test } from "vitest";
import { routesLines } from "../../../../scripts/ops/routes.ts";
import { overrideRouting, type RouteOverride } from "../../../../src/domain/delivery/route-overrides.ts";
import type { Counts } from "../../../../src/domain/monitor/tally.ts";
import { findRoutes } from "../../../../src/flows/admission/find-routes.ts";
import { readEffectiveControl } from "../../../../src/flows/control/read-effective-control.ts";
import { findVerifications, readTrace } from "../../../../src/flows/evidence/read-trace.ts";
import {
  clearRouteInstruction,
  instructRoute,
  ROUTE_INSTRUCTIONS_MOST,
} from "../../../../src/flows/operators/change-routes.ts";
import {
  type DestinationQuestion,
  readDestinations,
} from "../../../../src/flows/operators/views/read-destinations.ts";
import { readRoutes } from "../../../../src/flows/operators/views/read-routes.ts";
import { readSources } from "../../../../src/flows/operators/views/read-sources.ts";
import { type RoutesAnswer, routesApi } from "../../../../src/http/admin/routes.ts";
import type { Deps } from "../../../../src/ports/deps.ts";
import {
  DOWN,
  depsOver,
  HOUR,
  makeWorld,
  memory,
  minuteTally,
  NOW,
  type World,
} from "../../../support/support-operate.ts";

const MINUTE = NOW / 60_000;
const ADA = { who: "ada", why: "receipts stopped" };
const QUESTION: DestinationQuestion = {
  by: "country",
  within: null,
  span: "window",
  contains: "",
  state: "any",
  sort: "sent",
  page: 1,
};

/** Providers, prices, routes and budgets that the operators' world has none of. */
function depsOf(world: World, over: Partial<Deps> = {}): Deps {
  const base = depsOver(world) as unknown as Deps;
  const asked: string[][] = [];
  const deps = {
    ...base,
    providers: new Map(
      ["sandbox", "sandbox_b"].map((name) => [
        name,
        { name, channels: ["sms"], countries: name === "sandbox_b" ? ["IN"] : null },
      ]),
    ),
    prices: ["sandbox", "sandbox_b"].map((provider) => ({
      country: "*",
      provider,
      channel: "sms",
      message_micros: 50_000,
      dlt_micros: 0,
    })),
    hosting: new Map([[24_940, "Hetzner"]]),
    routes: { records: async () => new Map() },
    random: () => 0.5,
    budgets: {
      ...base.budgets,
      read: async (levels: { key: string }[]) => {
        asked.push(levels.map(({ key }) => key));
        if (world.down.has("budgets")) return DOWN;
        const readings = levels.map((level) => ({
          level,
          unverified: 250,
          verified: 400,
          verifiedEarlier: 400,
          messages: 7,
          earned: 40,
          past: { unverified: 0, verified: 0 },
        }));
        return { kind: "answered", readings, totals: [] };
      },
    },
    control: {
      ...base.control,
      read: async () => ({
        document: null,
        blocks: [],
        routes: world.operatorRoutes,
        pauses: world.operatorPauses,
      }),
    },
    asked,
    ...over,
  };
  return deps as unknown as Deps;
}

const traffic = (counts: Record<string, Counts>) => [minuteTally(MINUTE - 10, counts)];

test("countries are shown with their own history, budget and what is shut in them", async () => {
  const world = makeWorld({
    minutes: traffic({
      "country NG": { sent: 40, verified: 2, micros: 4_000_000, refused: 9 },
      "country IN": { sent: 90, verified: 60, micros: 900_000 },
      "country *": { sent: 5 },
      "prefix +234801": { sent: 40 },
    }),
    history: {
      quarter: MINUTE / 15,
      sinceMs: NOW - 24 * HOUR,
      subjects: { "country NG": { sent: 100, verified: 70 } },
    },
    cronBlocks: [
      {
        kind: "range",
        subject: "+234801",
        sinceMs: 0,
        untilMs: NOW + HOUR,
        by: "cron",
        why: "silent",
        times: 1,
      },
    ],
  });
  const found = await readDestinations(depsOf(world), QUESTION);
  expect(found.rows.map(({ subject }) => subject)).toEqual(["IN", "NG"]);
  const [india, nigeria] = found.rows;
  expect(india).toMatchObject({ state: "open", usualRatio: null, timesUsual: null });
  expect(nigeria).toMatchObject({ ratio: 0.05, usualRatio: 0.7, state: "partly", refused: 9 });
  // 100 messages that fade, in a day of quarters: about one in a quarter of an hour.
  expect(nigeria?.timesUsual).toBeGreaterThan(20);
  // A base of 500 and two units of history; 2.5 units are out.
  expect(nigeria?.exposure).toMatchObject({ unverified: 2.5, messages: 7, most: null });
  expect(found.othersSent).toBe(5);
  expect(found.faults).toEqual([]);
});

test("destinations that people challenge are told so and found by it, a country of a shared code in part", async () => {
  const said = { kind: "range" as const, sinceMs: 0, untilMs: NOW + HOUR, by: "ada", why: "odd", times: 1 };
  const world = makeWorld({
    minutes: traffic({ "country NG": { sent: 4 }, "country US": { sent: 3 }, "country IN": { sent: 2 } }),
    operatorBlocks: [
      { ...said, subject: "+234", effect: "challenge" },
      { ...said, subject: "+1212", effect: "challenge" },
    ],
  });
  const statesOf = ({ rows }: Awaited<ReturnType<typeof readDestinations>>) =>
    rows.map(({ subject, state }) => [subject, state]);
  const challenged = await readDestinations(depsOf(world), { ...QUESTION, state: "challenged" });
  expect(statesOf(challenged)).toEqual([
    ["NG", "challenged"],
    ["US", "partly_challenged"],
  ]);
  expect(statesOf(await readDestinations(depsOf(world), { ...QUESTION, state: "open" }))).toEqual([
    ["IN", "open"],
  ]);
});

test("a network that the watch shut is shown shut, though people challenge it for longer", async () => {
  const subject = { kind: "network" as const, subject: "AS64500", sinceMs: 0, why: "", times: 1 };
  const world = makeWorld({
    minutes: traffic({ "network AS64500": { sent: 4 }, "network AS64501": { sent: 3 } }),
    cronBlocks: [{ ...subject, by: "cron", untilMs: NOW + HOUR }],
    operatorBlocks: [
      { ...subject, by: "ada", untilMs: NOW + 2 * HOUR, effect: "challenge" },
      { ...subject, subject: "AS64501", by: "ada", untilMs: NOW + HOUR, effect: "challenge" },
    ],
  });
  const question = { span: "window", contains: "", sort: "sent", page: 1 } as const;
  const found = await readSources(depsOf(world), question);
  expect(found.networks.rows.map(({ ban: block, challenged }) => [block?.effect, challenged])).toEqual([
    ["stop", true],
    ["challenge", true],
  ]);
  expect(found.bans).toHaveLength(3);
});

test("a prefix is found in its country, its block in the prefix, and the budgets asked are theirs", async () => {
  const world = makeWorld({
    minutes: traffic({
      "prefix +234801": { sent: 3 },
      "prefix +91987": { sent: 2 },
      "block +234801234": { sent: 3 },
      "block +91987654": { sent: 2 },
    }),
  });
  const deps = depsOf(world) as Deps & { asked: string[][] };
  const prefixes = await readDestinations(deps, { ...QUESTION, by: "prefix", within: "NG" });
  expect(prefixes.rows.map(({ subject, country }) => [subject, country])).toEqual([["+234801", "NG"]]);
  const blocks = await readDestinations(deps, { ...QUESTION, by: "block", within: "+234801" });
  expect(blocks.rows[0]?.exposure).toMatchObject({ most: 10_000 });
  // Beside each its teachers: what is known of its country and of all of them.
  const teachers = [
    "taught:country:NG",
    "taught:overall:all",
    "taught_own:country:NG",
    "taught_own:overall:all",
    "stranger:country:NG",
    "stranger:overall:all",
  ];
  expect(deps.asked).toEqual([
    ["stranger:prefix:NG +234801", ...teachers],
    ["stranger:block:+234801234", ...teachers],
  ]);
});

test("filter and sort go over all subjects, and a page reads the budgets of its own rows only", async () => {
  const counts = Object.fromEntries(
    Array.from({ length: 100 }, (_, i): [string, Counts] => [
      `prefix +91${900 + i}`,
      { sent: 100 - i, verified: i < 50 ? 0 : 100 - i, micros: i },
    ]),
  );
  const deps = depsOf(makeWorld({ minutes: traffic(counts) })) as Deps & { asked: string[][] };
  const ask = (over: Partial<DestinationQuestion>) =>
    readDestinations(deps, { ...QUESTION, by: "prefix", ...over });
  const second = await ask({ page: 2 });
  expect([second.total, second.pages, second.rows.length, second.rows[0]?.subject]).toEqual([
    100,
    4,
    25,
    "+91925",
  ]);
  expect(deps.asked.at(-1)?.filter((key) => key.startsWith("stranger:prefix:"))).toHaveLength(25);
  // One country's teachers, once.
  expect(deps.asked.at(-1)).toHaveLength(25 + 6);
  expect((await ask({ sort: "spent" })).rows[0]?.subject).toBe("+91999");
  expect((await ask({ sort: "ratio" })).rows[0]?.ratio).toBe(0);
  expect((await ask({ contains: "+9199" })).total).toBe(10);
  expect((await ask({ state: "shut" })).total).toBe(0);
});

test("a day is read once and kept until the watch folds the next quarter", async () => {
  const quarter = Math.floor(MINUTE / 15) - 2;
  const world = makeWorld({
    memory: memory({ foldedTo: quarter }),
    quarters: [{ quarter, tally: new Map([["country NG", { sent: 7, verified: 1, micros: 5 }]]) }],
  });
  let reads = 0;
  const base = depsOf(world);
  const monitorState = {
    ...base.monitorState,
    quarters: (from: number, to: number) => {
      reads += 1;
      return base.monitorState.quarters(from, to);
    },
  };
  const deps = { ...base, monitorState };
  const day = () => readDestinations(deps, { ...QUESTION, span: "day" });
  expect((await day()).rows).toMatchObject([{ subject: "NG", sent: 7, ratio: 1 / 7 }]);
  expect((await day()).toMs).toBe((quarter + 1) * 900_000);
  expect(reads).toBe(1);
  world.memory = memory({ foldedTo: quarter + 1 });
  await day();
  expect(reads).toBe(2);
});

test("parts that do not answer are named, and the rest is shown", async () => {
  const world = makeWorld({
    minutes: traffic({ "country NG": { sent: 1 } }),
    down: new Set(["watch", "budgets", "control"]),
  });
  const found = await readDestinations(depsOf(world), QUESTION);
  expect(found.rows).toMatchObject([{ subject: "NG", sent: 1, exposure: null }]);
  expect(found.faults.map((fault) => fault.split(":")[0])).toEqual(["watch", "control", "budgets"]);
  world.down = new Set(["counters"]);
  expect((await readDestinations(depsOf(world), QUESTION)).faults).toEqual(["counters: down for the test"]);
});

test("sources show distinct numbers, verdicts and owners, and what is shut of them", async () => {
  const tag = "a".repeat(27);
  const world = makeWorld({
    minutes: traffic({
      "network AS24940": { sent: 10, verified: 0, numbers: 10, refused: 80, turned_away: 60 },
      "network AS64500": { sent: 20, verified: 15, numbers: 19 },
      [`address ${tag}`]: { sent: 12, numbers: 31 },
    }),
    operatorBlocks: [
      {
        kind: "address",
        subject: tag,
        sinceMs: 0,
        untilMs: NOW + HOUR,
        by: "ada",
        why: "many",
        times: 1,
        effect: "stop",
      },
    ],
  });
  const question = { span: "window", contains: "", sort: "turned_away", page: 1 } as const;
  const found = await readSources(depsOf(world), question);
  expect(found.networks.rows[0]).toMatchObject({
    subject: "AS24940",
    hosting: "Hetzner",
    numbers: 10,
    refused: 80,
    turnedAway: 60,
    ban: null,
    exposure: { unverified: 2.5 },
  });
  expect(found.addresses).toMatchObject([
    {
      subject: tag,
      numbers: 31,
      asked: 12,
      ban: { by: "ada", effective: true },
      exposure: { unverified: 2.5 },
    },
  ]);
  const sought = await readSources(depsOf(world), { ...question, contains: "hetz" });
  expect(sought.networks.rows.map(({ subject }) => subject)).toEqual(["AS24940"]);
});

const SAID = { sinceMs: 0, untilMs: NOW + HOUR, by: "ada", why: "for the test" };

test("people's word wins over the policy until it ends", () => {
  const policy = { pin: { IN: "twilio", NG: "vonage" }, weight: { twilio: 0.5 }, drain: ["msg91"] };
  const words: RouteOverride[] = [
    { kind: "pin", country: "IN", provider: null, ...SAID },
    { kind: "pin", country: "DE", provider: "twilio", ...SAID },
    { kind: "weight", provider: "twilio", weight: 1, ...SAID },
    { kind: "drain", provider: "msg91", drained: false, ...SAID },
    { kind: "drain", provider: "vonage", drained: true, ...SAID },
  ];
  expect(overrideRouting(policy, words, NOW)).toEqual({
    pin: { NG: "vonage", DE: "twilio" },
    weight: { twilio: 1 },
    drain: ["vonage"],
  });
  expect(overrideRouting(policy, words, NOW + HOUR)).toEqual(policy);
});

test("a drained provider gets nothing while another is live, and a message with one way takes it", async () => {
  const world = makeWorld();
  const deps = depsOf(world);
  const order = async (country: string) =>
    (await findRoutes(deps, await readEffectiveControl(deps), { country, channel: "sms", segments: 1 })).map(
      ({ provider }) => provider,
    );
  await instructRoute(deps, ADA, {
    word: { kind: "drain", provider: "sandbox", drained: true },
    forSeconds: 3600,
  });
  expect(await order("IN")).toEqual(["sandbox_b"]);
  expect(await order("NG"), "the other one does not go there").toEqual(["sandbox"]);
  await clearRouteInstruction(deps, ADA, { kind: "drain", subject: "sandbox" });
  await instructRoute(deps, ADA, {
    word: { kind: "pin", country: "IN", provider: "sandbox" },
    forSeconds: 3600,
  });
  expect(await order("IN")).toEqual(["sandbox", "sandbox_b"]);
});

test("a word on a route is written down with who, why and until, and replaces what was said before", async () => {
  const world = makeWorld();
  const deps = depsOf(world);
  await instructRoute(deps, ADA, {
    word: { kind: "drain", provider: "sandbox", drained: true },
    forSeconds: 3600,
  });
  const bob = { who: "bob", why: "they are back" };
  const again = await instructRoute(deps, bob, {
    word: { kind: "drain", provider: "sandbox", drained: false },
    forSeconds: 7200,
  });
  expect(again).toMatchObject({ kind: "done", replaced: { by: "ada", drained: true } });
  expect(world.operatorRoutes).toEqual([
    {
      kind: "drain",
      provider: "sandbox",
      drained: false,
      sinceMs: NOW,
      untilMs: NOW + 2 * HOUR,
      by: "bob",
      why: "they are back",
    },
  ]);
  expect(world.actions.map(({ what, who }) => [what, who])).toEqual([
    ["route filled", "bob"],
    ["route drained", "ada"],
  ]);
});

test("draining everything says that it stops nothing", async () => {
  const deps = depsOf(makeWorld());
  const drain = (provider: string) =>
    instructRoute(deps, ADA, { word: { kind: "drain", provider, drained: true }, forSeconds: 3600 });
  expect(JSON.stringify(await drain("sandbox"))).not.toContain("shut down");
  expect(JSON.stringify(await drain("sandbox_b"))).toContain("To stop sending, shut down.");
});

test.each([
  [{ kind: "drain", provider: "twilio", drained: true } as const, "provider"],
  [{ kind: "pin", country: "XX", provider: "sandbox" } as const, "country"],
  [{ kind: "pin", country: "NG", provider: "sandbox_b" } as const, "country"],
])("%j is refused, and nothing is written", async (word, field) => {
  const world = makeWorld();
  const refused = await instructRoute(depsOf(world), ADA, { word, forSeconds: 3600 });
  expect(refused).toMatchObject({ kind: "invalid", errors: [{ field }] });
  expect([world.operatorRoutes, world.actions]).toEqual([[], []]);
});

test("when nothing can be written down, a provider can be drained, and not favoured", async () => {
  const world = makeWorld({ down: new Set(["records"]) });
  const deps = depsOf(world);
  const drained = await instructRoute(deps, ADA, {
    word: { kind: "drain", provider: "sandbox", drained: true },
    forSeconds: 60,
  });
  expect(drained).toMatchObject({ kind: "done", recorded: false });
  const words = [
    { kind: "weight", provider: "sandbox_b", weight: 0.5 },
    { kind: "pin", country: "IN", provider: "sandbox_b" },
    { kind: "drain", provider: "sandbox", drained: false },
  ] as const;
  for (const word of words) {
    expect((await instructRoute(deps, ADA, { word, forSeconds: 60 })).kind).toBe("not_recorded");
  }
  expect((await clearRouteInstruction(deps, ADA, { kind: "drain", subject: "sandbox" })).kind).toBe(
    "not_recorded",
  );
});

test("people say at most so many things at a time; what is over makes room", async () => {
  const many = Array.from(
    { length: ROUTE_INSTRUCTIONS_MOST },
    (_, i): RouteOverride => ({ kind: "pin", country: `${i}`, provider: null, ...SAID }),
  );
  const world = makeWorld({ operatorRoutes: many });
  const word = { kind: "weight", provider: "sandbox", weight: 0.5 } as const;
  expect((await instructRoute(depsOf(world), ADA, { word, forSeconds: 60 })).kind).toBe("invalid");
  world.operatorRoutes = many.map((one) => ({ ...one, untilMs: NOW }));
  expect((await instructRoute(depsOf(world), ADA, { word, forSeconds: 60 })).kind).toBe("done");
  expect(world.operatorRoutes).toHaveLength(1);
});

test("providers show their share, what became of their messages, and what people said of them", async () => {
  const world = makeWorld({
    minutes: traffic({
      "provider sandbox": {
        sent: 30,
        verified: 20,
        micros: 1_500_000,
        delivered: 25,
        undelivered: 1,
        "handed_over_by:2": 20,
        "handed_over_by:3": 10,
        "delivered_by:3": 25,
      },
      "provider sandbox_b": { sent: 10, rejected: 4 },
      "route sandbox_b/sms/IN": { sent: 10, rejected: 4 },
      "route gone/sms/NG": { sent: 1 },
    }),
    operatorRoutes: [{ kind: "weight", provider: "sandbox_b", weight: 0.25, ...SAID }],
  });
  const rest = { verified: 0, unanswered: 3, failures: 5, restUntilMs: NOW + 1000 };
  const records = new Map([["sandbox_b/sms/IN", rest]]);
  const found = await readRoutes(
    depsOf(world, { routes: { records: async () => records } as unknown as Deps["routes"] }),
  );
  expect(found.providers).toMatchObject([
    {
      provider: "sandbox",
      share: 0.75,
      delivered: 25,
      meanMicros: 50_000,
      answers: { count: 30, medianMs: 275, p95Ms: 470 },
      deliveries: { count: 25, medianMs: 4000, p95Ms: 4900 },
      weight: 1,
      resting: 0,
    },
    {
      provider: "sandbox_b",
      share: 0.25,
      rejected: 4,
      answers: null,
      deliveries: null,
      weight: 0.25,
      resting: 1,
    },
  ]);
  expect(found.routes).toMatchObject([
    { provider: "sandbox_b", country: "IN", priceMicros: 50_000, failures: 5, restsUntilMs: NOW + 1000 },
    { provider: "gone", country: "NG", priceMicros: null, restsUntilMs: null },
  ]);
});

test("a number is looked for by its hashes under every key, and text that is no number by nothing", async () => {
  const looked: (readonly string[])[] = [];
  const deps = {
    vault: { tags: async (kind: string, value: string) => [`${kind}1 ${value}`, `${kind}2 ${value}`] },
    ledger: {
      byNumber: async (tags: readonly string[]) => {
        looked.push(tags);
        return { kind: "answered", rows: [] };
      },
    },
  } as unknown as Deps;
  expect(await findVerifications(deps, "not a number")).toEqual({ kind: "no_number" });
  expect(looked).toEqual([]);
  expect(await findVerifications(deps, "+234 801 234 5678")).toEqual({ kind: "chapters", chapters: [] });
  expect(looked).toEqual([["number1 +2348012345678", "number2 +2348012345678"]]);
});

test("what is no correlation id asks nobody", async () => {
  const deps = { ledger: { story: () => Promise.reject(new Error("was asked")) } } as unknown as Deps;
  expect(await readTrace(deps, "' OR 1=1 --")).toBeNull();
});

/** The routes' API as the operators' API mounts it, without who may come in. */
function routesOver(world: World) {
  const api = routesApi(depsOf(world), {
    async action(c, schema, perform) {
      const parsed = schema.safeParse(await c.req.json());
      if (!parsed.success) return c.json(parsed.error.issues, 400);
      const outcome = await perform({ who: "ada", why: parsed.data.why }, parsed.data);
      return "wire" in outcome ? c.json(outcome.wire, outcome.wire.status) : c.json(outcome.answer);
    },
  });
  return async (method: string, body?: object) => {
    const response = await api.request("http://localhost/", {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return { status: response.status, body: await response.json() };
  };
}

test("the API says what holds of routes, and the command prints it", async () => {
  const world = makeWorld({
    minutes: traffic({
      "provider sandbox": { sent: 30, verified: 20, micros: 105_000, "handed_over_by:2": 30 },
    }),
  });
  const call = routesOver(world);
  const why = "receipts stopped";
  const put = await call("PUT", { drain: { provider: "sandbox_b" }, for_seconds: 3600, why });
  expect(put.body).toMatchObject({
    recorded: true,
    override: { kind: "drain", provider: "sandbox_b", drained: true, by: "ada", why },
    replaced: null,
  });
  await call("PUT", { pin: { country: "IN", provider: "sandbox" }, for_seconds: 3600, why });
  const { body } = await call("GET");
  expect(body).toMatchObject({ currency: "EUR", pins: { IN: "sandbox" }, faults: [] });
  expect((body as RoutesAnswer).providers).toMatchObject([
    { provider: "sandbox", answer_ms: { median: 250, p95: 295 }, delivery_ms: null },
    { provider: "sandbox_b", answer_ms: null, delivery_ms: null },
  ]);
  const lines = routesLines(body as RoutesAnswer).join("\n");
  expect(lines).toMatch(/sandbox\s+30\s+100%\s+66\.7%/);
  expect(lines).toMatch(/sandbox\s.*\s0\.25 s \(0\.3 s\)\s+-\s/);
  expect(lines).toMatch(/sandbox_b.*drains/);
  expect(lines).toMatch(/drain\s+sandbox_b\s+drains.*ada\s+receipts stopped/);
  expect((await call("DELETE", { kind: "pin", subject: "IN", why })).status).toBe(200);
  expect((await call("DELETE", { kind: "pin", subject: "IN", why })).status).toBe(404);
  expect(world.operatorRoutes.map(({ kind }) => kind)).toEqual(["drain"]);
});

test.each([
  [{ for_seconds: 3600, why: "nothing said" }],
  [{ drain: { provider: "sandbox" }, pin: { country: "IN", provider: null }, for_seconds: 3600, why: "two" }],
  [{ weight: { provider: "sandbox", weight: 0 }, for_seconds: 3600, why: "nothing left" }],
  [{ pin: { country: "india", provider: null }, for_seconds: 3600, why: "no code" }],
  [{ drain: { provider: "sandbox" }, for_seconds: 59, why: "too short" }],
  [{ drain: { provider: "twilio" }, for_seconds: 3600, why: "not ours" }],
])("the API refuses %j", async (body) => {
  const world = makeWorld();
  expect((await routesOver(world)("PUT", body)).status).toBe(400);
  expect(world.operatorRoutes).toEqual([]);
});
