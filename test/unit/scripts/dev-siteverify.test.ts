import { beforeEach, describe, expect, test } from "vitest";
import {
  ALWAYS_PASSES_SECRET,
  DUMMY_TOKEN,
  HCAPTCHA_SECRET,
  makeSiteverify,
  RECAPTCHA_SECRET,
  type SiteverifyService,
} from "../../../scripts/dev/siteverify.ts";

const URL_OF_IT = "http://siteverify.test/turnstile/v0/siteverify";
const ONE_KEY = "8f14e45f-ceea-467f-a0e6-29b4b1a6b1c1";
const OTHER_KEY = "9f14e45f-ceea-467f-a0e6-29b4b1a6b1c2";
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

let service: SiteverifyService;
beforeEach(() => {
  service = makeSiteverify({ nowMs: () => NOW_MS });
});

async function verify(fields: Record<string, string>) {
  const body = JSON.stringify({ secret: ALWAYS_PASSES_SECRET, ...fields });
  const response = await service.handle(
    new Request(URL_OF_IT, { method: "POST", headers: { "content-type": "application/json" }, body }),
  );
  return response.json();
}

const failed = (code: string) => ({ success: false, "error-codes": [code] });

describe("the local siteverify", () => {
  test("the dummy token passes any number of times", async () => {
    for (let i = 0; i < 3; i++) {
      expect(await verify({ response: DUMMY_TOKEN })).toEqual({
        success: true,
        "error-codes": [],
        challenge_ts: "2026-01-02T03:04:05.000Z",
        hostname: "localhost",
        action: "send",
      });
    }
  });

  test("a token that begins with once- passes once", async () => {
    expect(await verify({ response: "once-1" })).toMatchObject({ success: true });
    expect(await verify({ response: "once-1" })).toEqual(failed("timeout-or-duplicate"));
    expect(await verify({ response: "once-2" })).toMatchObject({ success: true });
  });

  test("the same token with the same idempotency key is a retry, with another one a replay", async () => {
    const token = { response: "once-1" };
    expect(await verify({ ...token, idempotency_key: ONE_KEY })).toMatchObject({ success: true });
    expect(await verify({ ...token, idempotency_key: ONE_KEY })).toMatchObject({ success: true });
    expect(await verify({ ...token, idempotency_key: OTHER_KEY })).toEqual(failed("timeout-or-duplicate"));
    expect(await verify(token)).toEqual(failed("timeout-or-duplicate"));
    expect(await verify({ ...token, idempotency_key: "not-a-uuid" })).toEqual(failed("bad-request"));
  });

  test("a token can carry another hostname, action and age", async () => {
    expect(
      await verify({ response: "once-1?hostname=evil.example&action=login&age_seconds=60" }),
    ).toMatchObject({
      success: true,
      hostname: "evil.example",
      action: "login",
      challenge_ts: "2026-01-02T03:03:05.000Z",
    });
    expect(await verify({ response: "once-2?age_seconds=301" })).toEqual(failed("timeout-or-duplicate"));
    expect(await verify({ response: "once-3?error=internal-error" })).toEqual(failed("internal-error"));
  });

  test.each([
    [{ response: "anything else" }, "invalid-input-response"],
    [{ response: `once-${"a".repeat(2048)}` }, "invalid-input-response"],
    [{ response: "" }, "missing-input-response"],
    [{}, "missing-input-response"],
    [{ secret: "", response: DUMMY_TOKEN }, "missing-input-secret"],
    [{ secret: "unknown", response: DUMMY_TOKEN }, "invalid-input-secret"],
    [{ secret: "2x0000000000000000000000000000000AA", response: DUMMY_TOKEN }, "invalid-input-response"],
    [{ secret: "3x0000000000000000000000000000000AA", response: DUMMY_TOKEN }, "timeout-or-duplicate"],
  ])("%o fails with %s", async (fields, code) => {
    expect(await verify(fields)).toEqual(failed(code));
  });

  test("forms are read like JSON", async () => {
    const fields = { secret: ALWAYS_PASSES_SECRET, response: DUMMY_TOKEN, remoteip: "192.0.2.1" };
    const form = new FormData();
    for (const [name, value] of Object.entries(fields)) form.set(name, value);
    for (const body of [new URLSearchParams(fields), form]) {
      const response = await service.handle(new Request(URL_OF_IT, { method: "POST", body }));
      expect(await response.json()).toMatchObject({ success: true });
    }
  });

  test.each([
    ["text/plain", "secret=x"],
    ["application/json", "{"],
    ["application/json", '{"secret":1}'],
  ])("a body of %s that says %s is a bad request", async (type, body) => {
    const request = new Request(URL_OF_IT, { method: "POST", headers: { "content-type": type }, body });
    const response = await service.handle(request);
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual(failed("bad-request"));
  });

  test("only POST is served, and it can be down", async () => {
    expect((await service.handle(new Request(URL_OF_IT))).status).toBe(405);
    service.faults.down = true;
    expect((await service.handle(new Request(URL_OF_IT, { method: "POST" }))).status).toBe(503);
    expect(service.stats.requests).toBe(2);
  });
});

