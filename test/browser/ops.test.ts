import { existsSync, readFileSync } from "node:fs";
import { strFromU8, unzipSync } from "fflate";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { localOperatorFile } from "../../scripts/ops/local.ts";
import { AXE, hasChromium, openBrowser } from "./chromium.ts";
import { type RunningService, startService } from "./service.ts";

/** People answer at once here, so that a message nobody answered is seen within seconds. */
const POLICY = {
  monitor: {
    min_sends: 10,
    answer_curve: [
      [1, 0.7],
      [2, 1],
    ],
  },
  limits: { ip: [{ max: 1000, window_seconds: 3600 }] },
};
const PAGES = ["/ops", "/ops/switch", "/ops/incidents", "/ops/dead-letters"];

describe.skipIf(!hasChromium)("the dashboard", () => {
  let service: RunningService;
  let browser: Browser;
  let token: string;
  let opened: BrowserContext[] = [];
  let faults: string[] = [];

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(POLICY), openBrowser()]);
    const file = localOperatorFile(new URL(service.url).port);
    // It is left there a moment after the service is well.
    for (let i = 0; i < 50 && !existsSync(file); i++)
      await new Promise((resolve) => setTimeout(resolve, 100));
    token = JSON.parse(readFileSync(file, "utf8")).token;
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  }, 30_000);

  afterEach(async ({ task }) => {
    const page = opened[0]?.pages()[0];
    if (task.result?.state === "fail" && page) console.log(`The page said:\n${await page.innerText("body")}`);
    await Promise.all(opened.map((context) => context.close()));
    opened = [];
    const seen = faults;
    faults = [];
    expect(seen).toEqual([]);
  });

  test("a person signs in by keyboard, is told a wrong token, and signs out", async () => {
    const page = await open();
    await page.goto(`${service.url}/ops`);
    const focused = () => page.waitForFunction("document.activeElement?.name === 'token'");
    await focused();
    await page.keyboard.type("wrong");
    await page.keyboard.press("Enter");
    await page.getByRole("alert").getByText("There is no such token").waitFor();
    await focused();
    await page.keyboard.type(token);
    await page.keyboard.press("Enter");
    await page.getByRole("link", { name: "Overview" }).waitFor();
    expect(page.url()).toBe(`${service.url}/ops`);
    await page.getByRole("button", { name: "Sign out" }).press("Enter");
    await page.getByLabel("Operator token").waitFor();
  });

  test.each(["light", "dark"] as const)(
    "an empty system is told so on every page, and is accessible in %s",
    async (scheme) => {
      const page = await signIn(scheme);
      await page.getByText(/Nothing (wrong|seen yet)/).waitFor();
      await page.getByText("Nothing was sent.").waitFor();
      for (const path of PAGES) {
        await page.goto(service.url + path);
        expect([path, await violations(page)]).toEqual([path, []]);
      }
    },
  );

  test("every page fits a phone", async () => {
    const page = await signIn("light", { width: 360, height: 800 });
    for (const path of PAGES) {
      await page.goto(service.url + path);
      const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([path, over]).toEqual([path, 0]);
    }
  });

  // Before anybody clears the posture: whoever does has judged the whole minute.
  test.each(["light", "dark"] as const)(
    "an attack is told at the top with where it goes and what it costs, in %s",
    async (scheme) => {
      await attack();
      const page = await signIn(scheme);
      await page.getByText(/Under attack|Suspected attack/).waitFor({ timeout: 15_000 });
      await page.getByText(/on messages nobody answered since/).waitFor();
      await page.getByText("Nigeria").first().waitFor();
      await page.getByRole("button", { name: "Stop all sending" }).waitFor();
      await page.locator(".plot canvas").waitFor();
      expect(await violations(page)).toEqual([]);
      await page.getByRole("link", { name: "What was found and done" }).click();
      await page.getByRole("heading", { name: "Timeline" }).waitFor();
      await page.getByText("first sign").waitFor();
      expect(await violations(page)).toEqual([]);
    },
    120_000,
  );

  test("the report of an incident is downloaded from its page, after it was said what it holds and asked why", async () => {
    await attack();
    const page = await signIn();
    await page.goto(`${service.url}/ops/incidents`);
    await page.locator("main a[href^='/ops/incidents/']").first().click();
    await page.getByRole("button", { name: "Download the report" }).click();
    await page.getByText(/It holds \d+ messages, with people's numbers/).waitFor();
    expect(await violations(page)).toEqual([]);
    await page.getByLabel("Why").fill("for the dispute");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Download it" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/^incident-report-development-[\dT-]+Z\.zip$/);
    const files = unzipSync(readFileSync(await download.path()));
    expect(Object.keys(files)).toHaveLength(6);
    expect(strFromU8(files["messages.csv"] ?? new Uint8Array())).toContain("+2348021234510");
    await page.getByRole("link", { name: "Back to the incident" }).click();
    await page.getByText("numbers exported").waitFor();
  }, 120_000);

  test("the posture is raised and the next send changes, and it is undone from the same place", async () => {
    const page = await signIn();
    expect(await send("+919876500001")).toBe(202);
    await page.getByRole("link", { name: "Switch" }).first().click();
    await page.getByLabel("Hold the posture at").selectOption("shutdown");
    await page.getByRole("button", { name: "Review" }).first().click();
    await page.getByText("Nothing is sent to anybody.").waitFor();
    expect(await send("+919876500002"), "nothing is done before it is confirmed").toBe(202);
    await page.getByLabel("Why").fill("<b>they</b> pump us");
    await page.getByLabel("Why").press("Enter");
    await page.getByRole("status").getByText("The posture is held at shutdown").waitFor();
    expect(await send("+919876500003")).toBe(503);
    expect(await page.getByText("<b>they</b> pump us").count()).toBeGreaterThan(0);

    await page.getByRole("button", { name: "Back to normal" }).click();
    await page.getByText("The posture goes from shutdown to normal").waitFor();
    await page.getByLabel("Why").fill("it is over");
    await page.getByRole("button", { name: "Back to normal" }).click();
    await page.getByRole("status").getByText("The posture is normal.").waitFor();
    expect(await send("+919876500004")).toBe(202);
  });

  test("an open page shows what another operator does within seconds, and keeps what its viewer was doing", async () => {
    const [page, other] = [await signIn(), await signIn()];
    await page.goto(`${service.url}/ops/switch`);
    await page.getByLabel("Hold the posture at").selectOption("elevated");
    await page.getByLabel("Send at most").fill("77");
    await hold(other, "elevated", "as a precaution");
    await page.locator("#top").getByText("elevated").waitFor({ timeout: 15_000 });
    expect(await page.getByLabel("Send at most").inputValue()).toBe("77");
    expect(await page.getByLabel("Hold the posture at").inputValue()).toBe("elevated");
    expect(await page.evaluate("document.activeElement.name"), "focus").toBe("amount");

    await page.getByRole("button", { name: "Review" }).first().click();
    await page.getByText("as a precaution").waitFor();
    await clear(other);
    await page.getByLabel("Why").fill("me too");
    await page.getByLabel("Why").press("Enter");
    await page.getByRole("alert").getByText("It was changed while you read").waitFor();
  });

  test("a session that ended is told on the open page, and the next one asks to sign in", async () => {
    const page = await signIn();
    await page.context().clearCookies();
    await page.getByText("Signed out. Reload to sign in.").waitFor({ timeout: 15_000 });
    await page.reload();
    await page.getByLabel("Operator token").waitFor();
  });

  test("a page that lost contact says since when, and recovers", async () => {
    const page = await signIn();
    await page.context().setOffline(true);
    await page.getByText(/no contact since/).waitFor({ timeout: 30_000 });
    await page.context().setOffline(false);
    await page.locator("#contact").getByText("live", { exact: true }).waitFor({ timeout: 15_000 });
  });

  async function open(
    scheme: "light" | "dark" = "light",
    viewport = { width: 1440, height: 900 },
  ): Promise<Page> {
    const context = await browser.newContext({ locale: "en-IN", colorScheme: scheme, viewport });
    opened.push(context);
    const page = await context.newPage();
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) faults.push(message.text());
    });
    return page;
  }

  async function signIn(...how: Parameters<typeof open>): Promise<Page> {
    const page = await open(...how);
    await page.goto(`${service.url}/ops`);
    await page.getByLabel("Operator token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("link", { name: "Overview" }).waitFor();
    return page;
  }

  async function hold(page: Page, posture: string, why: string) {
    await page.goto(`${service.url}/ops/switch`);
    await page.getByLabel("Hold the posture at").selectOption(posture);
    await page.getByRole("button", { name: "Review" }).first().click();
    await page.getByLabel("Why").fill(why);
    await page.getByLabel("Why").press("Enter");
    await page.getByRole("status").getByText(`The posture is held at ${posture}`).waitFor();
  }

  async function clear(page: Page) {
    await page.goto(`${service.url}/ops/switch`);
    await page.getByRole("button", { name: "Back to normal" }).click();
    await page.getByLabel("Why").fill("over");
    await page.getByLabel("Why").press("Enter");
    await page.getByRole("status").getByText("The posture is normal.").waitFor();
  }

  async function send(phone: string, ip = "198.18.0.1", asn = 64501): Promise<number> {
    const response = await fetch(`${service.url}/v1/send`, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        "x-tollgate-dev-client": JSON.stringify({ ip, asn, country: "NG" }),
      },
      body: JSON.stringify({ phone, captcha_token: "XXXX.DUMMY.TOKEN.XXXX" }),
    });
    await response.arrayBuffer();
    return response.status;
  }

  /** Thirty messages that nobody answers, and the watch's looks until it sees them: a young minute counts in part. */
  async function attack() {
    for (let i = 0; i < 30; i++) await send(`+23480212345${10 + i}`, `198.18.1.${i}`, 64500);
    for (let look = 0; look < 20; look++) {
      await new Promise((resolve) => setTimeout(resolve, 3000));
      await fetch(`${service.url}/cdn-cgi/handler/scheduled?cron=*+*+*+*+*`);
      const status = await fetch(`${service.url}/admin/v1/status`, {
        headers: { authorization: `Bearer ${token}` },
      });
      if (/"posture":"(elevated|emergency)"/.test(JSON.stringify(await status.json()))) return;
    }
  }

  async function violations(page: Page): Promise<string[]> {
    await page.evaluate(readFileSync(AXE, "utf8"));
    return page.evaluate(
      `axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + ": " + nodes[0].html))`,
    );
  }
});
