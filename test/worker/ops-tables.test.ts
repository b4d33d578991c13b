import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { afterEach, beforeEach, expect, test } from "vitest";
import { sha256Hex } from "../../src/adapters/digest.ts";
import { operatorIdentities } from "../../src/adapters/identity/cloudflare-access.ts";
import { sealedTokens } from "../../src/adapters/identity/sealed-tokens.ts";
import { minuteOf } from "../../src/domain/kernel/time.ts";
import type { LedgerEvent } from "../../src/domain/ledger/event.ts";
import { sumTallies } from "../../src/domain/monitor/tally.ts";
import { opsApp } from "../../src/ops/app.tsx";
import { OPERATOR_TOKEN } from "../support/addresses.ts";
import { outsideFaults } from "../support/outside-control.ts";
import { ROOMY } from "../support/roomy.ts";
import { codeFor, eventually, from, makeService } from "../support/service.ts";

const ORIGIN = "http://localhost";
const PHONE = "+919876543210";
const CORRELATION_ID = "3f2b8c1e-0d4a-4c55-9e21-7a6b5c4d3e2f";

let service: ReturnType<typeof makeService>;
let cookie: string;
let go: (path: string, form?: Record<string, string>) => Promise<{ status: number; html: string }>;

beforeEach(async () => {
  service = makeService(ROOMY);
  const nowMs = () => Date.now();
  const hash = await sha256Hex(OPERATOR_TOKEN);
  const key = { id: "k1", secret: crypto.getRandomValues(new Uint8Array(32)) };
  const opsSeal = sealedTokens([key], "ops session", nowMs);
  const tokens = [{ who: "tests", role: "operator" as const, hash }];
  const deps = { ...service.deps, opsSeal, operators: operatorIdentities({ tokens, access: null }, nowMs) };
  const app = new Hono().route("/ops", opsApp(deps));
  cookie = `ops_session=${await opsSeal.seal({ token: OPERATOR_TOKEN, session: "s-1" }, 600)}`;
  go = async (path, form) => {
    const response = await app.request(`${ORIGIN}/ops${path}`, {
      headers: { cookie, ...(form ? { origin: ORIGIN } : {}) },
      ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
    });
    return { status: response.status, html: await response.text() };
  };
});

afterEach(() => env.CONTROL.delete("operator-routes"));

const hidden = (html: string) =>
  Object.fromEntries(
    [...html.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g)].map(([, name, value]) => [
      name,
      value,
    ]),
  );
const csrfOf = async (page: string): Promise<string> => hidden((await go(page)).html).csrf ?? "";

/** Says what it would do, and does it. */
async function act(page: string, action: string, fields: Record<string, string>) {
  const asked = await go(action, { csrf: await csrfOf(page), ...fields });
  expect(asked.status).toBe(200);
  return go(action, { ...hidden(asked.html), why: "for the test" });
}

const sentBy = async () => {
  const window = await service.deps.counters.window(minuteOf(Date.now()), 15);
  if (window.kind !== "answered") throw new Error(window.cause);
  const sums = sumTallies(window.minutes.map(({ tally }) => tally));
  const of = (provider: string) => sums.get(`provider ${provider}`)?.sent ?? 0;
  return { sandbox: of("sandbox"), sandbox_b: of("sandbox_b"), all: of("sandbox") + of("sandbox_b") };
};

test("a message stands in the tables of destinations, sources and providers a moment later", async () => {
  expect((await service.send({ phone: PHONE, flow: "signup" })).status).toBe(202);
  const seen = await eventually(
    () => go("/destinations"),
    ({ html }) => html.includes("India"),
  );
  expect(seen.html).toContain('href="/ops/destinations?by=prefix&amp;in=IN"');
  expect((await go("/destinations?by=prefix&in=IN")).html).toContain("row-+91987");
  expect((await go("/destinations?by=block&in=%2B91987")).html).toMatch(/row-\+91987654[\s\S]*1 of 5\d\d/);
  expect((await go("/sources")).html).toContain("row-AS64500");
  const providers = (await go("/providers")).html;
  expect(providers).toContain("row-sandbox_b");
  const answered =
    /data-label="Answers in" class="number"><span class="judged quiet">\d+ ms<small>95 % in \d+ ms/;
  expect(providers, "and how long its provider took to answer").toMatch(answered);
});

test("a provider drained from the dashboard gets nothing from the next message on, and all that it got before after", async () => {
  const done = await act("/providers", "/routes/drain", { provider: "sandbox", for_seconds: "3600" });
  expect(done.status).toBe(303);
  expect(JSON.parse((await env.CONTROL.get("operator-routes")) ?? "[]")).toMatchObject([
    { kind: "drain", provider: "sandbox", by: "tests", why: "for the test" },
  ]);
  const before = await sentBy();
  for (let i = 0; i < 5; i++) {
    expect((await service.send({ phone: `+9198765433${10 + i}`, flow: "signup" })).status).toBe(202);
  }
  const after = await eventually(sentBy, ({ all }) => all === before.all + 5);
  expect([after.sandbox - before.sandbox, after.sandbox_b - before.sandbox_b]).toEqual([0, 5]);
  const cleared = await act("/providers", "/routes/clear", { kind: "drain", subject: "sandbox" });
  expect(cleared.status).toBe(303);
  expect(await env.CONTROL.get("operator-routes")).toBeNull();
});

