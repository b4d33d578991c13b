import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { AXE, hasChromium, openBrowser } from "./chromium.ts";
import { type Host, startHost } from "./element-host.ts";
import { type RunningService, startService } from "./service.ts";

const POLICY = {
  limits: {
    number: [{ max: 5, window_seconds: 60 }],
    ip: [{ max: 1000, window_seconds: 3600 }],
  },
  attempts: { max: 3, wait_seconds: [0] },
  resend: { wait_seconds: [2, 2, 2] },
  delivery: { channels: ["sms", "voice"], voice_after_messages: 1 },
};

const LANGUAGES = ["en", "hi", "es", "pt", "fr", "ar", "id"];

interface Heard {
  name: string;
  detail: Record<string, unknown>;
}

describe.skipIf(!hasChromium)("the form", () => {
  let service: RunningService;
  let browser: Browser;
  let host: Host;
  let page: Page;
  let faults: string[];
  let lastNumber = 9_876_500_000;

  beforeAll(async () => {
    [service, browser] = await Promise.all([startService(POLICY), openBrowser()]);
    host = await startHost(service.url);
  }, 120_000);

  afterAll(async () => {
    await browser?.close();
    await host?.stop();
    await service?.stop();
  }, 30_000);

  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.log(`The page said:\n${await page.innerText("body")}`);
    host.contentSecurityPolicy = "";
    await page.context().close();
    expect(faults).toEqual([]);
  });

  async function open(attributes = 'country="IN"', options: BrowserContextOptions = {}): Promise<void> {
    const context = await browser.newContext({ locale: "en-IN", bypassCSP: false, ...options });
    page = await context.newPage();
    faults = [];
    page.on("pageerror", (error) => faults.push(error.message));
    page.on("console", (message) => {
      if (/Content Security Policy|Trusted/.test(message.text())) faults.push(message.text());
    });
    await page.goto(`${host.url}/?attributes=${encodeURIComponent(attributes)}`);
    await phoneField().waitFor();
  }

  test("verifies a number on a page of another origin, which gets the proof", async () => {
    await open('country="IN" flow="signup" reference="order-7"');
    const number = nextNumber();
    await askForCode(number);
    await see(`We sent a code to +91 ${number.slice(0, 5)} ${number.slice(5)}.`);
    await codeField().pressSequentially(await newestCode(number));
    await seeHeading("Your number is verified");
    const told = await heard();
    expect(told.map(({ name }) => name)).toEqual(["sent", "verified"]);
    expect(told[1]?.detail).toMatchObject({
      kind: "verified",
      phone: `+91${number}`,
      proof: expect.stringMatching(/^[\w-]+\.[\w-]+\.[\w-]+$/),
      correlationId: told[0]?.detail.correlationId,
      deviceToken: expect.any(String),
    });
    expect(claimsOf(String(told[1]?.detail.proof))).toMatchObject({ flow: "signup", ref: "order-7" });
  });

  test("needs no mouse, and the focus is always where the person goes on", async () => {
    await open();
    const number = nextNumber();
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Country");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Phone number");
    await page.keyboard.type(number);
    await page.keyboard.press("Enter");
    await seeHeading("Enter the code");
    expect(await focused()).toBe("6-digit code");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Verify");
    await page.keyboard.press("Tab");
    expect(await focused()).toBe("Change number");
    await page.keyboard.press("Enter");
    expect(await focused()).toBe("Phone number");
    await page.keyboard.press("Enter");
    await seeHeading("Enter the code");
    await page.keyboard.type(await newestCode(number));
    await seeHeading("Your number is verified");
    expect(await focused()).toBe("Your number is verified");
  });

  test("formats a number as it is typed, lets it be corrected, and follows its country", async () => {
    await open('country="US"');
    const field = phoneField();
    await field.pressSequentially("2025550123");
    expect(await field.inputValue()).toBe("(202) 555-0123");
    for (let i = 0; i < 7; i++) await page.keyboard.press("Backspace");
    expect(await field.inputValue()).toBe("(202)");
    await page.keyboard.press("Backspace");
    expect(await field.inputValue()).toBe("20");
    await field.fill("");
    await field.pressSequentially("+447400123456");
    expect(await field.inputValue()).toBe("+44 7400 123456");
    expect(await page.getByLabel("Country").inputValue()).toBe("GB");
    await field.fill("٩٨٧٦٥");
    await page.getByLabel("Country").selectOption("IN");
    expect(await field.inputValue()).toBe("98765");
  });

  test("takes a code out of a pasted message, and keeps no place for a seventh digit", async () => {
    await open();
    const number = nextNumber();
    await askForCode(number);
    const code = await newestCode(number);
    await codeField().focus();
    await page.keyboard.insertText("12345");
    await page.keyboard.press("Backspace");
    expect(await codeField().inputValue()).toBe("1234");
    await codeField().selectText();
    await page.keyboard.insertText(
      `Your code is ${code.slice(0, 3)} ${code.slice(3)}. It expires in 3 minutes.`,
    );
    await seeHeading("Your number is verified");
  });

  test("says that a code is wrong and what is left, and after the last one leads to a new one", async () => {
    await open();
    const number = nextNumber();
    await askForCode(number);
    const code = await newestCode(number);
    await codeField().pressSequentially(wrong(code));
    await seeRefusal("That is not the right code.");
    await see("Attempts left: 2");
    await codeField().pressSequentially(wrong(code));
    await pressButton("Verify");
    await see("Attempts left: 1");
    await codeField().pressSequentially(wrong(wrong(code)));
    await seeRefusal("Too many wrong codes. Ask for a new one.");
    await seeHeading("Verify your phone number");
    expect(await phoneField().inputValue()).toBe(`${number.slice(0, 5)} ${number.slice(5)}`);
  });

  test("counts down to a resend, sends the same code again, and offers a call only when it is possible", async () => {
    await open();
    const number = nextNumber();
    await askForCode(number);
    const again = page.getByRole("button", { name: /^Send again/ });
    expect(await again.textContent()).toMatch(/^Send again \(0:0[12]\)$/);
    expect(await again.isDisabled()).toBe(true);
    const call = page.getByRole("button", { name: "Call me instead" });
    expect(await call.isVisible()).toBe(false);
    await call.waitFor();
    await page.getByRole("button", { name: "Send again", exact: true }).click();
    await page.getByRole("button", { name: /^Send again \(/ }).waitFor();
    expect(await call.isVisible()).toBe(false);
    const [first, second] = await codes(number);
    expect(second).toBe(first);
    await call.click();
    await see(`We are calling +91 ${number.slice(0, 5)} ${number.slice(5)}.`);
    expect((await heard()).map(({ detail }) => detail.channel)).toEqual(["sms", "sms", "voice"]);
  });

  test("says when the code has run out, and asks the service no more", async () => {
    await open();
    await page.clock.install();
    await askForCode(nextNumber());
    await see("The code is good for");
    await page.clock.fastForward(181_000);
    await seeRefusal("This code is no longer good.");
    await codeField().fill("123456");
    await seeRefusal("This code is no longer good.");
    expect((await heard()).at(-1)).toEqual({ name: "refused", detail: { kind: "expired" } });
  });

  test("goes on after a reload in the middle, and begins anew after the end", async () => {
    await open();
    const number = nextNumber();
    await askForCode(number);
    await seeHeading("Enter the code");
    const kept = await page.evaluate(() => JSON.stringify([sessionStorage, localStorage]));
    expect(kept).not.toContain(number);
    await page.reload();
    await seeHeading("Enter the code");
    await see("We sent a code to +91••••••••");
    await codeField().fill(await newestCode(number));
    await seeHeading("Your number is verified");
    await page.reload();
    await seeHeading("Verify your phone number");
  });

  test("a lost answer is said as such, and pressing again is the same verification", async () => {
    await open();
    const keys: (string | undefined)[] = [];
    let isLost = true;
    await page.route("**/v1/send", async (route) => {
      const { captcha_token: token } = route.request().postDataJSON();
      if (token) keys.push(route.request().headers()["idempotency-key"]);
      if (isLost && token) return route.abort("connectionreset");
      await route.continue();
    });
    const number = nextNumber();
    await askForCode(number);
    await seeRefusal("No connection. Try again.");
    isLost = false;
    await pressButton("Send code");
    await seeHeading("Enter the code");
    expect(keys.length).toBeGreaterThan(3);
    expect(await codes(number)).toHaveLength(1);
  });

  test.each([
    ["", "Enter your phone number."],
    ["98765", "This number does not exist."],
    ["1800 123 4567", "This number cannot receive codes."],
  ])("the number %j is refused in words", async (number, words) => {
    await open();
    await phoneField().fill(number);
    await pressButton("Send code");
    await seeRefusal(words);
    expect(await phoneField().getAttribute("aria-invalid")).toBe("true");
    expect(await focused()).toBe("Phone number");
  });

  test("reset() brings back an empty form", async () => {
    await open();
    await askForCode(nextNumber());
    await seeHeading("Enter the code");
    await page.evaluate(() =>
      document.querySelector<HTMLElement & { reset(): void }>("tollgate-form")?.reset(),
    );
    await seeHeading("Verify your phone number");
    expect(await phoneField().inputValue()).toBe("");
  });

  test("shows whatever a server says as text", async () => {
    await open();
    const html = '<img src=x onerror="window.pwned=1"><script>window.pwned=1</script>';
    await page.route("**/v1/send", (route) =>
      route.fulfill({
        status: 202,
        headers: { "access-control-allow-origin": "*" },
        json: {
          session: html,
          correlation_id: html,
          channel: html,
          masked_phone: html,
          code_length: 6,
          expires_in_seconds: 180,
          resend_in_seconds: 0,
          attempts_left: 5,
          next_channels: [{ channel: html, available_in_seconds: 0 }],
        },
      }),
    );
    await page.route("**/v1/verify", (route) =>
      route.fulfill({
        status: 422,
        headers: { "access-control-allow-origin": "*" },
        json: { code: html, title: html, status: 422, correlation_id: html, attempts_left: html },
      }),
    );
    await askForCode(nextNumber());
    await see(html);
    await codeField().fill("123456");
    await seeRefusal("Something went wrong.");
    expect(await page.evaluate(() => "pwned" in window)).toBe(false);
    expect(await page.locator("tollgate-form img, tollgate-form script").count()).toBe(0);
  });

  test("works under the strictest Content-Security-Policy", async () => {
    host.contentSecurityPolicy = [
      "default-src 'none'",
      "script-src 'self'",
      `connect-src ${service.url}`,
      "base-uri 'none'",
      "form-action 'none'",
      "img-src data:",
      "require-trusted-types-for 'script'",
      "trusted-types 'none'",
    ].join("; ");
    await open();
    const number = nextNumber();
    await askForCode(number);
    expect(
      await page
        .getByRole("button", { name: "Verify" })
        .evaluate((button) => getComputedStyle(button).fontWeight),
    ).toBe("600");
    await codeField().fill(await newestCode(number));
    await seeHeading("Your number is verified");
  });

  test("asks for a solved challenge only when the service does, and for a new one when it must be fresh", async () => {
    await open();
    await page.evaluate(() => {
      const asked: unknown[] = [];
      const form = document.querySelector("tollgate-form");
      Object.assign(window, { asked });
      Object.assign(form ?? {}, {
        captcha: (challenge: unknown) => {
          asked.push(challenge);
          return `token-${asked.length}`;
        },
      });
    });
    const tokens: (string | undefined)[] = [];
    await page.route("**/v1/send", (route) => {
      const { captcha_token: token } = route.request().postDataJSON();
      tokens.push(token);
      if (token === "token-2")
        return route.continue({
          postData: { ...route.request().postDataJSON(), captcha_token: "XXXX.DUMMY.TOKEN.XXXX" },
        });
      const challenge = {
        provider: "hcaptcha",
        site_key: "theirs",
        action: "send",
        fresh: token !== undefined,
      };
      return route.fulfill(refusalWith("challenge_required", { challenge }));
    });
    await askForCode(nextNumber());
    await seeHeading("Enter the code");
    expect(tokens).toEqual([undefined, "token-1", "token-2"]);
    const asked = await page.evaluate(() => (window as unknown as { asked: { fresh: boolean }[] }).asked);
    expect(asked.map(({ fresh }) => fresh)).toEqual([false, true]);
    expect((await heard()).map(({ name }) => name)).toEqual(["sent"]);
  });

  test("loads Turnstile from its own address, only when it is needed, and renders it into the page", async () => {
    await open('country="IN" captcha-site-key="0x4AAAA"');
    let loads = 0;
    await page.route("https://challenges.cloudflare.com/**", (route) => {
      loads++;
      return route.fulfill({
        contentType: "text/javascript",
        body: `window.turnstile = {
          render(place, options) {
            window.rendered = { sitekey: options.sitekey, action: options.action, language: options.language, connected: document.contains(place) };
            setTimeout(() => options.callback("XXXX.DUMMY.TOKEN.XXXX"));
            return "w1";
          },
          remove() {},
        };`,
      });
    });
    await phoneField().fill(nextNumber());
    expect(loads).toBe(0);
    await pressButton("Send code");
    await seeHeading("Enter the code");
    expect(loads).toBe(1);
    expect(await page.evaluate(() => (window as unknown as { rendered: object }).rendered)).toEqual({
      sitekey: "0x4AAAA",
      action: "send",
      language: "en",
      connected: true,
    });
  });

  test("says so when the challenge cannot be loaded", async () => {
    await open();
    await page.route("https://challenges.cloudflare.com/**", (route) => route.abort());
    await page.route("**/v1/send", (route) => {
      const challenge = { provider: "turnstile", site_key: "0x4AAAA", action: "send", fresh: false };
      return route.fulfill(refusalWith("challenge_required", { challenge }));
    });
    await askForCode(nextNumber());
    await seeRefusal("We could not confirm that you are human. Try again.");
    expect((await heard()).map(({ detail }) => detail.kind)).toEqual(["challenge_unavailable"]);
  });

  test.each(LANGUAGES)("in %s nothing is cut off on a screen of 320 pixels", async (lang) => {
    await open(`country="IN" lang="${lang}"`, { viewport: { width: 320, height: 640 } });
    const isWhole = async () => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(320);
      const direction = await page
        .getByRole("heading")
        .evaluate((heading) => getComputedStyle(heading).direction);
      expect(direction).toBe(lang === "ar" ? "rtl" : "ltr");
    };
    await isWhole();
    const number = nextNumber();
    await phoneField().fill(number);
    await page.keyboard.press("Enter");
    await codeField().waitFor();
    await isWhole();
    await codeField().fill(await newestCode(number));
    await page.locator("tollgate-form [part~=done]").waitFor();
    await isWhole();
  });

  test.each(["light", "dark"] as const)("axe finds nothing in any step, %s", async (colorScheme) => {
    await open('country="IN"', { colorScheme });
    await page.evaluate((dark) => {
      document.body.style.background = dark ? "#000" : "#fff";
    }, colorScheme === "dark");
    await pressButton("Send code");
    await seeRefusal("Enter your phone number.");
    await seeNoViolation();
    const number = nextNumber();
    await askForCode(number);
    await seeHeading("Enter the code");
    await seeNoViolation();
    const code = await newestCode(number);
    await codeField().fill(wrong(code));
    await seeRefusal("That is not the right code.");
    await seeNoViolation();
    await page.getByRole("button", { name: "Call me instead" }).waitFor();
    await seeNoViolation();
    await codeField().fill(code);
    await seeHeading("Your number is verified");
    await seeNoViolation();
  });

  test("everything that is touched is at least 44 pixels high", async () => {
    await open();
    const heights = () =>
      page
        .locator("tollgate-form")
        .locator("button:visible, input:visible, select")
        .evaluateAll((found) => found.map((each) => each.getBoundingClientRect().height));
    expect(Math.min(...(await heights()))).toBeGreaterThanOrEqual(44);
    await askForCode(nextNumber());
    await seeHeading("Enter the code");
    expect(await heights()).toHaveLength(4);
    expect(Math.min(...(await heights()))).toBeGreaterThanOrEqual(44);
  });

  test("is drawn within a tenth of a second", async () => {
    await open();
    const tookMs = await page.evaluate(async () => {
      const started = performance.now();
      document.querySelector("main")?.replaceChildren(document.createElement("tollgate-form"));
      await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
      return performance.now() - started;
    });
    expect(tookMs).toBeLessThan(100);
  });

  async function askForCode(number: string): Promise<void> {
    await phoneField().fill(number);
    await pressButton("Send code");
  }

  function phoneField() {
    return page.locator("tollgate-form #phone");
  }

  function codeField() {
    return page.locator("tollgate-form #code");
  }

  function pressButton(name: string) {
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

  /** The accessible words of what has the focus. */
  function focused(): Promise<string> {
    return page.evaluate(() => {
      const at = document.activeElement?.shadowRoot?.activeElement;
      if (at instanceof HTMLInputElement) return at.labels?.[0]?.textContent ?? "";
      return at?.getAttribute("aria-label") ?? at?.textContent ?? "";
    });
  }

  async function seeNoViolation(): Promise<void> {
    await page.addScriptTag({ path: AXE.pathname });
    const found = await page.evaluate(async () => {
      const { axe } = window as unknown as {
        axe: { run(): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
      };
      const { violations } = await axe.run();
      return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
    });
    // The page has no heading of the first level: that is its owner's, not the form's.
    expect(found.filter((violation) => !violation.startsWith("page-has-heading-one"))).toEqual([]);
  }

  function heard(): Promise<Heard[]> {
    return page.evaluate(() => (window as unknown as { heard: Heard[] }).heard);
  }

  function nextNumber(): string {
    lastNumber += 10_001;
    return String(lastNumber);
  }

  /** The codes that a number got, newest first. */
  async function codes(number: string): Promise<string[]> {
    const response = await fetch(`${service.inboxUrl}/messages?to=91${number}`);
    const messages = (await response.json()) as { body: string }[];
    return messages.map(({ body }) => /^\d+/.exec(body)?.[0] ?? body);
  }

  async function newestCode(number: string): Promise<string> {
    await codeField().waitFor();
    const [code] = await codes(number);
    if (code === undefined) throw new Error("nothing arrived");
    return code;
  }
});

/** A problem as the service answers it to another origin. */
const refusalWith = (code: string, extension: object) => ({
  status: 403,
  headers: { "access-control-allow-origin": "*" },
  json: { type: `/problems/${code}`, title: "No", status: 403, code, correlation_id: "c", ...extension },
});

const wrong = (code: string) => String((Number(code) + 1) % 1_000_000).padStart(6, "0");

const claimsOf = (proof: string) =>
  JSON.parse(Buffer.from(proof.split(".")[1] ?? "", "base64url").toString());
