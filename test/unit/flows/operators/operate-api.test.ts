import { expect, test } from "vitest";
import { adminApi } from "../../../../src/http/admin.ts";
import {
  depsOver,
  document,
  HOUR,
  incident,
  makeWorld,
  memory,
  minuteTally,
  NOW,
  type World,
} from "../../../support/support-operate.ts";

function serve(world: World) {
  const api = adminApi(depsOver(world));
  return async (method: string, path: string, body?: unknown, who: string | null = "ada") => {
    const response = await api.request(`http://localhost${path}`, {
      method,
      headers: {
        ...(who === null ? {} : { authorization: `Bearer ${who}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
      },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const json = response.headers.get("content-type")?.includes("json") ? JSON.parse(text) : text;
    return { status: response.status, headers: response.headers, body: json };
  };
}

const why = "pumped from Lagos";
const READS = [
  "/status",
  "/blocks",
  "/ranges",
  "/rules",
  "/incidents",
  "/incidents/inc-1",
  "/actions",
  "/dead-letters",
  "/metrics",
];
const ACTIONS: [string, string, object][] = [
  ["PUT", "/posture", { posture: "emergency", for_seconds: 3600, why }],
  ["DELETE", "/posture", { why }],
  ["PUT", "/throttle", { percent: 10, for_seconds: 3600, why }],
  ["DELETE", "/throttle", { why }],
  ["POST", "/blocks", { range: "+23480", for_seconds: 3600, why }],
  ["POST", "/blocks", { network: "AS64500", effect: "challenge", for_seconds: 3600, why }],
  ["DELETE", "/blocks", { subject: "+23480", why }],
  ["DELETE", "/blocks", { subject: "AS64501", effect: "challenge", why }],
  ["POST", "/dead-letters/l-1/replay", { why }],
];
const LETTER = { id: "l-1", atMs: NOW, queue: "alerts", cause: "HTTP 500", body: '{"title":"x"}' };
const fullWorld = (over: Partial<World> = {}) =>
  makeWorld({
    operator: document({ by: "operator", posture: "normal", max_per_minute: 5, who: "bob" }),
    memory: memory({ incident: incident() }),
    operatorBlocks: [
      {
        kind: "range",
        subject: "+23480",
        sinceMs: NOW,
        untilMs: NOW + HOUR,
        by: "bob",
        why,
        times: 1,
        effect: "stop",
      },
      {
        kind: "network",
        subject: "AS64501",
        sinceMs: NOW,
        untilMs: NOW + HOUR,
        by: "bob",
        why,
        times: 1,
        effect: "challenge",
      },
    ],
    letters: [LETTER],
    ...over,
  });

test.each(READS)("a viewer may read %s, uncached", async (path) => {
  const answer = await serve(fullWorld())("GET", path, undefined, "eve");
  expect(answer.status).toBe(200);
  expect(answer.headers.get("cache-control")).toBe("no-store");
});

test.each(ACTIONS)(
  "%s %s is for operators, and written down with who and why",
  async (method, path, body) => {
    const world = fullWorld();
    const call = serve(world);
    const asViewer = await call(method, path, body, "eve");
    expect([asViewer.status, asViewer.body.code]).toEqual([403, "forbidden"]);
    expect(world.actions).toEqual([]);

    const answer = await call(method, path, body);
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({ recorded: true, notes: expect.any(Array) });
    expect(world.actions).toMatchObject([{ who: "ada", why }]);
  },
);

test.each([
  ...READS.map((path) => ["GET", path] as const),
  ...ACTIONS.map(([m, p]) => [m, p] as const),
  ["GET", "/nothing"] as const,
])("%s %s without a good token is 401 and says how to get in", async (method, path) => {
  const world = fullWorld();
  for (const who of [null, "mallory"]) {
    const answer = await serve(world)(method, path, method === "GET" ? undefined : { why }, who);
    expect([answer.status, answer.body.code]).toEqual([401, "unauthorized"]);
    expect(answer.headers.get("www-authenticate")).toContain("Bearer");
    expect(answer.headers.get("cache-control")).toBe("no-store");
    expect(JSON.stringify(answer.body)).not.toContain("no such token");
  }
  expect(world.actions).toEqual([]);
  expect(JSON.stringify(world.logged)).not.toContain("mallory");
  expect(world.logged).toHaveLength(2);
});

test("operators that cannot be checked are 503, and nobody gets in", async () => {
  const answer = await serve(makeWorld({ down: new Set(["operators"]) }))("GET", "/status");
  expect([answer.status, answer.body.code]).toEqual([503, "unavailable"]);
  expect(answer.headers.get("retry-after")).toBe("5");
});

test.each<[string, string, unknown, string]>([
  ["PUT", "/posture", { posture: "panic", for_seconds: 3600, why }, "posture"],
  ["PUT", "/posture", { posture: "normal", for_seconds: 59, why }, "for_seconds"],
  ["PUT", "/posture", { posture: "normal", for_seconds: 30 * 86_400 + 1, why }, "for_seconds"],
  ["PUT", "/posture", { posture: "normal", why }, "for_seconds"],
  ["PUT", "/posture", { posture: "normal", for_seconds: 3600 }, "why"],
  ["PUT", "/posture", { posture: "normal", for_seconds: 3600, why: "  x  " }, "why"],
  ["PUT", "/posture", { posture: "normal", for_seconds: 3600, why: "x".repeat(201) }, "why"],
  ["PUT", "/posture", { posture: "normal", for_seconds: 3600, why: "bell \u0007" }, "why"],
  ["PUT", "/posture", { posture: "normal", for_seconds: 3600, why, until: 1 }, "until"],
  ["DELETE", "/posture", { why, posture: "normal" }, "posture"],
  ["PUT", "/throttle", { percent: 0, for_seconds: 3600, why }, "percent"],
  ["PUT", "/throttle", { percent: 101, for_seconds: 3600, why }, "percent"],
  ["PUT", "/throttle", { percent: 10, max_per_minute: 5, for_seconds: 3600, why }, "percent"],
  ["PUT", "/throttle", { for_seconds: 3600, why }, "percent"],
  ["POST", "/blocks", { for_seconds: 3600, why }, "range"],
  ["POST", "/blocks", { range: "+234", ip: "192.0.2.1", for_seconds: 3600, why }, "range"],
  ["POST", "/blocks", { range: "23480", for_seconds: 3600, why }, "range"],
  ["POST", "/blocks", { network: "64500", for_seconds: 3600, why }, "network"],
  ["POST", "/blocks", { network: "AS4294967295", for_seconds: 3600, why }, "subject"],
  ["POST", "/blocks", { ip: "23480", for_seconds: 3600, why }, "ip"],
  ["POST", "/blocks", { range: "+23480", effect: "exempt", for_seconds: 3600, why }, "effect"],
  ["DELETE", "/blocks", { subject: "+23480", effect: "stop", why }, "effect"],
  ["DELETE", "/blocks", { subject: "+23480", effect: "challenge", exempt_for_seconds: 3600, why }, "effect"],
  ["DELETE", "/blocks", { subject: "23480", why }, "subject"],
  ["DELETE", "/blocks", { subject: "+23480", why, exempt_for_seconds: 1 }, "exempt_for_seconds"],
  ["POST", "/dead-letters/l-1/replay", {}, "why"],
])("%s %s %j is refused for its %s and changes nothing", async (method, path, body, field) => {
  const world = fullWorld();
  const answer = await serve(world)(method, path, body);
  expect([answer.status, answer.body.code]).toEqual([400, "invalid_request"]);
  expect(answer.body.errors.map((error: { field: string }) => error.field)).toContain(field);
  expect(world.actions).toEqual([]);
});

test.each<[string, unknown, number]>([
  ["not JSON", "{", 400],
  ["an array", [], 400],
  ["empty", "", 400],
  ["a doubled key", '{"why": "one two", "why": "three"}', 400],
  ["more than 16 KiB", { why: "x".repeat(17_000) }, 413],
])("a body that is %s is refused", async (_, body, status) => {
  expect((await serve(fullWorld())("DELETE", "/posture", body)).status).toBe(status);
});

test("a form of another site cannot act: only JSON is read", async () => {
  const world = fullWorld();
  const response = await adminApi(depsOver(world)).request("http://localhost/dead-letters/l-1/replay", {
    method: "POST",
    headers: { authorization: "Bearer ada", "content-type": "text/plain" },
    body: JSON.stringify({ why }),
  });
  expect(response.status).toBe(415);
  expect(response.headers.get("access-control-allow-origin")).toBeNull();
  expect(world.actions).toEqual([]);
});

test.each([
  "/ranges?by=hundred",
  "/ranges?minutes=14",
  "/ranges?hours=193",
  "/ranges?minutes=15&hours=1",
  "/ranges?by=country&by=flow",
  "/ranges?sort=sent",
  "/actions?limit=0",
  "/actions?limit=501",
  "/dead-letters?limit=x",
])("%s is refused", async (path) => {
  expect((await serve(fullWorld())("GET", path)).status).toBe(400);
});

test.each(["/incidents/inc-9", "/incidents/%00", `/incidents/${"x".repeat(200)}`])(
  "%j is not found",
  async (path) => {
    expect((await serve(fullWorld())("GET", path)).status).toBe(404);
  },
);

test("two operators at once: the last wins, and its answer says what it replaced", async () => {
  const world = makeWorld();
  const call = serve(world);
  const body = { posture: "emergency", for_seconds: 3600, why };
  await Promise.all([call("PUT", "/posture", body, "ada"), call("PUT", "/posture", body, "bob")]);
  const last = await call("PUT", "/posture", { ...body, posture: "shutdown" }, "ada");
  expect(last.body).toMatchObject({
    operator: { posture: "shutdown", who: "ada" },
    replaced: { posture: "emergency" },
  });
  expect(world.actions).toHaveLength(3);
});

test("with the records down a raise is done and says so, and a clear is refused", async () => {
  const world = makeWorld({ cron: document(), down: new Set(["records"]) });
  const call = serve(world);
  const raised = await call("PUT", "/posture", { posture: "shutdown", for_seconds: 3600, why });
  expect([raised.status, raised.body.recorded]).toEqual([200, false]);
  const cleared = await call("DELETE", "/posture", { why });
  expect([cleared.status, cleared.body.code]).toEqual([503, "not_recorded"]);
  expect(world.operator?.posture).toBe("shutdown");
});

test("what was given up is shown whole only to those who may send it again", async () => {
  const call = serve(fullWorld());
  expect((await call("GET", "/dead-letters")).body.letters[0].body).toBe(LETTER.body);
  expect((await call("GET", "/dead-letters", undefined, "eve")).body.letters[0]).not.toHaveProperty("body");
});

test("a challenge is listed as one, beside what is shut, and is no block in the figures", async () => {
  const world = fullWorld();
  const call = serve(world);
  const made = await call("POST", "/blocks", {
    ip: "192.0.2.1",
    effect: "challenge",
    for_seconds: 7200,
    why,
  });
  expect(made.body).toMatchObject({ block: { effect: "challenge", in_force: true }, replaced: null });
  const { body } = await call("GET", "/blocks");
  expect(body.blocks.map(({ kind, effect }: { kind: string; effect: string }) => [kind, effect])).toEqual([
    ["address", "challenge"],
    ["range", "stop"],
    ["network", "challenge"],
  ]);
  const status = await call("GET", "/status");
  expect(status.body.posture.blocks).toEqual({ cron: 0, operator: 1, challenged: 2, exempt: 0 });
  const metrics = (await call("GET", "/metrics")).body;
  expect(metrics).toContain('tollgate_blocks{set_by="operator"} 1\n');
  expect(metrics).toContain("tollgate_subjects_challenged 2\n");
});

test("metrics are OpenMetrics text", async () => {
  const answer = await serve(fullWorld())("GET", "/metrics", undefined, "eve");
  expect(answer.headers.get("content-type")).toBe(
    "application/openmetrics-text; version=1.0.0; charset=utf-8",
  );
  expect(answer.body.endsWith("# EOF\n")).toBe(true);
});

test("the status is in the wire's words: RFC 3339, micros, snake_case", async () => {
  const { body } = await serve(fullWorld({ cron: document() }))("GET", "/status");
  expect(body).toMatchObject({
    now: new Date(NOW).toISOString(),
    posture: {
      posture: "normal",
      in_force: { who: "bob", max_per_minute: 5, until: new Date(NOW + HOUR).toISOString() },
      cron: { posture: "emergency" },
    },
    spend: { currency: "EUR", hour_micros: 1_500_000, plan_day_micros: null },
    watch: { alerts_this_hour: { sent: 3, held_back: 2 }, incident: { id: "inc-1", closed: null } },
  });
  expect(JSON.stringify(body)).not.toMatch(/"\w*[a-z][A-Z]\w*":/);
});

test("the rules in record-only mode are told for a span, and a store that is silent is no zero", async () => {
  const left = { met: 3, "would:deny": 3, sent: 3, verified: 1, micros: 300_000 };
  const world = fullWorld({ minutes: [minuteTally(NOW / 60_000, { "rule tor/signup": left })] });
  const told = await serve(world)("GET", "/rules?span=window");
  expect(told.body).toMatchObject({ currency: "EUR", to: new Date(NOW).toISOString() });
  expect(told.body.rules[0]).toEqual({
    rule: "tor",
    flow: "signup",
    record_only: false,
    met: 3,
    would_challenge: 0,
    would_step_up: 0,
    would_deny: 3,
    left: 3,
    left_verified: 1,
    unanswered_micros: 200_000,
  });
  expect((await serve(world)("GET", "/rules?span=year")).status).toBe(400);
  const silent = await serve(fullWorld({ down: new Set(["counters"]) }))("GET", "/rules?span=window");
  expect([silent.status, silent.body.code]).toEqual([503, "unavailable"]);
});
