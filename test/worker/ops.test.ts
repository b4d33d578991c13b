import { env } from "cloudflare:workers";
import { Hono } from "hono";
import { secureHeaders } from "hono/secure-headers";
import { afterEach, expect, test } from "vitest";
import { sha256Hex } from "../../src/adapters/digest.ts";
import { operatorIdentities } from "../../src/adapters/identity/cloudflare-access.ts";
import { sealedTokens } from "../../src/adapters/identity/sealed-tokens.ts";
import { readWorstCaseBound } from "../../src/flows/operators/views/read-worst-case-bound.ts";
import { opsApp } from "../../src/ops/app.tsx";
import { ACTIONS, PAGES } from "../../src/ops/pages.ts";
import { OPERATOR_TOKEN, VIEWER_TOKEN } from "../support/addresses.ts";
import { outsideFaults } from "../support/outside-control.ts";
import { ROOMY } from "../support/roomy.ts";
import { eventually, makeService } from "../support/service.ts";

const ORIGIN = "https://ops.example.com";
const CONTROL_KEYS = ["emergency-mode", "operator-mode", "cron-blocks", "operator-blocks"];
const EIGHT_HOURS_MS = 8 * 3_600_000;
const key = () => ({ id: "k1", secret: crypto.getRandomValues(new Uint8Array(32)) });

afterEach(async () => {
  await Promise.all(CONTROL_KEYS.map((name) => env.CONTROL.delete(name)));
});

/** The dashboard as a browser meets it that keeps cookies and follows no redirect. */
async function serve(options: { policy?: object; tokens?: string[] } = {}) {
  const service = makeService({ ...ROOMY, ...options.policy });
  let shiftMs = 0;
  const nowMs = () => Date.now() + shiftMs;
  const tokens = await Promise.all(
    [
      { token: OPERATOR_TOKEN, who: "tests", role: "operator" as const },
      { token: "tgo_second", who: "second", role: "operator" as const },
      { token: VIEWER_TOKEN, who: "onlooker", role: "viewer" as const },
    ].map(async ({ token, ...rest }) => ({ ...rest, hash: await sha256Hex(token) })),
  );
  const opsSeal = sealedTokens([key()], "ops session", nowMs);
  const deps = { ...service.deps, opsSeal, operators: operatorIdentities({ tokens, access: null }, nowMs) };
  const app = new Hono().use(secureHeaders()).route("/ops", opsApp(deps));

  function browser(origin = ORIGIN) {
    const cookies = new Map<string, string>();
    async function go(path: string, form?: Record<string, string>, headers: Record<string, string> = {}) {
      const sent = [...cookies].map(([name, value]) => `${name}=${value}`).join("; ");
      const response = await app.request(`${origin}${path}`, {
        headers: { ...(sent === "" ? {} : { cookie: sent }), ...(form ? { origin } : {}), ...headers },
        ...(form ? { method: "POST", body: new URLSearchParams(form) } : {}),
      });
      for (const line of response.headers.getSetCookie()) {
        const [, name = "", value = ""] = /^([^=]+)=([^;]*)/.exec(line) ?? [];
        if (/max-age=0/i.test(line)) cookies.delete(name);
        else cookies.set(name, value);
      }
      return { status: response.status, headers: response.headers, html: await response.text() };
    }
    return {
      cookies,
      go,
      signIn: (token: string) => go("/ops/session", { token }),
      /** The fields of the form that posts to an action, as the page shows it. */
      async form(page: string, action: string): Promise<Record<string, string>> {
        const { html } = await go(page);
        return fieldsOf(html, action);
      },
    };
  }
  return { ...service, tokens, opsSeal, browser, later };

  /** Time goes on for the seal and for who is let in. */
  function later(ms: number) {
    shiftMs = ms;
  }
}

function fieldsOf(html: string, action: string): Record<string, string> {
  const form = html.split("<form ").find((part) => part.includes(`action="/ops${action}"`)) ?? "";
  const inputs =
    form.split("</form>")[0]?.matchAll(/<input type="hidden" name="([^"]*)" value="([^"]*)"/g) ?? [];
  return Object.fromEntries([...inputs].map(([, name, value]) => [name, value]));
}

