import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { hasChromium, openBrowser } from "./chromium.ts";
import { type RunningService, startService } from "./service.ts";

describe.skipIf(!hasChromium)("the API document", () => {
  let service: RunningService;
  let browser: Browser;

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService({}), openBrowser()]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  }, 30_000);

  test("is rendered from the service alone, under its own Content-Security-Policy", async () => {
    const { page, faults, requests } = await watched();
    await page.goto(`${service.url}/docs`);
    await page.getByText("Prove the number with the code").first().waitFor();
    await page.getByText("Send a code, or send the code of a session again").first().waitFor();
    const verify = page.locator('[id="post-/v1/verify"]').first();
    await verify.getByRole("button", { name: "422" }).click();
    await verify.getByRole("link", { name: "code_incorrect" }).waitFor();
    await verify.getByText("The attempt is counted.").waitFor();
    expect(requests.filter((url) => !url.startsWith(service.url) && !url.startsWith("data:"))).toEqual([]);
    expect(faults).toEqual([]);
    await page.close();
  });

  test("calls the service when one tries an operation", async () => {
    const { page, faults } = await watched();
    await page.goto(`${service.url}/docs#get-/healthz`);
    const section = page.locator('[id="get-/healthz"]').first();
    await section.getByRole("button", { name: /try/i }).click();
    await section.getByText('"development"').first().waitFor();
    expect(faults).toEqual([]);
    await page.close();
  });

  test("is as dark as the reader's system", async () => {
    const page = await browser.newPage({ colorScheme: "dark" });
    await page.goto(`${service.url}/docs`);
    await page.getByText("Prove the number with the code").first().waitFor();
    expect(await page.locator("rapi-doc").getAttribute("theme")).toBe("dark");
    await page.close();
  });

  test("leads from a problem's type to its explanation, which fits a phone", async () => {
    const page = await browser.newPage({ viewport: { width: 320, height: 600 } });
    const answer = await fetch(`${service.url}/v1/session`);
    const { type } = (await answer.json()) as { type: string };
    await page.goto(new URL(type, answer.url).href);
    expect(await page.getByRole("heading", { level: 1 }).innerText()).toContain("invalid_request");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(320);
    await page.getByRole("link", { name: "Problems" }).click();
    await page.getByRole("link", { name: "sending_paused" }).click();
    await page.getByRole("heading", { name: "For the operator" }).waitFor();
    await page.close();
  });

  /** A page, with what it loads and what its policy stops. */
  async function watched(): Promise<{ page: Page; faults: string[]; requests: string[] }> {
    const page = await browser.newPage();
    const faults: string[] = [];
    const requests: string[] = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy/.test(message.text())) faults.push(message.text());
    });
    page.on("request", (request) => requests.push(request.url()));
    return { page, faults, requests };
  }
});
