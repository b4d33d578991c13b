import { fileURLToPath } from "node:url";
import vm from "node:vm";
import { gzipSync } from "node:zlib";
import { build } from "esbuild";
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from "vitest";
import { withoutEndSlashes } from "../../../src/client/base-url.ts";
import {
  countDown,
  createTollgate,
  deadlineIn,
  type Refusal,
  type TollgateOptions,
} from "../../../src/client/client.ts";
import { readRetryAfter, secondsToRetry } from "../../../src/client/outcomes.ts";
import {
  PROBLEM_CODES,
  type Problem,
  type ProblemCode,
  problem,
  sendAnswer,
  sendBody,
  sessionAnswer,
  verifyAnswer,
  verifyBody,
} from "../../../src/http/contract.ts";

const CLIENT = fileURLToPath(new URL("../../../src/client/client.ts", import.meta.url));
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

const SENT = sendAnswer.parse({
  session: "sealed",
  correlation_id: "c-1",
  channel: "sms",
  masked_phone: "+91••••••••10",
  code_length: 6,
  expires_in_seconds: 180,
  resend_in_seconds: 60,
  attempts_left: 5,
  next_channels: [{ channel: "voice", available_in_seconds: 60 }],
});
const VERIFIED = verifyAnswer.parse({
  status: "verified",
  device_token: "device-1",
  proof: "head.body.signature",
  phone: "+919876543210",
  correlation_id: "c-1",
});
const STATUS = sessionAnswer.parse({
  status: "pending",
  delivery: "accepted",
  correlation_id: "c-1",
  channel: "sms",
  sends: 1,
  attempts_left: 4,
  expires_in_seconds: 120,
  resend_in_seconds: null,
});

interface Seen {
  path: string;
  body: Record<string, unknown> | null;
  headers: Headers;
}

type Script = (Response | "lost" | "hangs")[];

/** Refuses what the service would refuse: wrong methods, unknown fields, a send without a key or with a strange one. */
function wire(script: Script) {
  const seen: Seen[] = [];
  const fetch: typeof globalThis.fetch = async (input, init) => {
    const request = new Request(input, init);
    const { pathname: path } = new URL(request.url);
    const body = request.method === "POST" ? ((await request.json()) as Seen["body"]) : null;
    if (path === "/v1/send") {
      sendBody.parse(body);
      if (body?.session === undefined) expect(request.headers.get("idempotency-key")).toMatch(UUID);
    } else if (path === "/v1/verify") verifyBody.parse(body);
    else expect([request.method, path]).toEqual(["GET", "/v1/session"]);
    if (body !== null) expect(request.headers.get("content-type")).toBe("application/json");
    seen.push({ path, body, headers: request.headers });
    const next = script[seen.length - 1] ?? script.at(-1);
    if (next === undefined || next === "lost") throw new TypeError("Failed to fetch");
    if (next !== "hangs") return next.clone();
    return new Promise((_, reject) => {
      init?.signal?.addEventListener("abort", () => reject(new DOMException("aborted", "AbortError")));
    });
  };
  return { seen, fetch };
}

function tollgate(script: Script, options: Partial<TollgateOptions> = {}) {
  const { seen, fetch } = wire(script);
  return { seen, client: createTollgate({ baseUrl: "https://verify.example.com/", fetch, ...options }) };
}

/** Lets waits pass at once. */
async function settled<T>(work: Promise<T>): Promise<T> {
  let done = false;
  void work.finally(() => {
    done = true;
  });
  for (let i = 0; i < 100 && !done; i++) await vi.advanceTimersByTimeAsync(1000);
  return work;
}

function problemAnswer(code: string, extension: Partial<Problem> = {}, status = 429) {
  const told = { type: `/problems/${code}`, title: "No", status, correlation_id: "c-2", ...extension };
  return new Response(JSON.stringify({ ...told, code }), {
    status,
    headers: { "content-type": "application/problem+json" },
  });
}

/** A problem that says when to come back in its header only. */
function headed(code: string, status: number, retryAfter: string) {
  const answer = problemAnswer(code, {}, status);
  answer.headers.set("retry-after", retryAfter);
  return answer;
}

const json = (body: object, status = 200) => Response.json(body, { status });
const phone = "+919876543210";