const RAISE = { posture: "emergency", for_seconds: "3600" };

type Person = ReturnType<Awaited<ReturnType<typeof serve>>["browser"]>;

async function raise(browser: Person, why: string, fields: Record<string, string> = RAISE) {
  const { csrf = "" } = await browser.form("/ops/switch", "/switch/posture");
  const confirm = await browser.go("/ops/switch/posture", { csrf, ...fields });
  const done = await browser.go("/ops/switch/posture", { ...fieldsOf(confirm.html, "/switch/posture"), why });
  return { confirm, done };
}

test("without a session every page is 401 with the way in, and tells nothing", async () => {
  const { browser } = await serve();
  for (const { path } of PAGES) {
    const { status, html } = await browser().go(`/ops${path === "/" ? "" : path.replace(":id", "x")}`);
    expect([path, status]).toEqual([path, 401]);
    expect(html).toContain("ADMIN_TOKENS");
    expect(html).not.toContain("<nav");
  }
});

test("a token is exchanged for a cookie that scripts cannot read and other sites do not send", async () => {
  const { browser } = await serve();
  const person = browser();
  const { status, headers } = await person.signIn(` ${OPERATOR_TOKEN} `);
  expect([status, headers.get("location")]).toEqual([303, "/ops"]);
  const cookie = headers.get("set-cookie") ?? "";
  for (const attribute of ["HttpOnly", "Secure", "SameSite=Strict", "Path=/ops", "Max-Age=28800"]) {
    expect(cookie).toContain(attribute);
  }
  expect(cookie).not.toContain(OPERATOR_TOKEN);
  const { status: seen, html } = await person.go("/ops");
  expect(seen).toBe(200);
  expect(html).toContain("tests");
});

test("on this machine the cookie goes without TLS", async () => {
  const { browser } = await serve();
  const { headers } = await browser("http://localhost:8787").signIn(OPERATOR_TOKEN);
  expect(headers.get("set-cookie")).not.toContain("Secure");
});

test.each([
  ["no", ""],
  ["a wrong", "wrong"],
  ["an encoded", "tgo_%00"],
  ["a long", "x".repeat(300)],
])("%s token is 401 and leaves no cookie", async (_, token) => {
  const { browser } = await serve();
  const person = browser();
  const { status, html } = await person.signIn(token);
  expect(status).toBe(401);
  expect(html).toContain("There is no such token");
  expect(person.cookies.size).toBe(0);
});

test("a forged cookie, another service's and an expired one are 401, and the last says so", async () => {
  const { browser, later } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  const good = person.cookies.get("ops_session") ?? "";

  const other = await sealedTokens([key()], "ops session", () => Date.now()).seal(
    { token: OPERATOR_TOKEN, session: "s" },
    3600,
  );
  for (const forged of ["x", `${good.slice(0, -3)}AAA`, other]) {
    person.cookies.set("ops_session", forged);
    expect((await person.go("/ops")).status).toBe(401);
  }
  person.cookies.set("ops_session", good);
  expect((await person.go("/ops")).status).toBe(200);
  later(EIGHT_HOURS_MS + 1000);
  const ended = await person.go("/ops");
  expect(ended.status).toBe(401);
  expect(ended.html).toContain("Your session has ended");
  expect(person.cookies.has("ops_session")).toBe(false);
});

test("what a page tells once is no session", async () => {
  const { browser } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  await raise(person, "for the flash");
  const stranger = browser();
  stranger.cookies.set("ops_session", person.cookies.get("ops_flash") ?? "missing");
  expect((await stranger.go("/ops")).status).toBe(401);
});

test("a token that is taken out ends its sessions at once", async () => {
  const { browser, tokens } = await serve();
  const person = browser();
  await person.signIn("tgo_second");
  expect((await person.go("/ops")).status).toBe(200);
  tokens.splice(1, 1);
  expect((await person.go("/ops")).status).toBe(401);
});