const FRESH_SECRET = "secret-of-the-second-widget";
const PROVIDERS = [
  ["Turnstile", "/turnstile/v0/siteverify", ALWAYS_PASSES_SECRET],
  ["hCaptcha", "/siteverify", HCAPTCHA_SECRET],
  ["reCAPTCHA", "/recaptcha/api/siteverify", RECAPTCHA_SECRET],
] as const;

/** Posts a form to the siteverify at a path. */
async function post(path: string, fields: Record<string, string>) {
  const body = new URLSearchParams(fields);
  const response = await service.handle(
    new Request(`http://siteverify.test${path}`, { method: "POST", body }),
  );
  return response.json();
}

describe.each(PROVIDERS)("the local siteverify as %s", (_, path, secret) => {
  beforeEach(() => {
    service = makeSiteverify({ nowMs: () => NOW_MS, freshSecret: FRESH_SECRET });
  });

  test("knows its own secret, the second widget's and no other", async () => {
    expect(await post(path, { secret, response: DUMMY_TOKEN })).toMatchObject({ success: true });
    expect(await post(path, { secret: FRESH_SECRET, response: "fresh-1" })).toMatchObject({ success: true });
    for (const [, , other] of PROVIDERS) {
      if (other === secret) continue;
      expect(await post(path, { secret: other, response: DUMMY_TOKEN })).toEqual(
        failed("invalid-input-secret"),
      );
    }
  });

  test("takes a token that begins with fresh- once, and for the second widget's secret only", async () => {
    expect(await post(path, { secret, response: "fresh-1" })).toMatchObject({ success: false });
    expect(await post(path, { secret: FRESH_SECRET, response: "fresh-1" })).toMatchObject({ success: true });
    expect(await post(path, { secret: FRESH_SECRET, response: "fresh-1" })).toMatchObject({ success: false });
    for (const response of ["once-1", DUMMY_TOKEN]) {
      expect(await post(path, { secret: FRESH_SECRET, response })).toMatchObject({ success: false });
    }
  });

  test("takes no fresh token when it knows no second widget", async () => {
    service = makeSiteverify();
    expect(await post(path, { secret, response: "fresh-1" })).toMatchObject({ success: false });
  });

  test("spends a token for itself alone", async () => {
    for (const [, where, its] of PROVIDERS) {
      expect(await post(where, { secret: its, response: "once-1" })).toMatchObject({ success: true });
    }
  });
});

describe("the local siteverify as hCaptcha", () => {
  const ask = (fields: Record<string, string>) => post("/siteverify", { secret: HCAPTCHA_SECRET, ...fields });

  test("states no action, and a score when told one", async () => {
    const answer = { success: true, challenge_ts: "2026-01-02T03:04:05.000Z", hostname: "localhost" };
    expect(await ask({ response: "once-1" })).toEqual(answer);
    expect(await ask({ response: "once-2?score=0.7" })).toEqual({ ...answer, score: 0.7 });
  });

  test("says spent, old and another's in its own words", async () => {
    await ask({ response: "once-1" });
    expect(await ask({ response: "once-1" })).toEqual(failed("already-seen-response"));
    expect(await ask({ response: "once-2?age_seconds=121" })).toEqual(failed("expired-input-response"));
    expect(await ask({ response: "fresh-1" })).toEqual(failed("sitekey-secret-mismatch"));
  });

  test("compares the site key a token carries with the one it is asked about", async () => {
    const response = "once-1?sitekey=mine";
    expect(await ask({ response, sitekey: "yours" })).toEqual(failed("sitekey-secret-mismatch"));
    expect(await ask({ response, sitekey: "mine" })).toMatchObject({ success: true });
  });
});

describe("the local siteverify as reCAPTCHA", () => {
  const ask = (fields: Record<string, string>) =>
    post("/recaptcha/api/siteverify", { secret: RECAPTCHA_SECRET, ...fields });
  const answer = { success: true, challenge_ts: "2026-01-02T03:04:05.000Z", hostname: "localhost" };

  test("states action and score, as told or as usual", async () => {
    expect(await ask({ response: "once-1" })).toEqual({ ...answer, action: "send", score: 0.9 });
    expect(await ask({ response: "once-2?score=0&action=login" })).toEqual({
      ...answer,
      action: "login",
      score: 0,
    });
    expect(await ask({ response: "once-3?score=&action=" })).toEqual(answer);
  });

  test("states neither of a fresh token", async () => {
    service = makeSiteverify({ nowMs: () => NOW_MS, freshSecret: FRESH_SECRET });
    expect(await ask({ secret: FRESH_SECRET, response: "fresh-1" })).toEqual(answer);
  });

  test("knows no idempotency key", async () => {
    const fields = { response: "once-1", idempotency_key: ONE_KEY };
    expect(await ask(fields)).toMatchObject({ success: true });
    expect(await ask(fields)).toEqual(failed("timeout-or-duplicate"));
  });
});

test.each(["/siteverify", "/recaptcha/api/siteverify"])("JSON is a bad request at %s", async (path) => {
  const headers = { "content-type": "application/json" };
  const request = new Request(`http://siteverify.test${path}`, { method: "POST", headers, body: "{}" });
  expect((await service.handle(request)).status).toBe(400);
});
