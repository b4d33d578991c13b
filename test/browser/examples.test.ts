import { rm } from "node:fs/promises";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  addExamples,
  type FreshProject,
  freshProject,
  type RunningBackend,
  startBackend,
} from "../contract/package/support-kit.ts";
import { hasChromium, openBrowser } from "./chromium.ts";
import { type RunningService, startService } from "./service.ts";

describe.skipIf(!hasChromium)("the example page", () => {
  let service: RunningService;
  let project: FreshProject;
  let backend: RunningBackend;
  let browser: Browser;

  beforeAll(async () => {
    [service, project, browser] = await Promise.all([startService({}), freshProject(), openBrowser()]);
    backend = await startBackend(await addExamples(project), service.url);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    backend?.stop();
    await service?.stop();
    await rm(project.folder, { recursive: true, force: true });
  }, 30_000);

  test("on another origin verifies a number, and its backend lets the person in", async () => {
    const page = await browser.newPage({ locale: "en-IN" });
    const refused: string[] = [];
    page.on("response", (response) => {
      const { pathname } = new URL(response.url());
      // Browsers ask for an icon by themselves.
      if (response.status() >= 400 && pathname !== "/favicon.ico")
        refused.push(`${response.status()} ${pathname}`);
    });
    // The page names the port that npm start has.
    await page.route("http://localhost:8787/**", (route) => {
      const { pathname, search } = new URL(route.request().url());
      return route.continue({ url: `${service.url}${pathname}${search}` });
    });
    await page.goto(backend.url);
    await page.getByLabel("Phone number").fill("98765 43210");
    await page.getByRole("button", { name: "Send code" }).click();
    await page.getByText("Enter the code").waitFor();

    const [message] = (await (await fetch(`${service.inboxUrl}/messages?to=919876543210`)).json()) as {
      body: string;
    }[];
    const code = /\d{4,10}/.exec(message?.body ?? "")?.[0] ?? "";
    await page.getByLabel(/digit code/).fill(code);
    await page.getByText("Welcome.").waitFor();
    expect(await page.getByText("Your number is verified").isVisible()).toBe(true);
    expect(refused).toEqual([]);
    await page.close();
  });
});