test("signing out ends the session in this browser", async () => {
  const { browser } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  const { csrf = "" } = await person.form("/ops", "/session/end");
  const kept = new Map(person.cookies);
  expect((await person.go("/ops/session/end", { csrf })).status).toBe(303);
  expect(person.cookies.has("ops_session")).toBe(false);
  // Whoever kept a copy of the cookie is out too, and the person's next session is another one.
  for (const [name, value] of kept) person.cookies.set(name, value);
  expect((await person.go("/ops")).status).toBe(401);
  expect((await person.go("/ops/session/end", { csrf })).status).toBe(401);
  await person.signIn(OPERATOR_TOKEN);
  expect((await person.go("/ops")).status).toBe(200);
  person.cookies.clear();
  expect((await person.go("/ops")).status).toBe(401);
});

test("a viewer sees every page and no action, and may do none", async () => {
  const { browser } = await serve();
  const viewer = browser();
  await viewer.signIn(VIEWER_TOKEN);
  for (const { path } of PAGES.filter(({ path }) => !path.includes(":"))) {
    const { status, html } = await viewer.go(`/ops${path === "/" ? "" : path}`);
    expect([path, status]).toEqual([path, 200]);
    const posts = [...html.matchAll(/method="post" action="\/ops([^"]*)"/g)].map(([, action]) => action);
    expect(posts).toContain("/session/end");
    expect(ACTIONS.filter((action) => posts.includes(action.path))).toEqual([]);
  }
  const { csrf = "" } = await viewer.form("/ops", "/session/end");
  for (const { path } of ACTIONS) {
    const { status } = await viewer.go(`/ops${path}`, { csrf, confirmed: "yes", why: "because", ...RAISE });
    expect([path, status]).toEqual([path, 403]);
  }
  expect(await env.CONTROL.get("operator-mode")).toBeNull();
});

test("what another origin posts is refused, with the session's cookie or without", async () => {
  const { browser } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  const form = { ...(await person.form("/ops/switch", "/switch/posture")), ...RAISE };
  for (const origin of ["https://evil.example", "null", ""]) {
    expect((await person.go("/ops/switch/posture", form, { origin })).status).toBe(403);
    expect((await browser().go("/ops/session", { token: OPERATOR_TOKEN }, { origin })).status).toBe(403);
  }
});

test("a form without its token, or with another session's, is refused", async () => {
  const { browser } = await serve();
  const [one, two] = [browser(), browser()];
  await one.signIn(OPERATOR_TOKEN);
  await two.signIn("tgo_second");
  const { csrf = "" } = await two.form("/ops/switch", "/switch/posture");
  const confirmed = { ...RAISE, confirmed: "yes", why: "because" };
  for (const presented of ["", csrf, "x".repeat(27)]) {
    const { status } = await one.go("/ops/switch/posture", { ...confirmed, csrf: presented });
    expect(status).toBe(403);
  }
  expect(await env.CONTROL.get("operator-mode")).toBeNull();
});

test("nothing is cached, no script or style stands in a page, and no page of another may frame it", async () => {
  const { browser } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  const pages = ["/ops", "/ops/switch", "/ops/incidents", "/ops/dead-letters", "/ops/none"];
  for (const path of pages) {
    const { headers, html } = await person.go(path);
    expect([path, headers.get("cache-control")]).toEqual([path, "no-store"]);
    const policy = headers.get("content-security-policy") ?? "";
    expect(policy).toContain("default-src 'none'");
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy).not.toContain("unsafe");
    expect(html).not.toMatch(/ style=|<style| on\w+=|<script(?![^>]* src=)/);
  }
});

