import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test, vi } from "vitest";
import { type LocalServer, serveLocally } from "../../../scripts/dev/serve.ts";
import {
  ALWAYS_PASSES_SECRET,
  DUMMY_TOKEN,
  HCAPTCHA_SECRET,
  makeSiteverify,
  RECAPTCHA_SECRET,
  type SiteverifyService,
} from "../../../scripts/dev/siteverify.ts";
import {
  type CaptchaAccess,
  type CaptchaRules,
  isTestSecret,
  siteverifyCaptcha,
} from "../../../src/adapters/identity/captcha-siteverify.ts";
import {
  type Behaviour,
  deadUrl,
  json,
  openRudeServer,
  page,
  type RecordedRequest,
  type RudeServer,
} from "../../support/rude-server.ts";

const IP = "203.0.113.7";
const KEY = "8f14e45f-ceea-467f-a0e6-29b4b1a6b1c1";
const OTHER_KEY = "9f14e45f-ceea-467f-a0e6-29b4b1a6b1c2";
const TOKEN = "a-token-of-a-visitor";
const FRESH_SECRET = "secret-of-the-second-widget";
const FRESH = { fresh_site_key: "second-widget" };
const NOW_MS = Date.UTC(2026, 0, 2, 3, 4, 5);

const PROVIDERS = [
  {
    provider: "turnstile",
    url: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
    secret: ALWAYS_PASSES_SECRET,
    type: /^application\/json$/,
    read: (body: string): object => JSON.parse(body),
    fields: { idempotency_key: KEY },
    freshFields: { idempotency_key: KEY },
    states: { action: "send" },
    spent: "timeout-or-duplicate",
    maxTokenLength: 2048,
    outages: ["internal-error"],
    mistakes: [],
    foreign: ["invalid-input-response"],
    verdicts: ["missing-input-response", "timeout-or-duplicate"],
  },
  {
    provider: "hcaptcha",
    url: "https://api.hcaptcha.com/siteverify",
    secret: HCAPTCHA_SECRET,
    type: /^application\/x-www-form-urlencoded/,
    read: (body: string): object => Object.fromEntries(new URLSearchParams(body)),
    fields: { sitekey: "first-widget" },
    freshFields: { sitekey: "second-widget" },
    states: {},
    spent: "already-seen-response",
    maxTokenLength: 8192,
    outages: [],
    mistakes: ["missing-remoteip", "invalid-remoteip"],
    foreign: ["invalid-input-response", "sitekey-secret-mismatch", "invalid-or-already-seen-response"],
    verdicts: [
      "missing-input-response",
      "expired-input-response",
      "already-seen-response",
      "not-using-dummy-passcode",
    ],
  },
  {
    provider: "recaptcha",
    url: "https://www.google.com/recaptcha/api/siteverify",
    secret: RECAPTCHA_SECRET,
    type: /^application\/x-www-form-urlencoded/,
    read: (body: string): object => Object.fromEntries(new URLSearchParams(body)),
    fields: {},
    freshFields: {},
    states: { action: "send", score: 0.9 },
    spent: "timeout-or-duplicate",
    maxTokenLength: 8192,
    outages: [],
    mistakes: [],
    foreign: ["invalid-input-response", "invalid-keys"],
    verdicts: ["missing-input-response", "timeout-or-duplicate", "browser-error"],
  },
] as const;

type Provider = (typeof PROVIDERS)[number];

const challengeOf = (
  { provider, secret }: Provider,
  access: Partial<CaptchaAccess>,
  rules: Partial<CaptchaRules> = {},
) =>
  siteverifyCaptcha(
    {
      provider,
      site_key: "first-widget",
      hostnames: ["localhost", "app.example.com"],
      action: "send",
      min_score: 0.5,
      ...rules,
    },
    { secret, freshSecret: FRESH_SECRET, ...access },
  );

