import { mkdirSync } from "node:fs";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { LocalServer } from "../../scripts/dev/serve.ts";
import { makeWorld, NOW, type World } from "../support/support-operate.ts";
import { AXE, hasChromium, openBrowser } from "./chromium.ts";
import { attacked, CORRELATION_ID, NUMBER, serveOps } from "./ops-tables-world.ts";

/** A folder for pictures of each page; none are taken without it. */
const PICTURES = process.env.OPS_PICTURES;

const PAGES = [
  ["destinations", "/destinations"],
  ["prefixes", "/destinations?by=prefix&in=NG"],
  ["sources", "/sources"],
  ["providers", "/providers"],
  ["policy", "/policy"],
  ["trace", `/trace?id=${CORRELATION_ID}`],
] as const;

describe.skipIf(!hasChromium)("the dashboard's tables", () => {
  let world: World;
  let server: LocalServer;
  let browser: Browser;
  let context: BrowserContext;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    [server, browser] = await Promise.all([serveOps(() => world), openBrowser()]);
    if (PICTURES !== undefined) mkdirSync(PICTURES, { recursive: true });
  });

  afterAll(async () => {
    await browser?.close();
    await server?.close();
  });

  beforeEach(async () => {
    world = attacked();
    context = await browser.newContext({ locale: "en-GB", timezoneId: "Europe/Berlin" });
    page = await context.newPage();
    faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) faults.push(message.text());
    });
    await signIn("ada");
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.log(`The page said:\n${await page.innerText("body")}`);
    await context.close();
    expect(faults).toEqual([]);
  });

  const open = (path: string) => page.goto(`${server.url}/ops${path}`);
  async function signIn(token: string) {
    await context.clearCookies();
    const value = Buffer.from(JSON.stringify({ token, session: "s-1" })).toString("base64url");
    await context.addCookies([{ name: "ops_session", value, url: `${server.url}/ops` }]);
  }
  const rowOf = (name: string | RegExp) =>
    page.getByRole("row").filter({ has: page.getByRole("rowheader", { name }) });
  async function confirm(button: string | RegExp, why: string) {
    await page.getByLabel("Why").fill(why);
    await page.getByRole("button", { name: button }).click();
  }

  test.each(PAGES)(
    "%s has no fault that axe sees, in light and dark, on a desk and a phone, and fits",
    async (name, path) => {
      for (const colorScheme of ["light", "dark"] as const) {
        for (const width of [1440, 390]) {
          await page.setViewportSize({ width, height: 900 });
          await page.emulateMedia({ colorScheme });
          await open(path);
          const picture = `${PICTURES}/${name}-${colorScheme}-${width}.png`;
          if (PICTURES !== undefined) await page.screenshot({ path: picture, fullPage: true });
          expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(width);
          expect(await axe()).toEqual([]);
        }
      }
    },
  );

  test("names that come from outside are text wherever they are shown", async () => {
    for (const [, path] of PAGES) {
      await open(path);
      expect(await page.title(), path).not.toContain("owned");
      expect(await page.locator("main img, main script").count(), path).toBe(0);
    }
    await open("/providers");
    expect(await page.getByText("<img src=x").count()).toBeGreaterThan(0);
    expect(await page.locator("[style]").count()).toBe(0);
  });

  test("the attacked country stands out, and leads to its prefixes and blocks", async () => {
    await open("/destinations?sort=ratio");
    const country = rowOf("Nigeria");
    expect(await country.innerText()).toMatch(/0%\s*low, usually 70%/);
    expect(await country.innerText()).toContain("partly blocked");
    await country.getByRole("link", { name: "Nigeria" }).click();
    await page.getByRole("heading", { name: "Prefixes in Nigeria" }).waitFor();
    expect(await rowOf("+234801").first().innerText()).toMatch(/84[\s\S]*blocked/);
    await rowOf("+234801").first().getByRole("link", { name: "+234801" }).click();
    expect(await rowOf("+234801234").innerText()).toContain("48");
  });

  test("a range is blocked with a reason from its row, and unblocked from the same page", async () => {
    await open("/destinations?by=prefix");
    const row = rowOf("+91987");
    await row.getByLabel("Act on +91987").press("Enter");
    await row.getByRole("button", { name: "Block +91987" }).click();
    await page.getByText("Strangers get no message to +91987 (India) for 24 h.").waitFor();
    expect(world.operatorBlocks).toEqual([]);
    await confirm("Block +91987", "a drill");
    await page.getByRole("heading", { name: "Prefixes", exact: true }).waitFor();
    expect(page.url()).toContain("by=prefix");
    expect(world.operatorBlocks).toMatchObject([{ subject: "+91987", by: "ada", why: "a drill" }]);
    await page.getByRole("button", { name: "Unblock +91987" }).first().click();
    await confirm("Unblock", "the drill is over");
    await page.getByText("+91987 is open.").waitFor();
    expect(world.operatorBlocks).toEqual([]);
  });

  test("a hosting network and a busy address can be blocked; the address stays a hash", async () => {
    await open("/sources?sort=turned_away");
    const row = rowOf(/^AS24940/);
    expect(await row.innerText()).toMatch(/hosting[\s\S]*84[\s\S]*480[\s\S]*360/);
    const address = rowOf("aaaaaaaa…");
    await address.getByLabel("Act on address aaaaaaaa…").click();
    await address.getByRole("button", { name: "Block address aaaaaaaa…" }).click();
    await confirm("Block the address", "thirty numbers");
    await page.getByRole("heading", { name: "Sources" }).waitFor();
    expect(world.operatorBlocks).toMatchObject([{ kind: "address", subject: "a".repeat(27) }]);
  });

  test("a network is challenged from its row by keyboard, on a phone in the dark, and the challenge ended there", async () => {
    await page.setViewportSize({ width: 390, height: 900 });
    await page.emulateMedia({ colorScheme: "dark" });
    await open("/sources");
    const row = rowOf(/^AS24940/).first();
    expect(await row.innerText()).toContain("open");
    await row.getByLabel("Act on AS24940").press("Enter");
    await row.getByRole("button", { name: "Challenge AS24940" }).press("Enter");
    await page
      .getByText("Strangers get a message from AS24940 only after a freshly solved CAPTCHA, for 1 h.")
      .waitFor();
    expect(world.operatorBlocks).toEqual([]);
    await page.getByLabel("Why").fill("a drill");
    await page.getByLabel("Why").press("Enter");
    await page.getByText("AS24940 asks strangers for a fresh challenge for 1 h.").waitFor();
    expect(world.operatorBlocks).toMatchObject([{ subject: "AS24940", effect: "challenge", by: "ada" }]);
    expect(await row.innerText()).toMatch(/challenged\s+until \d/);
    await row.getByLabel("Act on AS24940").press("Enter");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    expect(await axe()).toEqual([]);
    const picture = `${PICTURES}/sources-challenged-dark-390.png`;
    if (PICTURES !== undefined) await page.screenshot({ path: picture, fullPage: true });
    await row.getByRole("button", { name: "End challenge of AS24940" }).press("Enter");
    await page.getByText("what ada had set: challenged for 1 h more, because: a drill").waitFor();
    await confirm("End the challenge", "the drill is over");
    await page.getByText("AS24940 asks nobody for a challenge of its own any more.").waitFor();
    expect(world.operatorBlocks).toEqual([]);
  });

  test("what the watch shut stays shut under a challenge, and both are told", async () => {
    await open("/destinations?by=prefix");
    const row = rowOf("+234801").first();
    await row.getByLabel("Act on +234801").press("Enter");
    await row.getByRole("button", { name: "Challenge +234801" }).click();
    await page.getByText("The watch has shut it: it stays shut until that ends.").waitFor();
    await confirm("Challenge +234801", "for when it opens");
    await page.getByRole("heading", { name: "Prefixes", exact: true }).waitFor();
    expect(await row.innerText()).toContain("blocked");
    await open("");
    await page.getByText("1 range or source is shut. 1 range or source is challenged.").waitFor();
    await open("/destinations?by=prefix");
    await page.getByRole("button", { name: "End challenge of +234801" }).click();
    await page.getByText("The watch has shut it: strangers get no message to +234801").waitFor();
    await confirm("End the challenge", "not needed");
    await page.getByText("+234801 asks nobody").waitFor();
    expect([world.operatorBlocks, world.cronBlocks]).toMatchObject([[], [{ subject: "+234801" }]]);
  });

  test("a provider is drained over the policy and given back", async () => {
    await open("/providers");
    const row = rowOf(/^sandbox_b/);
    expect(await row.innerText()).toMatch(/25%[\s\S]*1 route rests/);
    await row.getByLabel("Act on sandbox_b").click();
    await row.getByRole("button", { name: "Drain sandbox_b" }).click();
    await page.getByText("It wins over the policy meanwhile.").waitFor();
    await confirm("Drain a provider", "receipts stopped");
    await page.getByText("sandbox_b gets nothing new").first().waitFor();
    expect(world.operatorRoutes).toMatchObject([{ kind: "drain", provider: "sandbox_b", by: "ada" }]);
    await page.getByRole("button", { name: "Let the policy decide on the drain of sandbox_b" }).click();
    await confirm("Let the policy decide", "they came back");
    await page.getByText("Nothing: the policy decides.").waitFor();
    expect(world.operatorRoutes).toEqual([]);
  });

  test("a number finds its verifications and stands in no address", async () => {
    await open("/trace");
    await page.getByLabel("Number").fill(NUMBER);
    await page.getByRole("button", { name: "Find" }).nth(1).click();
    await page.getByRole("heading", { name: "Verifications of this number" }).waitFor();
    expect(page.url()).toBe(`${server.url}/ops/trace`);
    expect(await page.content()).not.toContain(NUMBER);
    await page.getByRole("link", { name: /^Story/ }).click();
    await page.getByText("Not delivered, the provider says").waitFor();
    await page.getByText("Ended without a right code").waitFor();
  });

  test("a viewer sees every table and nothing to act with", async () => {
    await signIn("eve");
    for (const [, path] of PAGES) {
      await open(path);
      expect(
        await page.getByRole("button", { name: /Block|Challenge|Drain|Exempt|Weigh|Pin|End/ }).count(),
      ).toBe(0);
      expect(await page.locator(".acts").count()).toBe(0);
    }
  });

  test("an empty system says so on every page", async () => {
    world = makeWorld({ nowMs: NOW });
    for (const [name, path] of PAGES) {
      await open(path);
      expect(await page.locator("main h1").count(), name).toBe(1);
      if (PICTURES !== undefined)
        await page.screenshot({ path: `${PICTURES}/${name}-empty.png`, fullPage: true });
    }
    await open("/destinations");
    await page.getByText("Nothing was sent that fits.").waitFor();
  });

  test("counters that do not answer cost the figures, and not what can be done", async () => {
    world = attacked({ down: new Set(["counters", "watch", "budgets"]) });
    await open("/destinations");
    await page.getByText("counters: down for the test").waitFor();
    await page.getByRole("button", { name: "Unblock +234801" }).click();
    await confirm("Unblock", "it is honest");
    await page.getByText("+234801 is open.").waitFor();
  });

  test("a part that does not answer is told with since when this window has missed it, until it answers again", async () => {
    world = attacked({ down: new Set(["counters"]) });
    await open("/providers");
    const fault = page.locator("[data-faults] li");
    const since = (await fault.textContent()) ?? "";
    expect(since).toMatch(/^counters: down for the test \(missed here since .*\d{2}:\d{2}.*\)$/);
    await page.reload();
    expect(await fault.textContent()).toBe(since);
    world = attacked();
    await page.reload();
    expect(await fault.count()).toBe(0);
    expect(await page.evaluate(() => sessionStorage.getItem("missed /ops/providers"))).toBe("{}");
  });

  /** The rules it found broken, and where. */
  async function axe(): Promise<string[]> {
    const session = await context.newCDPSession(page);
    const { readFileSync } = await import("node:fs");
    const run = `${readFileSync(AXE, "utf8")};axe.run(document).then((found) => JSON.stringify(found.violations.map(({ id, nodes }) => id + ": " + nodes.map(({ html }) => html.slice(0, 160)).join(" | "))))`;
    const { result, exceptionDetails } = await session.send("Runtime.evaluate", {
      expression: run,
      awaitPromise: true,
    });
    if (exceptionDetails) throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text);
    return JSON.parse(result.value);
  }
});