test("a number typed into the form finds its verification by hash, and stands nowhere", async () => {
  const { vault, ledger } = service.deps;
  const event: LedgerEvent = {
    id: "requested-1",
    kind: "requested",
    atMs: Date.now(),
    correlationId: CORRELATION_ID,
    sessionId: null,
    flow: "signup",
    country: "IN",
    prefix: "+91987",
    block: "+91987654",
    asn: 64_500,
    subnet: null,
    addressTag: null,
    numberTag: await vault.tag("number", PHONE),
    userTag: null,
    tagKeyId: vault.tagKeyId(),
    provider: null,
    channel: "sms",
    messageId: null,
    costMicros: null,
    dltMicros: null,
    action: "allow",
    reasons: null,
    receipt: null,
    code: null,
    sealedNumber: null,
    sealedAddress: null,
  };
  expect(await ledger.write([event])).toEqual({ kind: "done" });
  const csrf = await csrfOf("/trace");
  const found = await go("/trace", { csrf, number: "+91 98765 43210" });
  expect(found.status).toBe(200);
  expect(found.html).toContain(`/ops/trace?id=${CORRELATION_ID}`);
  expect(found.html).not.toMatch(/98765 ?43210/);
  expect((await go(`/trace?id=${CORRELATION_ID}`)).html).toContain("Let through");
  expect((await go("/trace", { csrf: "another session's", number: PHONE })).status).toBe(403);
});

test.each([
  "/destinations?by=<script>&in=<script>&sort=<script>&q=<script>alert(1)</script>&page=-1&blocks=NaN",
  "/destinations?by=block&in=%2B91'\"><svg/onload=alert(1)>&state=x&span=y",
  '/sources?q="><script>alert(1)</script>&page=1e9&sort=constructor',
  '/trace?id="><script>alert(1)</script>',
  "/policy?%00=%ff",
])("an address made to harm, %s, is a page like any other", async (path) => {
  const { status, html } = await go(path);
  expect(status).toBe(200);
  expect(html).not.toMatch(/<script>|<svg\/|onload=alert/);
});

test("the policy page names the line of a setting in the very file that was deployed", async () => {
  const { html } = await go("/policy");
  expect(html).toMatch(/wrangler\.toml:\d+ <code>\[vars\.POLICY\.message\]<\/code>/);
  expect(html).toMatch(/<code>brand<\/code><\/dt><dd>[^<]*<small class="where"> line \d+<\/small>/);
});

test.each([
  ["/blocks/shut", { subject: "+91987", for_seconds: "3600", back: "//evil.example" }],
  ["/blocks/shut", { subject: "+91987", for_seconds: "59", back: "/destinations" }],
  ["/blocks/challenge", { subject: "AS64500", for_seconds: "2592001", back: "/sources" }],
  ["/blocks/end-challenge", { subject: "AS64500", for_seconds: "3600", back: "/sources" }],
  ["/blocks/exempt", { subject: "x".repeat(65), for_seconds: "3600", back: "/destinations" }],
  ["/routes/weigh", { provider: "sandbox", percent: "0", for_seconds: "3600" }],
  ["/routes/pin", { country: "India", provider: "sandbox", for_seconds: "3600" }],
  ["/routes/drain", { provider: "sandbox", for_seconds: "3600", more: "x" }],
])("%s refuses %j before it asks why", async (action, fields) => {
  const { status, html } = await go(action, { csrf: await csrfOf("/providers"), ...fields });
  expect(status).toBe(400);
  expect(html).toContain("Not done");
});

test("what a rule in record-only mode would have stopped stands on the policy's page, with who verified it", async () => {
  const hosting = from("203.0.113.77", 16_276);
  const page = () => go("/policy?span=window");
  for (const phone of ["+919876543250", "+919876543251"]) {
    const { status, body } = await service.send({ phone, flow: "signup" }, hosting);
    expect(status).toBe(202);
    if (phone.endsWith("0")) await service.verify({ session: body.session, code: await codeFor(phone) });
  }
  const { html } = await eventually(page, (seen) =>
    seen.html.includes("Would have stopped 2 messages, of which 1"),
  );
  expect(html).toContain(
    "Would have stopped 2 messages, of which 1 was verified by the person who asked; the other 1 cost",
  );
  expect(html).toContain("[vars.POLICY.risk]");
  expect((await go("/policy")).html).toMatch(/country mismatch<\/th><td[^>]*>every flow<\/td><td[^>]*>0</);
});

test("without counters the policy's page says that it cannot read them, and names the rules all the same", async () => {
  await outsideFaults({ upstash: { down: true } });
  const { status, html } = await go("/policy?span=window");
  expect(status).toBe(200);
  expect(html).toContain("what these rules would have done cannot be read");
  expect(html).toContain("<strong>hosting network</strong> in every flow");
});