const passed = (grade: "ordinary" | "fresh") => ({ kind: "passed", solvedAtMs: NOW_MS, grade });
const failed = (cause: RegExp) => ({ kind: "failed", cause: expect.stringMatching(cause) });
const unavailable = { kind: "unavailable", cause: expect.any(String) };
const misconfigured = (cause: string) => ({ kind: "misconfigured", cause: expect.stringContaining(cause) });

let service: SiteverifyService;
let local: LocalServer;
let rude: RudeServer;
beforeAll(async () => {
  local = await serveLocally((request) => service.handle(request));
  rude = await openRudeServer();
});
beforeEach(() => {
  service = makeSiteverify({ nowMs: () => NOW_MS, freshSecret: FRESH_SECRET });
  rude.requests.length = 0;
});
afterAll(() => Promise.all([local.close(), rude.close()]));

/** Asks the local siteverify of a provider. */
function verifier(of: Provider, access: Partial<CaptchaAccess> = {}) {
  const siteverifyUrl = local.url + new URL(of.url).pathname;
  return (token: string, rules: Partial<CaptchaRules> = {}, key = KEY) =>
    challengeOf(of, { siteverifyUrl, ...access }, rules).verify(token, IP, key);
}

const named = (of: Provider) => [of.provider, of] as const;

describe.each(PROVIDERS.map(named))("a token of %s", (_, of) => {
  const verify = (...request: Parameters<ReturnType<typeof verifier>>) => verifier(of)(...request);

  test("that was solved here passes, and says when it was solved", async () => {
    expect(await verify(DUMMY_TOKEN)).toEqual(passed("ordinary"));
    expect(await verify("once-1?hostname=app.example.com&age_seconds=60")).toEqual({
      ...passed("ordinary"),
      solvedAtMs: NOW_MS - 60_000,
    });
    expect(service.stats.requests).toBe(2);
  });

  test.for([
    ["for another host", "once-1?hostname=evil.example", /host/],
    ["for a host below ours", "once-1?hostname=x.app.example.com", /host/],
    ["for no host", "once-1?hostname=", /host/],
    ["too long ago", "once-1?age_seconds=301", /timeout-or-duplicate|expired-input-response/],
    ["nowhere", "made-up", /invalid-input-response/],
    ["for nobody, being empty", "", /missing-input-response/],
  ] as const)("that was solved %s fails", async ([, token, cause]) => {
    expect(await verify(token)).toEqual(failed(cause));
  });

  test("passes once", async () => {
    expect(await verify("once-1")).toEqual(passed("ordinary"));
    expect(await verify("once-1", {}, OTHER_KEY)).toEqual({ kind: "failed", cause: of.spent });
  });

  test("passes for one of two requests that bring it at once", async () => {
    const answers = await Promise.all([verify("once-1"), verify("once-1", {}, OTHER_KEY)]);
    expect(answers.map(({ kind }) => kind).sort()).toEqual(["failed", "passed"]);
  });

  test("is not judged when our secret is wrong or missing, which is our mistake and no outage", async () => {
    expect(await verifier(of, { secret: "not-a-secret" })(DUMMY_TOKEN)).toEqual(
      misconfigured("invalid-input-secret of the ordinary widget"),
    );
    expect(await verifier(of, { secret: "" })(DUMMY_TOKEN)).toEqual(
      misconfigured("missing-input-secret of the ordinary widget"),
    );
  });

  test("is not judged when the service is down", async () => {
    service.faults.down = true;
    expect(await verify(DUMMY_TOKEN)).toEqual(unavailable);
  });

  test("is fresh when it is the second widget's, once", async () => {
    expect(await verify("fresh-1", FRESH)).toEqual(passed("fresh"));
    expect(service.stats.requests).toBe(2);
    expect(await verify("fresh-1", FRESH, OTHER_KEY)).toEqual({ kind: "failed", cause: of.spent });
    expect(await verify("fresh-2?hostname=evil.example", FRESH)).toEqual(failed(/host/));
  });

  test("of the second widget fails at the first question where no second one is configured", async () => {
    expect(await verify("fresh-1")).toMatchObject({ kind: "failed" });
    expect(service.stats.requests).toBe(1);
  });

  test("is asked about a second time only when it may be the second widget's", async () => {
    expect(await verify("once-1", FRESH)).toEqual(passed("ordinary"));
    expect(await verify("once-1", FRESH, OTHER_KEY)).toMatchObject({ kind: "failed" });
    expect(await verify("once-2?age_seconds=301", FRESH)).toMatchObject({ kind: "failed" });
    expect(await verify("once-3?hostname=evil.example", FRESH)).toMatchObject({ kind: "failed" });
    expect(service.stats.requests).toBe(4);
    expect(await verify("made-up", FRESH)).toEqual(failed(/invalid-input-response/));
    expect(service.stats.requests).toBe(6);
  });

  test("of the second widget is not judged when that widget's secret is wrong", async () => {
    expect(await verifier(of, { freshSecret: "not-a-secret" })("fresh-1", FRESH)).toEqual(
      misconfigured("invalid-input-secret of the fresh widget"),
    );
  });
});

