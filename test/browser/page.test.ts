import { existsSync } from "node:fs";
import { type Browser, chromium, type Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type RunningService, startService } from "./service.ts";

const CHROMIUM = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
const hasChromium = existsSync(CHROMIUM);
if (!hasChromium) {
  console.warn(`The browser tests skip: no ${CHROMIUM} (install chromium, or name one in CHROMIUM_PATH).`);
}

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
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    [service, browser] = await Promise.all([
      startService(POLICY),
      chromium.launch({ executablePath: CHROMIUM }),
    ]);
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
    await page.goto(service.url);
  });

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.log(`The page said:\n${await page.innerText("body")}`);
    await page.close();
    expect(faults).toEqual([]);
  });

  test("a person enters a number, reads the code in the inbox, types it in and sees the proof", async () => {
    await page.getByLabel("Flow").selectOption("signup");
    await page.getByLabel("Reference").fill("order-7");
    await askForCode("98765 43210");
    await see("+91••••••••10");
    await see("Handed over to the provider");

    const code = await newestCode("+919876543210");
    await enterCode(`${code.slice(0, 3)} ${code.slice(3)}`);
    await seeHeading("The number is verified");
    await see("Its signature fits the service's public key.");
    expect(await claims()).toMatchObject({
      sub: "tel:+919876543210",
      phone_number_verified: "true",
      flow: "signup",
      ref: "order-7",
    });
  });

  test("the journey needs no mouse", async () => {
    await page.getByRole("textbox", { name: "Phone number" }).focus();
    await page.keyboard.type("+447400123456");
    await page.keyboard.press("Tab");
    await page.keyboard.press("Space");
    await page.keyboard.press("Enter");
    await seeHeading("Enter the code");
    await page.keyboard.type(await newestCode("+447400123456"));
    await page.keyboard.press("Enter");
    await seeHeading("The number is verified");
  });

  test("a wrong code shows the attempts left, and then the right one verifies", async () => {
    await askForCode("98765 43211");
    const code = await newestCode("+919876543211");
    await enterCode(String((Number(code) + 1) % 1_000_000).padStart(6, "0"));
    await seeRefusal("That is not the code");
    await seeRefusal("4 attempts left");
    await enterCode(code);
    await seeHeading("The number is verified");
  });

  test("without the human check the page says that a challenge is needed, and goes on with it", async () => {
    await fillNumber("98765 43212");
    await press("Send code");
    await seeRefusal("A challenge is needed");
    await page.getByRole("checkbox", { name: "I am human" }).check();
    await press("Send code");
    await seeHeading("Enter the code");
  });

  test("a human check that was used before is refused in words", async () => {
    await page.getByLabel("The human check yields").selectOption("once");
    await askForCode("98765 43213");
    await seeHeading("Enter the code");
    await press("Change number");
    await page.getByLabel("The human check yields").selectOption("again");
    await askForCode("98765 43214");
    await seeRefusal("The human check did not pass");
  });

  test.each([
    ["98765", "This number does not exist"],
    ["1800 123 4567", "This kind of number cannot get a code"],
    ["", "Enter your number"],
  ])("the number %j is refused in words", async (number, words) => {
    await askForCode(number);
    await seeRefusal(words);
  });

  test("a code is sent again for a new human check, and stays the same while it is good", async () => {
    await askForCode("98765 43215");
    await seeHeading("Enter the code");
    const code = await newestCode("+919876543215");
    await press("Send again");
    await seeRefusal("A challenge is needed");
    await page.getByRole("checkbox", { name: "I am human" }).check();
    await press("Send again");
    await see("(2 sent)");
    expect(await codes("+919876543215")).toEqual([code, code]);
  });

  test("a send whose answer is lost on the way is repeated under its own key: one message", async () => {
    const keys: (string | undefined)[] = [];
    await page.route("**/v1/send", async (route) => {
      keys.push(route.request().headers()["idempotency-key"]);
      if (keys.length > 1) return route.continue();
      await route.fetch();
      await route.abort("connectionreset");
    });
    await askForCode("98765 43216");
    await seeHeading("Enter the code");
    expect(keys).toEqual([expect.stringMatching(/^[0-9a-f-]{36}$/), keys[0]]);
    expect(await codes("+919876543216")).toHaveLength(1);
  });

  test("nothing is cut off on a screen of 320 pixels", async () => {
    await page.setViewportSize({ width: 320, height: 640 });
    await askForCode("98765 43217");
    await enterCode(await newestCode("+919876543217"));
    await seeHeading("The number is verified");
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
  });

  async function fillNumber(number: string) {
    await page.getByRole("textbox", { name: "Phone number" }).fill(number);
  }

  async function askForCode(number: string) {
    await fillNumber(number);
    await page.getByRole("checkbox", { name: "I am human" }).check();
    await press("Send code");
  }

  async function enterCode(code: string) {
    await page.getByRole("textbox", { name: "Code" }).fill(code);
    await press("Verify");
  }

  function press(name: string) {
    return page.getByRole("button", { name, exact: true }).click();
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
    await seeHeading("Enter the code");
    const [code] = await codes(to);
    if (code === undefined) throw new Error(`nothing arrived for ${to}`);
    return code;
  }
});