describe("the client", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
    vi.unstubAllGlobals();
  });

  test("a start goes out in the words of the wire, and comes back with everything to do next", async () => {
    const { seen, client } = tollgate([json(SENT, 202)]);
    const outcome = await client.start({
      phone: "98765 43210",
      region: "IN",
      flow: "signup",
      reference: "order-7",
      captchaToken: "token",
      deviceId: "d-1",
      locale: "en-IN",
    });
    expect(seen[0]?.body).toEqual({
      phone: "98765 43210",
      region: "IN",
      flow: "signup",
      reference: "order-7",
      captcha_token: "token",
      device_id: "d-1",
      locale: "en-IN",
    });
    if (outcome.kind !== "sent") throw new Error(outcome.kind);
    expect(outcome).toMatchObject({
      session: "sealed",
      maskedPhone: "+91••••••••10",
      codeLength: 6,
      attemptsLeft: 5,
    });
    expect(outcome.codeExpires.secondsLeft()).toBe(180);
    expect(outcome.resend?.secondsLeft()).toBe(60);
    expect(outcome.nextChannels.map(({ channel, available }) => [channel, available.isOver()])).toEqual([
      ["voice", false],
    ]);
  });

  test("a verified code gives the proof, and a status says how the session stands", async () => {
    const verify = tollgate([json(VERIFIED)]);
    expect(await verify.client.verify({ session: "sealed", code: "123456", reference: "order-7" })).toEqual({
      kind: "verified",
      proof: "head.body.signature",
      phone,
      correlationId: "c-1",
      deviceToken: "device-1",
    });
    const status = tollgate([json(STATUS)]);
    expect(await status.client.status("sealed")).toMatchObject({
      kind: "status",
      status: "pending",
      resend: null,
    });
    expect(status.seen[0]?.headers.get("authorization")).toBe("Bearer sealed");
  });

  test.each(PROBLEM_CODES)("the problem %s is an outcome of its own kind", async (code) => {
    const extension = {
      // The kit waits for a request in progress for 30 s in all, and tells one that needs longer.
      retry_after: code === "in_progress" ? 40 : 30,
      attempts_left: 2,
      errors: [{ field: "phone", reason: "is required" }],
      challenge: { provider: "turnstile" as const, site_key: "key", action: "send", fresh: true },
      step_up: { factors: ["passkey"] },
    };
    problem.parse({ type: "/p", title: "No", status: 429, code, correlation_id: "c-2", ...extension });
    const { seen, client } = tollgate([problemAnswer(code, extension)]);
    const outcome = await client.start({ phone });
    expect(outcome).toMatchObject({ kind: code, correlationId: "c-2", status: 429 });
    expect(seen).toHaveLength(1);
    if ("retry" in outcome) expect(outcome.retry.secondsLeft()).toBe(extension.retry_after);
    if ("attemptsLeft" in outcome) expect(outcome.attemptsLeft).toBe(2);
    if ("factors" in outcome) expect(outcome.factors).toEqual(["passkey"]);
    if ("challenge" in outcome) {
      expect(outcome.challenge).toEqual({
        provider: "turnstile",
        siteKey: "key",
        action: "send",
        fresh: true,
      });
    }
  });

  test("the union of refusals has a member for every problem code", () => {
    expectTypeOf<ProblemCode>().toExtend<Refusal["kind"]>();
  });

  test("a problem of a newer service does not break an old client", async () => {
    const { client } = tollgate([problemAnswer("number_on_the_moon", { retry_after: 5 }, 422)]);
    const outcome = await client.start({ phone });
    expect(outcome).toMatchObject({ kind: "unknown_problem", code: "number_on_the_moon", status: 422 });
  });

  test.each([
    [
      "a proxy's page",
      new Response("<h1>Bad gateway</h1>", { status: 502, headers: { "retry-after": "7" } }),
      7,
    ],
    ["a hotel's login page", new Response("<h1>Welcome</h1>", { status: 200 }), 0],
    ["JSON of another kind", json({ hello: "world" }), 0],
    ["JSON that is nothing", new Response("null", { status: 200 }), 0],
  ])("%s is unreadable, not a success and not an exception", async (_, response, retrySeconds) => {
    const { seen, client } = tollgate([response]);
    const outcome = await client.start({ phone });
    if (outcome.kind !== "unreadable") throw new Error(outcome.kind);
    expect(outcome.retry.secondsLeft()).toBe(retrySeconds);
    expect(seen).toHaveLength(1);
  });

  test("a start whose answer is lost is repeated under its own key, after growing waits", async () => {
    const { seen, client } = tollgate(["lost", "lost", json(SENT, 202)]);
    const started = performance.now();
    const work = client.start({ phone });
    await vi.advanceTimersByTimeAsync(240);
    expect(seen).toHaveLength(1);
    expect((await settled(work)).kind).toBe("sent");
    const keys = seen.map(({ headers }) => headers.get("idempotency-key"));
    expect(new Set(keys).size).toBe(1);
    expect(seen).toHaveLength(3);
    expect(performance.now() - started).toBeGreaterThanOrEqual(750);
  });

  test("what stays without an answer says so, with the key under which to go on", async () => {
    const { seen, client } = tollgate(["lost", "lost", "lost", json(SENT, 202)]);
    const outcome = await settled(client.start({ phone }));
    if (outcome.kind !== "unreachable" || outcome.idempotencyKey === null) throw new Error(outcome.kind);
    await client.start({ phone }, { idempotencyKey: outcome.idempotencyKey });
    expect(new Set(seen.map(({ headers }) => headers.get("idempotency-key")))).toEqual(
      new Set([outcome.idempotencyKey]),
    );
  });

  test("two starts have two keys", async () => {
    const { seen, client } = tollgate([json(SENT, 202)]);
    await client.start({ phone });
    await client.start({ phone });
    expect(new Set(seen.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(2);
  });

  test("a refusal is never tried again, whatever its status", async () => {
    for (const status of [429, 500, 502, 503]) {
      const { seen, client } = tollgate([problemAnswer("internal_error", {}, status)]);
      await settled(client.verify({ session: "sealed", code: "123456" }));
      expect(seen).toHaveLength(1);
    }
  });

  test.each([
    ["in progress", problemAnswer("in_progress", { retry_after: 2 }, 409), 2000],
    ["in progress, with the wait in the header alone", headed("in_progress", 409, "2"), 2000],
    ["busy for a moment", problemAnswer("too_many_requests", { retry_after: 1 }), 1000],
    ["unavailable for a moment", problemAnswer("sending_paused", { retry_after: 3 }, 503), 3000],
    [
      "a proxy's page with a moment to wait",
      new Response("busy", { status: 503, headers: { "retry-after": "1" } }),
      1000,
    ],
  ])("a start that is %s is repeated under its key, and not too early", async (_, refusal, waitMs) => {
    const { seen, client } = tollgate([refusal, json(SENT, 202)]);
    const work = client.start({ phone });
    await vi.advanceTimersByTimeAsync(waitMs - 1);
    expect(seen).toHaveLength(1);
    expect((await settled(work)).kind).toBe("sent");
    expect(seen).toHaveLength(2);
    expect(new Set(seen.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  });

  test("a provider that takes 20 seconds is waited for, one that takes a minute is told to the caller", async () => {
    const progress = () => problemAnswer("in_progress", { retry_after: 2 }, 409);
    const slow = tollgate([...Array.from({ length: 10 }, progress), json(SENT, 202)]);
    expect((await settled(slow.client.start({ phone }))).kind).toBe("sent");
    expect(slow.seen).toHaveLength(11);
    const endless = tollgate([progress()]);
    const outcome = await settled(endless.client.start({ phone }));
    if (outcome.kind !== "in_progress") throw new Error(outcome.kind);
    expect(outcome.retry.secondsLeft()).toBe(2);
    expect(endless.seen).toHaveLength(16);
  });

  test("the first try's answer is lost, the repeat meets it under way, and the session comes all the same", async () => {
    const { seen, client } = tollgate([
      "lost",
      problemAnswer("in_progress", { retry_after: 1 }, 409),
      json(SENT, 202),
    ]);
    expect(await settled(client.start({ phone }))).toMatchObject({ kind: "sent", session: "sealed" });
    expect(new Set(seen.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  });

  test.each([
    ["too_many_requests", 429, 30],
    ["too_many_requests", 429, undefined],
    ["sending_paused", 503, 60],
    ["delivery_failed", 503, 5],
    ["delivery_failed", 502, 5],
    ["too_many_attempts", 429, 2],
    ["in_progress", 409, 31],
  ] as const)(
    "%s (%d) with %s seconds to wait is for the caller to handle",
    async (code, status, retry_after) => {
      const { seen, client } = tollgate([problemAnswer(code, { retry_after }, status)]);
      expect((await settled(client.start({ phone }))).kind).toBe(code);
      expect(seen).toHaveLength(1);
    },
  );

  test("a service that stays busy is asked three times and no more", async () => {
    const { seen, client } = tollgate([problemAnswer("too_many_requests", { retry_after: 2 })]);
    expect((await settled(client.start({ phone }))).kind).toBe("too_many_requests");
    expect(seen).toHaveLength(3);
  });

  test("an abort ends the wait for a request in progress", async () => {
    const { seen, client } = tollgate([problemAnswer("in_progress", { retry_after: 5 }, 409)]);
    const abort = new AbortController();
    const work = client.start({ phone }, { signal: abort.signal });
    await vi.advanceTimersByTimeAsync(10);
    abort.abort();
    expect(await work).toEqual({ kind: "aborted" });
    expect(seen).toHaveLength(1);
  });

  test("a verify whose answer is lost is repeated under one key, which the next verify does not share", async () => {
    const { seen, client } = tollgate(["lost", problemAnswer("code_incorrect", { attempts_left: 2 }, 422)]);
    const code = { session: "sealed", code: "123456" };
    expect(await settled(client.verify(code))).toMatchObject({ kind: "code_incorrect", attemptsLeft: 2 });
    await settled(client.verify(code));
    const keys = seen.map(({ headers }) => headers.get("idempotency-key"));
    expect(keys[0]).toMatch(UUID);
    expect(keys[1]).toBe(keys[0]);
    expect(keys[2]).not.toBe(keys[0]);
  });

  test("a verify that stays without an answer says under which key it goes on", async () => {
    const { seen, client } = tollgate(["lost", "lost", "lost", json(VERIFIED)]);
    const code = { session: "sealed", code: "123456" };
    const outcome = await settled(client.verify(code));
    if (outcome.kind !== "unreachable" || outcome.idempotencyKey === null) throw new Error(outcome.kind);
    expect((await client.verify(code, { idempotencyKey: outcome.idempotencyKey })).kind).toBe("verified");
    expect(new Set(seen.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  });

  test("a verify with no retries allowed is tried once", async () => {
    const { seen, client } = tollgate(["lost"], { retries: 0 });
    expect((await settled(client.verify({ session: "sealed", code: "123456" }))).kind).toBe("unreachable");
    expect(seen).toHaveLength(1);
  });

  test("a resend is tried once, because it has no key", async () => {
    const { seen, client } = tollgate(["lost"]);
    expect(await settled(client.resend({ session: "sealed", channel: "voice", captchaToken: "t" }))).toEqual({
      kind: "unreachable",
      idempotencyKey: null,
    });
    expect(seen).toHaveLength(1);
    expect(seen[0]?.body).toEqual({ session: "sealed", channel: "voice", captcha_token: "t" });
  });

  test("silence counts as no answer after the time for one", async () => {
    const { seen, client } = tollgate(["hangs", json(VERIFIED)], { timeoutMs: 5000 });
    const work = client.verify({ session: "sealed", code: "123456" });
    await vi.advanceTimersByTimeAsync(4999);
    expect(seen).toHaveLength(1);
    expect((await settled(work)).kind).toBe("verified");
  });

  test("an abort ends a request, a wait, and what was not begun", async () => {
    const abort = new AbortController();
    const hanging = tollgate(["hangs"]);
    const work = hanging.client.start({ phone }, { signal: abort.signal });
    await vi.advanceTimersByTimeAsync(10);
    abort.abort();
    expect(await work).toEqual({ kind: "aborted" });

    const waiting = tollgate(["lost"]);
    const late = new AbortController();
    const waits = waiting.client.status("sealed", { signal: late.signal });
    await vi.advanceTimersByTimeAsync(10);
    late.abort();
    expect(await waits).toEqual({ kind: "aborted" });
    expect(waiting.seen).toHaveLength(1);

    const none = tollgate([json(SENT, 202)]);
    expect(await none.client.start({ phone }, { signal: abort.signal })).toEqual({ kind: "aborted" });
    expect(none.seen).toHaveLength(0);
  });

  test("the device's token is kept where the caller says, and brought to sends", async () => {
    let kept: string | null = null;
    const deviceTokens = {
      get: () => kept,
      set: async (token: string) => {
        kept = token;
      },
    };
    const { seen, client } = tollgate([json(SENT, 202), json(VERIFIED), json(SENT, 202), json(SENT, 202)], {
      deviceTokens,
    });
    await client.start({ phone });
    await client.verify({ session: "sealed", code: "123456" });
    await client.start({ phone });
    await client.resend({ session: "sealed" });
    expect(seen.map(({ body }) => body?.device_token)).toEqual([
      undefined,
      undefined,
      "device-1",
      "device-1",
    ]);
  });

  test.each([
    ["a control character", "device\u0000"],
    ["a lone surrogate", "\ud800"],
    ["another type", 12345 as never],
    ["an object", { token: 1 } as never],
    ["too long", "x".repeat(5000)],
    ["spaces", "not a token"],
    ["empty", ""],
  ])("a kept device token that is damaged (%s) is not sent", async (_, kept) => {
    const { seen, client } = tollgate([json(SENT, 202)], { deviceTokens: { get: () => kept, set() {} } });
    expect((await client.start({ phone })).kind).toBe("sent");
    expect(seen[0]?.body?.device_token).toBeUndefined();
  });

  test("a device token that the service cannot read is left out of a second try under the same key", async () => {
    const errors = [{ field: "device_token", reason: "is damaged" }];
    const refusal = problemAnswer("invalid_request", { errors }, 400);
    const { seen, client } = tollgate([refusal, json(SENT, 202)], {
      deviceTokens: { get: () => "damaged", set() {} },
    });
    expect((await client.start({ phone })).kind).toBe("sent");
    expect(seen.map(({ body }) => body?.device_token)).toEqual(["damaged", undefined]);
    expect(new Set(seen.map(({ headers }) => headers.get("idempotency-key"))).size).toBe(1);
  });

  test.each([1e9, -1, 0, 3, 11, 5.5, Number.NaN, "6", null, undefined])(
    "a code length of %j is damage on the way, and six is meant",
    async (length) => {
      const { client } = tollgate([json({ ...SENT, code_length: length }, 202)]);
      expect(await client.start({ phone })).toMatchObject({ kind: "sent", codeLength: 6 });
    },
  );

  test("storage that fails stops nothing", async () => {
    const fail = () => {
      throw new Error("denied");
    };
    const { client } = tollgate([json(SENT, 202), json(VERIFIED)], {
      deviceTokens: { get: fail, set: fail },
    });
    expect((await client.start({ phone })).kind).toBe("sent");
    expect((await client.verify({ session: "sealed", code: "123456" })).kind).toBe("verified");
  });

  test.each([
    ["no crypto.randomUUID", { getRandomValues: (bytes: Uint8Array) => bytes.fill(7) }],
    ["no crypto at all", undefined],
  ])("with %s the key is a UUID all the same", async (_, crypto) => {
    vi.stubGlobal("crypto", crypto);
    const { seen, client } = tollgate([json(SENT, 202)]);
    expect((await client.start({ phone })).kind).toBe("sent");
    expect(seen).toHaveLength(1);
  });

  test("without any fetch it says so when it is made", () => {
    vi.stubGlobal("fetch", undefined);
    expect(() => createTollgate({ baseUrl: "https://verify.example.com" })).toThrow(TypeError);
  });
});

describe("Retry-After", () => {
  const nowMs = Date.UTC(2026, 10, 30, 12, 0, 0);
  test.each([
    [null, 0],
    ["", 0],
    ["0", 0],
    ["7", 7],
    [" 120 ", 120],
    ["999999999", 999_999_999],
    ["Mon, 30 Nov 2026 12:00:42 GMT", 42],
    ["Monday, 30-Nov-26 12:00:42 GMT", 42],
    ["Mon Nov 30 12:00:42 2026 GMT", 42],
    ["Mon, 30 Nov 2026 11:59:00 GMT", 0],
    ["-5", 0],
    ["1.5", 0],
    ["1e9", 0],
    ["9999999999999999999999", 0],
    ["Infinity", 0],
    ["soon", 0],
  ])("%j is %d seconds", (header, seconds) => {
    expect(readRetryAfter(header, nowMs)).toBe(seconds);
  });

  test.each([
    [{ retry_after: 3 }, 9, 3],
    [{ retry_in_seconds: 4 }, 9, 4],
    [{ retry_after: "3" }, 9, 9],
    [{ retry_after: -1 }, 9, 9],
    [{ retry_after: null }, 9, 9],
    [{}, 9, 9],
    [null, 9, 9],
  ])("the body %j and a header of %d seconds are %d seconds", (body, header, seconds) => {
    expect(secondsToRetry(body as never, header)).toBe(seconds);
  });
});

test("an address with many slashes takes no longer than one with few", () => {
  expect(withoutEndSlashes(`https://verify.example.com${"/".repeat(100_000)}`)).toBe(
    "https://verify.example.com",
  );
  expect(withoutEndSlashes(`${"/".repeat(100_000)}x`)).toHaveLength(100_001);
  expect(withoutEndSlashes("//")).toBe("");
  expect(withoutEndSlashes("")).toBe("");
});

describe("a countdown", () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  test("is not moved by a clock that is set back", () => {
    const deadline = deadlineIn(60);
    vi.setSystemTime(0);
    vi.advanceTimersByTime(59_500);
    expect([deadline.secondsLeft(), deadline.isOver()]).toEqual([1, false]);
    vi.advanceTimersByTime(500);
    expect([deadline.secondsLeft(), deadline.isOver()]).toEqual([0, true]);
  });

  test("counts a sleep, in which the monotonic clock of some devices stands still", () => {
    const deadline = deadlineIn(60);
    vi.setSystemTime(Date.now() + 45_000);
    expect(deadline.secondsLeft()).toBe(15);
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(deadline.isOver()).toBe(true);
  });

  test("counts a sleep in which the wall clock stands still, and works without a monotonic one", () => {
    vi.spyOn(Date, "now").mockReturnValue(0);
    const deadline = deadlineIn(60);
    vi.advanceTimersByTime(45_000);
    expect(deadline.secondsLeft()).toBe(15);
    vi.restoreAllMocks();
    vi.stubGlobal("performance", undefined);
    const other = deadlineIn(60);
    vi.setSystemTime(Date.now() + 20_000);
    expect(other.secondsLeft()).toBe(40);
    vi.unstubAllGlobals();
  });

  test("looks again as soon as its page is seen again, and lets go of the page at its end", () => {
    const page = new EventTarget();
    vi.stubGlobal("document", page);
    const removals = vi.spyOn(page, "removeEventListener");
    const ticks: number[] = [];
    countDown(deadlineIn(60), (left) => ticks.push(left));
    vi.setSystemTime(Date.now() + 40_000);
    page.dispatchEvent(new Event("visibilitychange"));
    expect(ticks).toEqual([60, 20]);
    vi.setSystemTime(Date.now() + 40_000);
    page.dispatchEvent(new Event("visibilitychange"));
    page.dispatchEvent(new Event("visibilitychange"));
    vi.advanceTimersByTime(100_000);
    expect(ticks).toEqual([60, 20, 0]);
    expect(removals).toHaveBeenCalled();
    vi.unstubAllGlobals();
  });

  test("ticks once a second, ends with 0, and can be stopped", () => {
    const ticks: number[] = [];
    countDown(deadlineIn(2), (left) => ticks.push(left));
    vi.advanceTimersByTime(10_000);
    expect(ticks).toEqual([2, 1, 0]);
    const stopped: number[] = [];
    countDown(deadlineIn(5), (left) => stopped.push(left))();
    vi.advanceTimersByTime(10_000);
    expect(stopped).toEqual([5]);
  });
});

describe("the client's bundle", () => {
  async function bundle(format: "esm" | "iife"): Promise<string> {
    const { outputFiles } = await build({
      entryPoints: [CLIENT],
      bundle: true,
      minify: true,
      target: "es2022",
      write: false,
      format,
      globalName: "kit",
    });
    return outputFiles[0]?.text ?? "";
  }

  test("is under 6 kB gzipped", async () => {
    const size = gzipSync(await bundle("esm"), { level: 9 }).length;
    expect(size).toBeGreaterThan(1000);
    expect(size).toBeLessThan(6000);
  });

  test("works where there is nothing but fetch and timers", async () => {
    const context = vm.createContext({
      setTimeout,
      clearTimeout,
      fetch: async (_: string, { signal }: RequestInit) => {
        expect(signal).toBeUndefined();
        return json(SENT, 202);
      },
    });
    vm.runInContext(await bundle("iife"), context);
    const start =
      'kit.createTollgate({ baseUrl: "https://verify.example.com" }).start({ phone: "+919876543210" })';
    expect(await vm.runInContext(start, context)).toMatchObject({ kind: "sent", session: "sealed" });
  });
});