describe.each(PROVIDERS.map(named))("the siteverify of %s", (_, of) => {
  const success = { success: true, hostname: "localhost", ...of.states };
  const verify = (rules: Partial<CaptchaRules> = {}) =>
    challengeOf(of, { siteverifyUrl: rude.url, secret: "our-secret" }, rules).verify(TOKEN, IP, KEY);
  const sent = (request: RecordedRequest | undefined) => of.read(request?.body ?? "");

  afterEach(() => {
    vi.unstubAllGlobals();
  });

  test("is asked with what it takes, the way it takes it", async () => {
    rude.behave(json(200, success));
    await verify(FRESH);
    expect(rude.requests).toHaveLength(1);
    const [request] = rude.requests;
    expect(request).toMatchObject({ method: "POST", path: "/" });
    expect(request?.headers["content-type"]).toMatch(of.type);
    expect(sent(request)).toEqual({ secret: "our-secret", response: TOKEN, remoteip: IP, ...of.fields });
  });

  test("is asked the second time with the second widget's keys", async () => {
    rude.behave(json(200, { success: false, "error-codes": ["invalid-input-response"] }));
    await verify(FRESH);
    expect(rude.requests).toHaveLength(2);
    expect(sent(rude.requests[1])).toEqual({
      secret: FRESH_SECRET,
      response: TOKEN,
      remoteip: IP,
      ...of.freshFields,
    });
  });

  test("is at its provider's address unless told otherwise", async () => {
    const fetched = vi.fn(async (_url: string) => Response.json(success));
    vi.stubGlobal("fetch", fetched);
    expect(await challengeOf(of, {}).verify(TOKEN, IP, KEY)).toMatchObject({ kind: "passed" });
    expect(fetched.mock.calls.map(([url]) => url)).toEqual([of.url]);
  });

  test("is unavailable when it says that it broke, and is not asked again", async () => {
    for (const code of of.outages) {
      rude.requests.length = 0;
      rude.behave(json(200, { success: false, "error-codes": [code] }));
      expect(await verify(FRESH)).toEqual({ kind: "unavailable", cause: expect.stringContaining(code) });
      expect(rude.requests).toHaveLength(1);
    }
  });

  test("says that we are misconfigured when it speaks of our settings, and is not asked again", async () => {
    for (const code of ["missing-input-secret", "invalid-input-secret", ...of.mistakes]) {
      rude.requests.length = 0;
      rude.behave(json(200, { success: false, "error-codes": [code] }));
      expect(await verify(FRESH)).toEqual(misconfigured(`${code} of the ordinary widget`));
      expect(rude.requests).toHaveLength(1);
    }
  });

  test("fails the visitor by every other code, an unknown one and none at all", async () => {
    for (const codes of [...of.verdicts.map((code) => [code]), ["bad-request"], ["a-new-code"], []]) {
      rude.requests.length = 0;
      rude.behave(json(200, { success: false, "error-codes": codes }));
      expect(await verify(FRESH)).toEqual({ kind: "failed", cause: codes[0] ?? expect.any(String) });
      expect(rude.requests).toHaveLength(1);
    }
  });

  test("is asked again by every code for a token of another widget", async () => {
    for (const code of of.foreign) {
      rude.requests.length = 0;
      rude.behave(json(200, { success: false, "error-codes": [code] }));
      expect(await verify(FRESH)).toEqual({ kind: "failed", cause: code });
      expect(rude.requests).toHaveLength(2);
    }
  });

  test("fails the visitor by a host that it leaves out", async () => {
    for (const hostname of [null, undefined]) {
      rude.behave(json(200, { ...success, hostname }));
      expect(await verify()).toEqual(failed(/host/));
    }
  });

  test("is read whatever its status", async () => {
    rude.behave(json(400, { success: false, "error-codes": ["missing-input-response"] }));
    expect(await verify()).toEqual({ kind: "failed", cause: "missing-input-response" });
  });

  test.each([
    ...[400, 413, 414, 422, 431].map((status) => [status, "failed"] as const),
    ...[401, 402, 403, 404, 405, 408, 410, 418, 429, 451, 499].map(
      (status) => [status, "misconfigured"] as const,
    ),
    ...[500, 502, 503, 504, 520, 522, 599].map((status) => [status, "unavailable"] as const),
  ])("that answers %i without a verdict is %s, whatever its body", async (status, kind) => {
    const bodies: Behaviour[] = [
      page(status),
      json(status, { ok: true }),
      json(status, success),
      { kind: "answer", status, body: "" },
      { kind: "cut", status, body: '{"success":' },
    ];
    for (const behaviour of bodies) {
      rude.behave(behaviour);
      expect(await verify()).toMatchObject({ kind });
    }
  });

  test("is unavailable by a 5xx even where a verdict comes with it", async () => {
    for (const code of ["timeout-or-duplicate", ...of.foreign, ...of.mistakes]) {
      rude.behave(json(503, { success: false, "error-codes": [code] }));
      expect(await verify()).toEqual(unavailable);
    }
  });

  test.each(["unknown", "", "localhost", "203.0.113.7:443", "203.0.113.7, 10.0.0.1", "999.1.1.1"])(
    "is told no address where %j is all that is known",
    async (ip) => {
      rude.behave(json(200, success));
      const challenge = challengeOf(of, { siteverifyUrl: rude.url, secret: "our-secret" });
      expect(await challenge.verify(TOKEN, ip, KEY)).toMatchObject({ kind: "passed" });
      expect(sent(rude.requests[0])).not.toHaveProperty("remoteip");
    },
  );

  test.each(["203.0.113.7", "2001:db8::7", "::ffff:203.0.113.7"])("is told the address %s", async (ip) => {
    rude.behave(json(200, success));
    await challengeOf(of, { siteverifyUrl: rude.url, secret: "our-secret" }).verify(TOKEN, ip, KEY);
    expect(sent(rude.requests[0])).toHaveProperty("remoteip", ip);
  });

  test.each([
    ["too long", "x".repeat(of.maxTokenLength + 1)],
    ["with a blank", "a token"],
    ["with a line break", "token\n"],
    ["with a NUL", "token\u0000"],
    ["with a letter that is not ASCII", "tökén"],
    ["with a smile", "😀"],
    ["with a quotation mark", 'token"'],
    ["with markup", "<script>"],
    ["with half a character", "\ud800"],
  ])("is not asked about a token %s, which fails though it is down", async (_, token) => {
    rude.behave(page(503));
    const challenge = challengeOf(of, { siteverifyUrl: rude.url, secret: "our-secret" }, FRESH);
    expect(await challenge.verify(token, IP, KEY)).toMatchObject({ kind: "failed" });
    expect(rude.requests).toEqual([]);
  });

  test("is asked about the longest token", async () => {
    rude.behave(json(200, success));
    const challenge = challengeOf(of, { siteverifyUrl: rude.url, secret: "our-secret" });
    const token = `${"x".repeat(of.maxTokenLength - 8)}.-_~+/=1`;
    expect(await challenge.verify(token, IP, KEY)).toMatchObject({ kind: "passed" });
    expect(sent(rude.requests[0])).toHaveProperty("response", token);
  });

  test.for<[text: unknown, ms: number | null]>([
    ["2026-01-02T03:04:05.000Z", NOW_MS],
    ["2026-01-02T03:04:05Z", NOW_MS],
    ["2026-01-02T03:04:05.000000Z", NOW_MS],
    ["2026-01-02T04:04:05+01:00", NOW_MS],
    ["2026-01-02T04:04:05+0100", NOW_MS],
    ["a while ago", null],
    ["", null],
    [1767323045, null],
    [null, null],
    [undefined, null],
  ])("that says it was solved at %j is read as %j", async ([text, solvedAtMs]) => {
    rude.behave(json(200, { ...success, challenge_ts: text }));
    expect(await verify()).toEqual({ kind: "passed", solvedAtMs, grade: "ordinary" });
  });

  test.for<[name: string, behaviour: Behaviour]>([
    ["a page", page(200)],
    ["an error page", page(500)],
    ["an error without a body", { kind: "answer", status: 503, body: "" }],
    ["a redirect", { kind: "answer", status: 302, body: "", headers: { location: "/elsewhere" } }],
    ["JSON that is no verdict", json(200, { ok: true })],
    ["a verdict in words", json(200, { ...success, success: "true" })],
    ["a score in words", json(200, { ...success, score: "0.9" })],
    ["error codes that are no list", json(200, { success: false, "error-codes": "internal-error" })],
    ["nothing but null", json(200, null)],
    ["half an answer", { kind: "cut", status: 200, body: '{"success":true,' }],
    ["half a text that ends well", { kind: "answer", status: 200, body: '{"success":true,"hostn' }],
    ["a closed connection", { kind: "drop" }],
  ])("is unavailable when it answers %s", async ([, behaviour]) => {
    rude.behave(behaviour);
    expect(await verify(FRESH)).toEqual(unavailable);
    expect(rude.requests).toHaveLength(1);
  });

  test("is unavailable where nobody listens", async () => {
    const siteverifyUrl = await deadUrl();
    expect(await challengeOf(of, { siteverifyUrl }).verify(TOKEN, IP, KEY)).toEqual(unavailable);
  });

  test("leaves neither token, address nor secret in a cause", async () => {
    for (const behaviour of [
      page(500),
      json(200, { success: false, "error-codes": ["invalid-input-secret"] }),
    ]) {
      rude.behave(behaviour);
      const text = JSON.stringify(await verify());
      for (const secret of [TOKEN, IP, "our-secret"]) expect(text).not.toContain(secret);
    }
  });
});

