import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type LocalServer, serveLocally } from "../../../scripts/dev/serve.ts";
import {
  ALWAYS_PASSES_SECRET,
  DUMMY_TOKEN,
  makeSiteverify,
  type SiteverifyService,
} from "../../../scripts/dev/siteverify.ts";
import {
  type Behaviour,
  deadUrl,
  json,
  openRudeServer,
  page,
  type RudeServer,
} from "../../support/rude-server.ts";
import { turnstile } from "./support-turnstile.ts";

const IP = "203.0.113.7";
const KEY = "8f14e45f-ceea-467f-a0e6-29b4b1a6b1c1";
const OTHER_KEY = "9f14e45f-ceea-467f-a0e6-29b4b1a6b1c2";
const SECRET = ALWAYS_PASSES_SECRET;
const TOKEN = "a-token-of-a-visitor";

const challengeAt = (siteverifyUrl: string, secret = SECRET) =>
  turnstile({ siteverifyUrl, secret, hostnames: ["localhost", "app.example.com"], action: "send" });

describe("Turnstile, against the local siteverify", () => {
  let service: SiteverifyService;
  let server: LocalServer;
  beforeAll(async () => {
    server = await serveLocally((request) => service.handle(request));
  });
  beforeEach(() => {
    service = makeSiteverify();
  });
  afterAll(() => server.close());

  const verify = (token: string, key = KEY, secret = SECRET) =>
    challengeAt(server.url, secret).verify(token, IP, key);

  test("a token solved here passes", async () => {
    expect(await verify(DUMMY_TOKEN)).toEqual({ kind: "passed" });
    expect(await verify("once-1?hostname=app.example.com")).toEqual({ kind: "passed" });
  });

  test.for([
    ["for another host", "once-1?hostname=evil.example", /host/],
    ["for a host below ours", "once-1?hostname=x.app.example.com", /host/],
    ["for no host", "once-1?hostname=", /host/],
    ["for another action", "once-1?action=login", /action/],
    ["for no action", "once-1?action=", /action/],
    ["too long ago", "once-1?age_seconds=301", /timeout-or-duplicate/],
    ["nowhere", "made-up", /invalid-input-response/],
    ["for nobody, being empty", "", /missing-input-response/],
  ] as const)("a token solved %s fails", async ([, token, cause]) => {
    expect(await verify(token)).toEqual({ kind: "failed", cause: expect.stringMatching(cause) });
  });

  test("a token passes once, and again only for the same request's retry", async () => {
    expect(await verify("once-1", KEY)).toEqual({ kind: "passed" });
    expect(await verify("once-1", KEY)).toEqual({ kind: "passed" });
    expect(await verify("once-1", OTHER_KEY)).toEqual({ kind: "failed", cause: "timeout-or-duplicate" });
  });

  test("two requests at once with one token: one of them passes", async () => {
    const answers = await Promise.all([verify("once-1", KEY), verify("once-1", OTHER_KEY)]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(["failed", "passed"]);
  });

  test("an internal error is no verdict on the visitor", async () => {
    expect(await verify("once-1?error=internal-error")).toEqual({
      kind: "unavailable",
      cause: expect.stringContaining("internal-error"),
    });
  });

  test.for([
    ["wrong", "0x_not_a_secret", "invalid-input-secret"],
    ["forgotten", "", "missing-input-secret"],
  ] as const)("a secret of ours that is %s is our mistake and no outage", async ([, secret, code]) => {
    expect(await verify(DUMMY_TOKEN, KEY, secret)).toEqual({
      kind: "misconfigured",
      cause: expect.stringContaining(code),
    });
  });

  test("a service that is down is unavailable", async () => {
    service.faults.down = true;
    expect(await verify(DUMMY_TOKEN)).toMatchObject({ kind: "unavailable" });
  });

  test("each check asks once", async () => {
    await verify(DUMMY_TOKEN);
    expect(service.stats.requests).toBe(1);
  });
});

describe("Turnstile, against a service that misbehaves", () => {
  let server: RudeServer;
  beforeAll(async () => {
    server = await openRudeServer();
  });
  beforeEach(() => {
    server.requests.length = 0;
  });
  afterAll(() => server.close());

  const unavailable = { kind: "unavailable", cause: expect.any(String) };
  const success = { success: true, "error-codes": [], hostname: "localhost", action: "send" };

  test.for<[name: string, behaviour: Behaviour]>([
    ["a page", page(200)],
    ["an error page", page(500)],
    ["an error without a body", { kind: "answer", status: 503, body: "" }],
    ["a redirect", { kind: "answer", status: 302, body: "", headers: { location: "/elsewhere" } }],
    ["JSON that is no verdict", json(200, { ok: true })],
    ["a verdict in words", json(200, { ...success, success: "true" })],
    ["error codes that are no list", json(200, { success: false, "error-codes": "internal-error" })],
    ["nothing but null", json(200, null)],
    ["half an answer", { kind: "cut", status: 200, body: '{"success":true,' }],
    ["half a text that ends well", { kind: "answer", status: 200, body: '{"success":true,"hostn' }],
    ["a closed connection", { kind: "drop" }],
  ])("%s is unavailable", async ([, behaviour]) => {
    server.behave(behaviour);
    expect(await challengeAt(server.url).verify(TOKEN, IP, KEY)).toEqual(unavailable);
    expect(server.requests).toHaveLength(1);
  });

  test.concurrent.for<[name: string, behaviour: Behaviour]>([
    ["silence", { kind: "hang" }],
    ["silence in the middle", { kind: "hang_in_body", status: 200, body: '{"success":true' }],
  ])("%s of three seconds is unavailable", async ([, behaviour]) => {
    const silent = await openRudeServer();
    silent.behave(behaviour);
    expect(await challengeAt(silent.url).verify(TOKEN, IP, KEY)).toEqual(unavailable);
    await silent.close();
  });

  test("a service that nobody reaches is unavailable", async () => {
    expect(await challengeAt(await deadUrl()).verify(TOKEN, IP, KEY)).toEqual(unavailable);
  });

  test("no cause repeats the token, the address or the secret", async () => {
    for (const behaviour of [page(500), json(200, { success: false, "error-codes": [] })]) {
      server.behave(behaviour);
      const text = JSON.stringify(await challengeAt(server.url).verify(TOKEN, IP, KEY));
      for (const secret of [TOKEN, IP, SECRET]) expect(text).not.toContain(secret);
    }
  });
});