test("an action says what it will do, asks why, does it, and tells what came of it", async () => {
  const { browser, send } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  const { confirm, done } = await raise(person, "they pump us", { posture: "shutdown", for_seconds: "900" });
  expect(confirm.html).toContain("The posture goes from normal to shutdown");
  expect(confirm.html).toContain("Nothing is sent to anybody.");
  expect([done.status, done.headers.get("location")]).toEqual([303, "/ops/switch"]);
  expect(done.headers.get("location")).not.toContain("?");
  const page = await person.go("/ops/switch");
  expect(page.html).toContain("The posture is held at shutdown for 15 min");
  expect(page.html).toContain("they pump us");
  expect((await person.go("/ops/switch")).html, "told once").not.toContain(
    "The posture is held at shutdown for",
  );
  expect((await send({ phone: "+919876543210" })).body.code).toBe("sending_paused");

  const back = await person.form("/ops/switch", "/switch/clear");
  const asked = await person.go("/ops/switch/clear", back);
  expect(asked.html).toContain("goes from shutdown to normal");
  await person.go("/ops/switch/clear", { ...fieldsOf(asked.html, "/switch/clear"), why: "it is over" });
  expect((await send({ phone: "+919876543210" })).status).toBe(202);
});

test.each([
  ["is missing", ""],
  ["is blank", "   "],
  ["is too short", "ab"],
  ["is too long", "x".repeat(201)],
  ["holds a control character", "bad\u0007bell"],
])("a reason that %s is asked for again", async (_, why) => {
  const { browser } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  const { done } = await raise(person, why);
  expect(done.status).toBe(400);
  expect(done.html).toContain('aria-invalid="true"');
  expect(await env.CONTROL.get("operator-mode")).toBeNull();
});

test("fields nobody can read are named, and nothing is done", async () => {
  const { browser } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  const { csrf = "" } = await person.form("/ops/switch", "/switch/posture");
  for (const fields of [
    { posture: "panic", for_seconds: "60" },
    { posture: "normal", for_seconds: "1" },
  ]) {
    const { status, html } = await person.go("/ops/switch/posture", { csrf, ...fields });
    expect(status).toBe(400);
    expect(html).toContain("Not done");
  }
});

test("a confirmation holds for what was read: with another field it is read again", async () => {
  const { browser } = await serve();
  const one = browser();
  await one.signIn(OPERATOR_TOKEN);
  const { csrf = "" } = await one.form("/ops/switch", "/switch/posture");
  const read = await one.go("/ops/switch/posture", { csrf, posture: "elevated", for_seconds: "3600" });
  const other = { ...fieldsOf(read.html, "/switch/posture"), posture: "shutdown", why: "never read" };
  const asked = await one.go("/ops/switch/posture", other);
  expect(asked.status).toBe(409);
  expect(asked.html).toContain("It was changed while you read");
  expect(await env.CONTROL.get("operator-mode")).toBeNull();
});

test("of two operators the second sees what the first has set before replacing it", async () => {
  const { browser } = await serve();
  const [one, two] = [browser(), browser()];
  await one.signIn(OPERATOR_TOKEN);
  await two.signIn("tgo_second");
  const { csrf = "" } = await two.form("/ops/switch", "/switch/posture");
  const read = await two.go("/ops/switch/posture", { csrf, posture: "normal", for_seconds: "3600" });
  expect(read.html).not.toContain("Replaces");

  await raise(one, "first was here");
  const late = { ...fieldsOf(read.html, "/switch/posture"), why: "I know better" };
  const asked = await two.go("/ops/switch/posture", late);
  expect(asked.status).toBe(409);
  expect(asked.html).toContain("It was changed while you read");
  expect(asked.html).toContain("first was here");
  expect(JSON.parse((await env.CONTROL.get("operator-mode")) ?? "{}")).toMatchObject({ who: "tests" });

  await two.go("/ops/switch/posture", { ...fieldsOf(asked.html, "/switch/posture"), why: "I know better" });
  expect((await two.go("/ops/switch")).html).toContain("This replaces what tests had set.");
});