describe.concurrent.each(PROVIDERS.map(named))("the siteverify of %s that takes its time", (_, of) => {
  const foreign = json(200, { success: false, "error-codes": ["invalid-input-response"] });
  const later = (behaviour: Behaviour) =>
    new Promise<Behaviour>((resolve) => setTimeout(resolve, 1500, behaviour));

  test.for<[name: string, answers: (request: RecordedRequest) => Promise<Behaviour>]>([
    ["says nothing", async () => ({ kind: "hang" })],
    ["stops in the middle", async () => ({ kind: "hang_in_body", status: 200, body: '{"success":true' })],
    [
      "is slow at first and silent the second time",
      async ({ body }) => (body.includes(FRESH_SECRET) ? { kind: "hang" } : later(foreign)),
    ],
  ])("is unavailable after three seconds in all when it %s", async ([, answers]) => {
    const slow = await openRudeServer();
    slow.behave(answers);
    const sinceMs = performance.now();
    expect(await challengeOf(of, { siteverifyUrl: slow.url }, FRESH).verify(TOKEN, IP, KEY)).toEqual(
      unavailable,
    );
    expect(performance.now() - sinceMs).toBeLessThan(3900);
    await slow.close();
  });
});

const [TURNSTILE, HCAPTCHA, RECAPTCHA] = PROVIDERS;

