import { readFileSync } from "node:fs";
import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { AXE, hasChromium, openBrowser } from "./chromium.ts";
import { bundleElement } from "./element-host.ts";
import { type RunningService, startService } from "./service.ts";

/** All tests come from one address, and the one that asks for a second message does not wait a minute for it. */
const POLICY = {
  limits: {
    number: [{ max: 5, window_seconds: 60 }],
    ip: [{ max: 100, window_seconds: 3600 }],
  },
  resend: { wait_seconds: [1, 1, 1] },
};

describe.skipIf(!hasChromium)("the development page", () => {
  let service: RunningService;
  let browser: Browser;
  let script: string;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    [service, browser, script] = await Promise.all([startService(POLICY), openBrowser(), bundleElement()]);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await service?.stop();
  }, 30_000);

  beforeEach(async () => {
    page = await browser.newPage({ locale: "en-IN" });
    faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) faults.push(message.text());
    });
    // The bundle as it is now, built or not.
    await page.route("**/element.js", (route) =>
      route.fulfill({ contentType: "text/javascript", body: script }),
    );
    await page.goto(service.url);
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.log(`The page said:\n${await page.innerText("body")}`);
    await page.close();
    expect(faults).toEqual([]);
  });

  test("a person enters a number, reads the code in the inbox beside it, types it in and sees the proof", async () => {
    await page.getByLabel("Flow").selectOption("signup");
    await page.getByLabel("Reference").fill("order-7");
    await askForCode("98765 43210");
    const message = page.getByRole("listitem").filter({ hasText: "+919876543210" });
    await message.waitFor();
    const code = /^\d+/.exec((await message.textContent()) ?? "")?.[0] ?? "";
    await enterCode(`${code.slice(0, 3)} ${code.slice(3)}`);
    await seeHeading("Your number is verified");
    await see("Its signature fits the service's public key.");
    expect(await claims()).toMatchObject({
      sub: "tel:+919876543210",
      phone_number_verified: "true",
      flow: "signup",
      ref: "order-7",
    });
    await press("Start over");
    await seeHeading("Verify your phone number");
    expect(await page.getByRole("heading", { name: "Proof" }).isVisible()).toBe(false);
  });

  test("the form's language, theme and direction can be switched, also in the middle", async () => {
    await askForCode("98765 43211");
    await seeHeading("Enter the code");
    await choose("Language", "ar");
    await seeHeading("أدخل الرمز");
    expect(await look("direction")).toBe("rtl");
    await choose("Direction", "ltr");
    expect(await look("direction")).toBe("ltr");
    const light = await look("color");
    await choose("Theme", "dark");
    expect(await look("color")).not.toBe(light);
    await choose("Language", "en");
    await enterCode(await newestCode("+919876543211"));
    await seeHeading("Your number is verified");
  });

  test.each([
    ["a forged token", "forged"],
    ["no token", "none"],
  ])("a human check that yields %s is refused in words", async (_, kind) => {
    await page.getByLabel("The human check yields").selectOption(kind);
    await askForCode("98765 43212");
    await seeRefusal("We could not confirm that you are human.");
  });

  test("the first request brings a token, and is not refused", async () => {
    const statuses: number[] = [];
    page.on("response", (response) => {
      if (response.url().includes("/v1/")) statuses.push(response.status());
    });
    await askForCode("98765 43216");
    await seeHeading("Enter the code");
    expect(statuses).toEqual([202]);
  });

  test("a human check that was used before is refused, and the last answer says so", async () => {
    await page.getByLabel("The human check yields").selectOption("once");
    await askForCode("98765 43213");
    await seeHeading("Enter the code");
    await press("Change number");
    await page.getByLabel("The human check yields").selectOption("again");
    await askForCode("98765 43214");
    await seeRefusal("We could not confirm that you are human.");
    await see("/v1/send → 403");
    await see("challenge_failed");
  });

  test("the service sees the client address that was chosen, and shows what it thinks of a wrong one", async () => {
    await page.getByLabel("Client address").fill("not an address");
    await askForCode("98765 43215");
    await seeRefusal("Something went wrong.");
    await see("X-Tollgate-Dev-Client");
  });

  test("nothing is cut off on a screen of 320 pixels", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await askForCode("98765 43217");
    await enterCode(await newestCode("+919876543217"));
    await see("Its signature fits the service's public key.");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });

  test.each(["light", "dark"] as const)("axe finds nothing, %s", async (colorScheme) => {
    await page.emulateMedia({ colorScheme });
    await askForCode(colorScheme === "light" ? "98765 43218" : "98765 43219");
    await page.getByRole("listitem").first().waitFor();
    // The page's own policy would keep the checker out, as it keeps out everything else.
    await page.evaluate(readFileSync(AXE, "utf8"));
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as { axe: { run(): Promise<{ violations: { id: string }[] }> } };
      return (await axe.run()).violations.map(({ id }) => id);
    });
    expect(found).toEqual([]);
  });

  async function askForCode(number: string) {
    await page.getByRole("textbox", { name: "Phone number" }).fill(number);
    await press("Send code");
  }

  function enterCode(code: string) {
    return page.locator("tollgate-form #code").fill(code);
  }

  function press(name: string) {
    return page.getByRole("button", { name, exact: true }).click();
  }

  function choose(name: string, value: string) {
    return page.getByRole("combobox", { name, exact: true }).selectOption(value);
  }

  function see(text: string) {
    return page.getByText(text).first().waitFor();
  }

  function seeHeading(name: string) {
    return page.getByRole("heading", { name }).waitFor();
  }

  function seeRefusal(text: string) {
    return page.getByRole("alert").filter({ hasText: text }).waitFor();
  }

  function look(property: "direction" | "color"): Promise<string> {
    const title = page.locator("tollgate-form [part~=title]");
    return title.evaluate((found, name) => getComputedStyle(found)[name], property);
  }

  async function claims(): Promise<Record<string, string | undefined>> {
    const names = await page.getByRole("term").allTextContents();
    const values = await page.getByRole("definition").allTextContents();
    return Object.fromEntries(names.map((name, i) => [name, values[i]]));
  }

  /** The codes that a number got, newest first. */
  async function codes(to: string): Promise<string[]> {
    const response = await fetch(`${service.inboxUrl}/messages?to=${encodeURIComponent(to)}`);
    const messages = (await response.json()) as { body: string }[];
    return messages.map(({ body }) => /^\d+/.exec(body)?.[0] ?? body);
  }

  async function newestCode(to: string): Promise<string> {
    await page.locator("tollgate-form #code").waitFor();
    const [code] = await codes(to);
    if (code === undefined) throw new Error(`nothing arrived for ${to}`);
    return code;
  }
});