test("texts of strangers stand in pages as text: reasons, flows, providers, causes", async () => {
  const { browser, deps } = await serve();
  const evil = `<img src=x onerror=alert(1)>"'</script>`;
  const nowMs = Date.now();
  await deps.records.keepIncident({
    id: "evil",
    openedAtMs: nowMs - 60_000,
    lastSeenAtMs: nowMs,
    closedAtMs: nowMs,
    severity: "emergency",
    posture: "emergency",
    findings: [
      {
        kind: "conversion_low",
        subject: `flow ${evil}`,
        severity: "emergency",
        says: evil,
        evidence: { flow: evil },
        block: false,
      },
    ],
    timeline: [{ atMs: nowMs, by: evil, what: evil }],
    sent: 1,
    verified: 0,
    spentMicros: 1,
    unansweredMicros: 1,
    refused: 0,
  });
  await deps.records.bury({ id: "evil", atMs: nowMs, queue: evil, cause: evil, body: evil });
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  const { done } = await raise(person, evil);
  expect(done.status).toBe(303);
  for (const path of ["/ops", "/ops/switch", "/ops/incidents", "/ops/incidents/evil", "/ops/dead-letters"]) {
    const { status, html } = await person.go(path);
    expect([path, status]).toEqual([path, 200]);
    expect(html).toContain("&lt;img");
    expect(html).not.toContain("<img");
  }
});

test("without Upstash the overview says what is silent, and the switch works", async () => {
  const { browser } = await serve();
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  await outsideFaults({ upstash: { down: true } });
  const { status, html } = await person.go("/ops");
  expect(status).toBe(200);
  expect(html).toContain("A part of the service does not answer");
  expect(html).toContain("counters:");
  expect(html).not.toContain("An attack can cost");
  const { done } = await raise(person, "blind");
  expect(done.status).toBe(303);
});

test("the overview says the most that an attack can cost until midnight, and the figure is the bound's", async () => {
  const { browser, deps } = await serve();
  const person = browser();
  await person.signIn(VIEWER_TOKEN);
  const bound = await readWorstCaseBound(deps);
  const { html } = await person.go("/ops");
  const [, amount] =
    /An attack can cost at most \D{0,4}([\d.,]+) until midnight UTC, whatever it does\./.exec(html) ?? [];
  const most = bound.kind === "answered" ? bound.mostMicros / 1e6 : Number.NaN;
  expect(most).toBeGreaterThan(0);
  expect(Number(amount?.replaceAll(",", ""))).toBeCloseTo(most, 1);
});

test("an open incident is closed with a note, which its timeline and the actions keep", async () => {
  const { browser, deps } = await serve();
  const nowMs = Date.now();
  const incident = {
    id: "open-1",
    openedAtMs: nowMs - 600_000,
    lastSeenAtMs: nowMs,
    closedAtMs: null,
    severity: "elevated" as const,
    posture: "elevated" as const,
    findings: [],
    timeline: [],
    sent: 10,
    verified: 0,
    spentMicros: 1000,
    unansweredMicros: 1000,
    refused: 0,
  };
  const begun = await deps.monitorState.begin(nowMs);
  if (begun.kind !== "begun") throw new Error("the watch is busy");
  const { initialMonitorMemory: firstMemory } = await import("../../src/domain/monitor/monitor-memory.ts");
  await deps.monitorState.end({ memory: { ...firstMemory(nowMs), incident }, history: null, quarter: null });
  await deps.records.keepIncident(incident);
  const person = browser();
  await person.signIn(OPERATOR_TOKEN);
  expect((await person.go("/ops")).html).toContain("Suspected attack");
  const form = await person.form("/ops/incidents/open-1", "/incidents/close");
  const asked = await person.go("/ops/incidents/close", form);
  expect(asked.html).toContain("10 sent, 0 verified");
  const fields = { ...fieldsOf(asked.html, "/incidents/close"), why: "a test of the partner's" };
  expect((await person.go("/ops/incidents/close", fields)).headers.get("location")).toBe(
    "/ops/incidents/open-1",
  );
  const { html } = await eventually(
    () => person.go("/ops/incidents/open-1"),
    ({ html }) => html.includes(">over<"),
  );
  expect(html).toContain("closed: a test of the partner&#39;s");
  expect((await person.go("/ops")).html).not.toContain("Suspected attack");
});