describe("where providers differ", () => {
  test.each([named(TURNSTILE), named(RECAPTCHA)])(
    "a token of %s fails for another action, and for none",
    async (_, of) => {
      expect(await verifier(of)("once-1?action=login")).toEqual(failed(/action/));
      expect(await verifier(of)("once-2?action=")).toEqual(failed(/action/));
      expect(await verifier(of)("fresh-3?action=login", FRESH)).toEqual(failed(/action/));
    },
  );

  test("Turnstile lets the same request check its token again", async () => {
    expect(await verifier(TURNSTILE)("once-1", {}, KEY)).toEqual(passed("ordinary"));
    expect(await verifier(TURNSTILE)("once-1", {}, KEY)).toEqual(passed("ordinary"));
    expect(await verifier(TURNSTILE)("fresh-1", FRESH, KEY)).toEqual(passed("fresh"));
    expect(await verifier(TURNSTILE)("fresh-1", FRESH, KEY)).toEqual(passed("fresh"));
  });

  test("reCAPTCHA's score must be there and high enough", async () => {
    const verify = verifier(RECAPTCHA);
    expect(await verify("once-1?score=0.5")).toEqual(passed("ordinary"));
    expect(await verify("once-2?score=0.4")).toEqual(failed(/0\.4/));
    expect(await verify("once-3?score=0.4", { min_score: 0.3 })).toEqual(passed("ordinary"));
    expect(await verify("once-4?score=", { min_score: 0 })).toEqual(failed(/score/));
  });

  test("reCAPTCHA's interactive widget states no score, but one that it states counts", async () => {
    const verify = verifier(RECAPTCHA);
    expect(await verify("fresh-1", FRESH)).toEqual(passed("fresh"));
    expect(await verify("fresh-2?score=0.4", FRESH)).toEqual(failed(/0\.4/));
  });

  test("hCaptcha's score is one of risk, and only some accounts get it", async () => {
    const verify = verifier(HCAPTCHA);
    expect(await verify("once-1?score=0.1")).toEqual(passed("ordinary"));
    expect(await verify("once-2?score=0.9")).toEqual(failed(/0\.9/));
    expect(await verify("once-3", { min_score: 1 })).toEqual(passed("ordinary"));
  });

  test("hCaptcha may withhold the host, the others must tell it", async () => {
    const token = "once-1?hostname=not-provided";
    expect(await verifier(HCAPTCHA)(token)).toEqual(passed("ordinary"));
    expect(await verifier(TURNSTILE)(token)).toEqual(failed(/host/));
    expect(await verifier(RECAPTCHA)(token)).toEqual(failed(/host/));
  });

  test("hCaptcha's widgets share the account's secret and differ by site key", async () => {
    const verify = verifier(HCAPTCHA, { freshSecret: undefined });
    expect(await verify("once-1?sitekey=first-widget", FRESH)).toEqual(passed("ordinary"));
    expect(await verify("once-2?sitekey=second-widget", FRESH)).toEqual(passed("fresh"));
    expect(await verify("once-3?sitekey=third-widget", FRESH)).toEqual(failed(/sitekey-secret-mismatch/));
    expect(await verify("once-4?sitekey=second-widget")).toEqual(failed(/sitekey-secret-mismatch/));
  });
});

test("published test secrets are told from others", () => {
  for (const { provider, secret } of PROVIDERS) {
    expect(isTestSecret(provider, secret)).toBe(true);
    expect(isTestSecret(provider, `0x4${"A1b2".repeat(8)}`)).toBe(false);
  }
  expect(isTestSecret("turnstile", "3x0000000000000000000000000000000AA")).toBe(true);
});
