import { env } from "cloudflare:workers";
import { afterEach, expect, test } from "vitest";
import { API_KEY_RECORD_PREFIX, hashApiKeySecret } from "../../src/adapters/cloudflare/kv-api-keys.ts";
import { OPERATOR_TOKEN, VIEWER_TOKEN } from "../support/addresses.ts";
import { outsideFaults } from "../support/outside-control.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, eventually, from, makeService } from "../support/service.ts";

const CONTROL_KEYS = ["emergency-mode", "operator-mode", "cron-blocks", "operator-blocks"];
const why = "for the test";

afterEach(async () => {
  await Promise.all(CONTROL_KEYS.map((key) => env.CONTROL.delete(key)));
});

function serve() {
  const service = makeService(ROOMY);
  return {
    ...service,
    admin: (method: string, path: string, body?: unknown, token = OPERATOR_TOKEN) =>
      service.call(method, `/admin/v1${path}`, body, { authorization: `Bearer ${token}` }),
  };
}

test("shutdown by an operator stops the very next send, and clearing lets it through", async () => {
  const { admin, send } = serve();
  expect((await send({ phone: "+919876543210" })).status).toBe(202);
  const set = await admin("PUT", "/posture", { posture: "shutdown", for_seconds: 3600, why });
  expect([set.status, set.body.recorded]).toEqual([200, true]);
  expect((await send({ phone: "+919876543211" })).body.code).toBe("sending_paused");

  const cleared = await admin("DELETE", "/posture", { why });
  expect(cleared.body).toMatchObject({ replaced: { posture: "shutdown", who: "tests" } });
  expect((await send({ phone: "+919876543212" })).status).toBe(202);

  const { body } = await admin("GET", "/actions", undefined, VIEWER_TOKEN);
  expect(body.actions.slice(0, 2)).toMatchObject([
    { who: "tests", what: "posture cleared", why },
    { who: "tests", what: "posture set", why },
  ]);
});

test("a throttle lets so many messages a minute leave", async () => {
  const { admin, send } = serve();
  const set = await admin("PUT", "/throttle", { max_per_minute: 1, for_seconds: 3600, why });
  expect(set.body).toMatchObject({ max_per_minute: 1, operator: { posture: "normal", max_per_minute: 1 } });
  const statuses = [];
  for (let i = 0; i < 4; i++) statuses.push((await send({ phone: `+91987654322${i}` })).status);
  expect(statuses[0]).toBe(202);
  // One, or two where a minute ends between them.
  expect(statuses.filter((status) => status === 202).length).toBeLessThanOrEqual(2);
});

test("a blocked address is told by nothing but its hash, and may send again when it is opened", async () => {
  const { admin, call } = serve();
  const ip = "203.0.113.9";
  const send = (phone: string) =>
    call("POST", "/v1/send", { phone, captcha_token: "XXXX.DUMMY.TOKEN.XXXX" }, from(ip));
  expect((await send("+919876543230")).status).toBe(202);
  await admin("POST", "/blocks", { ip, for_seconds: 3600, why });
  expect((await send("+919876543231")).status).not.toBe(202);
  const { body } = await admin("GET", "/blocks");
  expect(body.blocks).toMatchObject([{ kind: "address", by: "tests", in_force: true }]);
  expect(JSON.stringify(body) + (await env.CONTROL.get("operator-blocks"))).not.toContain(ip);
  expect((await admin("DELETE", "/blocks", { subject: body.blocks[0].subject, why })).status).toBe(200);
  expect((await send("+919876543232")).status).toBe(202);
});

test("the status and the ranges tell what was sent, and the metrics count it", async () => {
  const { admin, send, verify } = serve();
  const { body: sent } = await send({ phone: "+919876543240" });
  await verify({ session: sent.session, code: await codeFor("+919876543240") });
  const status = await eventually(
    () => admin("GET", "/status", undefined, VIEWER_TOKEN),
    ({ body }) => body.window?.verified === 1,
  );
  expect(status.body).toMatchObject({
    posture: { posture: "normal", in_force: null },
    window: { sent: 1, verified: 1 },
    faults: [],
  });
  const ranges = await admin("GET", "/ranges?by=prefix&minutes=15");
  expect(ranges.body.rows).toMatchObject([{ sent: 1, verified: 1, state: "open" }]);
});

test("without Upstash the switch still works and the status names what is silent", async () => {
  const { admin } = serve();
  await outsideFaults({ upstash: { down: true } });
  const set = await admin("PUT", "/posture", { posture: "emergency", for_seconds: 3600, why });
  expect(set.status).toBe(200);
  const { body } = await admin("GET", "/status");
  expect(body).toMatchObject({ posture: { posture: "emergency" }, window: null, watch: null, spend: null });
  expect(body.faults.length).toBeGreaterThanOrEqual(3);
});

test("nobody gets in without a token, viewers do not act, and no page of another origin is let in", async () => {
  const { admin, call } = serve();
  expect((await call("GET", "/admin/v1/status")).status).toBe(401);
  expect((await call("GET", "/admin/v1/no-such-thing")).status).toBe(401);
  expect((await admin("GET", "/no-such-thing")).status).toBe(404);
  expect(
    (await admin("PUT", "/posture", { posture: "shutdown", for_seconds: 60, why }, VIEWER_TOKEN)).status,
  ).toBe(403);
  const preflight = await call("OPTIONS", "/admin/v1/posture", undefined, {
    origin: "https://evil.example",
    "access-control-request-method": "PUT",
  });
  expect(preflight.headers.get("access-control-allow-origin")).toBeNull();
  expect(await env.CONTROL.get("operator-mode")).toBeNull();
});

test("outcomes need an API key, and each is counted once for its proof", async () => {
  const { call } = serve();
  const [id, secret] = ["abcdefghijkl", "s".repeat(43)];
  const record = {
    name: "shop",
    hash: await hashApiKeySecret(secret),
    flows: ["*"],
    skip_captcha: false,
    max_per_minute: 60,
    created_at_ms: 0,
    expires_at_ms: null,
  };
  await env.CONTROL.put(API_KEY_RECORD_PREFIX + id, JSON.stringify(record));
  const outcome = { type: "signup", proof_id: "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11" };
  const report = (outcomes: unknown, token = `tg_${id}_${secret}`) =>
    call("POST", "/v1/outcomes", { outcomes }, { authorization: `Bearer ${token}` });

  expect((await report([outcome], "tg_wrong")).status).toBe(401);
  const first = await report([outcome, { ...outcome, type: "payment", value_micros: 5_000_000 }]);
  expect([first.status, first.body]).toEqual([202, { accepted: 2, repeated: 0 }]);
  expect((await report([outcome])).body).toEqual({ accepted: 0, repeated: 1 });
  expect((await report([{ ...outcome, type: "coffee" }])).body.errors[0].reason).toContain("signup");
  expect((await report([{ ...outcome, proof_id: "x" }])).status).toBe(400);
  expect((await report([])).status).toBe(400);
  expect((await report(Array.from({ length: 101 }, () => outcome))).status).toBe(400);
  await env.CONTROL.delete(API_KEY_RECORD_PREFIX + id);
});
