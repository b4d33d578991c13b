/** The form on real phones and networks: what is composed, pasted, half-done, asleep, moved or damaged. Its service is scripted. */
import type { Browser, BrowserContext, Page, Request } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { hasChromium, openBrowser } from "./chromium.ts";
import { type Host, startHost } from "./element-host.ts";

interface Answer {
  status: number;
  json: object;
}
/** "lost" breaks the connection, "hangs" never answers. */
type Next = Answer | "lost" | "hangs";

const sent = (extension: object = {}): Answer => ({
  status: 202,
  json: {
    session: "sealed",
    correlation_id: "c",
    channel: "sms",
    masked_phone: "+91••••••••10",
    code_length: 6,
    expires_in_seconds: 180,
    resend_in_seconds: 0,
    attempts_left: 5,
    next_channels: [{ channel: "sms", available_in_seconds: 0 }],
    ...extension,
  },
});
const VERIFIED: Answer = {
  status: 200,
  json: {
    status: "verified",
    device_token: "device",
    proof: "a.b.c",
    phone: "+919876543210",
    correlation_id: "c",
  },
};
const problem = (status: number, code: string, extension: object = {}): Answer => ({
  status,
  json: { type: `/problems/${code}`, title: "No", status, code, correlation_id: "c", ...extension },
});
const wrong = (attemptsLeft: number, retrySeconds: number) =>
  problem(422, "code_incorrect", { attempts_left: attemptsLeft, retry_in_seconds: retrySeconds });
const CHALLENGE = { provider: "turnstile", site_key: "0x4AAAA", action: "send", fresh: false };
const challenged = () => problem(403, "challenge_required", { challenge: CHALLENGE });

const TURNSTILE = "https://challenges.cloudflare.com/**";
const widget = (render: string) => ({
  contentType: "text/javascript",
  body: `window.turnstile = { render(place, options) { ${render} }, remove() { window.removed = true; } };`,
});

describe.skipIf(!hasChromium)("the form on a phone", () => {
  let browser: Browser;
  let host: Host;
  let context: BrowserContext;
  let page: Page;
  let faults: string[];
  let consoleErrors: string[];
  let requests: { path: string; body: Record<string, unknown> | null; key: string | undefined }[];
  /** Answers in turn, the last one again and again. */
  let script: Record<"send" | "verify" | "session", Next[]>;

  beforeAll(async () => {
    [browser, host] = await Promise.all([openBrowser(), startHost("")]);
  }, 120_000);
  afterAll(async () => {
    await browser?.close();
    await host?.stop();
  }, 30_000);

  beforeEach(async () => {
    script = { send: [sent()], verify: [VERIFIED], session: ["lost"] };
    requests = [];
    faults = [];
    consoleErrors = [];
    context = await browser.newContext({ locale: "en-IN" });
    await context.route("**/v1/**", async (route) => {
      note(route.request());
      const name = new URL(route.request().url()).pathname.split("/").at(-1) as keyof typeof script;
      const [next] = script[name].length > 1 ? script[name].splice(0, 1) : script[name];
      if (next === undefined || next === "hangs") return;
      if (next === "lost") return route.abort("connectionreset");
      await route.fulfill(next);
    });
    page = await newPage();
  });
  afterEach(async ({ task }) => {
    if (task.result?.state === "fail") console.log(`The page said:\n${await page.innerText("body")}`);
    host.contentSecurityPolicy = "";
    await context.close();
    expect(faults).toEqual([]);
  });

  function note(request: Request): void {
    const { pathname: path } = new URL(request.url());
    requests.push({ path, body: request.postDataJSON(), key: request.headers()["idempotency-key"] });
  }

  async function newPage(): Promise<Page> {
    const made = await context.newPage();
    made.on("pageerror", (error) => faults.push(error.message));
    made.on("console", (message) => {
      if (message.type() === "error") consoleErrors.push(message.text());
    });
    return made;
  }

  async function open(attributes = 'country="IN"'): Promise<void> {
    await page.goto(`${host.url}/?attributes=${encodeURIComponent(attributes)}`);
    await phoneField().waitFor();
  }
  const phoneField = () => page.locator("tollgate-form #phone");
  const codeField = () => page.locator("tollgate-form #code");
  const sendButton = () => page.getByRole("button", { name: "Send code", exact: true });
  const see = (text: string) => page.getByText(text).first().waitFor();
  const seeRefusal = (text: string) => page.getByRole("alert").filter({ hasText: text }).waitFor();
  const seeHeading = (name: string) => page.getByRole("heading", { name }).waitFor();
  const calls = (path: string) => requests.filter((request) => request.path === path);
  const keysOf = (path: string) => calls(path).map(({ key }) => key);

  async function askForCode(number = "98765 43210"): Promise<void> {
    await phoneField().fill(number);
    await sendButton().click();
  }
  async function reachCode(): Promise<void> {
    await open();
    await askForCode();
    await codeField().waitFor();
  }

  describe("with an input method", () => {
    test("a code is not rewritten while it is composed, and is read at the end", async () => {
      script.verify = [wrong(4, 0)];
      await reachCode();
      await codeField().focus();
      const devtools = await context.newCDPSession(page);
      for (const text of ["３", "３３", "３３６"]) {
        await devtools.send("Input.imeSetComposition", {
          text,
          selectionStart: text.length,
          selectionEnd: text.length,
        });
        expect(await codeField().inputValue()).toBe(text);
      }
      await devtools.send("Input.insertText", { text: "３３６" });
      expect(await codeField().inputValue()).toBe("336");
      await devtools.send("Input.imeSetComposition", { text: "１２３", selectionStart: 3, selectionEnd: 3 });
      expect(await codeField().inputValue()).toBe("336１２３");
      await devtools.send("Input.insertText", { text: "１２３" });
      expect(await codeField().inputValue()).toBe("336123");
      await seeRefusal("That is not the right code.");
      expect(calls("/v1/verify").map(({ body }) => body?.code)).toEqual(["336123"]);
    });

    test("a number is not rewritten while it is composed, and its digits do not multiply", async () => {
      await open();
      await phoneField().focus();
      const devtools = await context.newCDPSession(page);
      let text = "";
      for (const digit of "９８７６５４３２１０") {
        text += digit;
        await devtools.send("Input.imeSetComposition", {
          text,
          selectionStart: text.length,
          selectionEnd: text.length,
        });
        expect(await phoneField().inputValue()).toBe(text);
      }
      await devtools.send("Input.insertText", { text });
      expect(await phoneField().inputValue()).toBe("98765 43210");
      await sendButton().click();
      await codeField().waitFor();
      expect(calls("/v1/send")[0]?.body).toMatchObject({ phone: "98765 43210", region: "IN" });
    });

    test("a composition that is given up leaves nothing behind", async () => {
      await reachCode();
      await codeField().focus();
      const devtools = await context.newCDPSession(page);
      await devtools.send("Input.imeSetComposition", { text: "12", selectionStart: 2, selectionEnd: 2 });
      await devtools.send("Input.imeSetComposition", { text: "", selectionStart: 0, selectionEnd: 0 });
      expect(await codeField().inputValue()).toBe("");
      await codeField().pressSequentially("936211");
      await seeHeading("Your number is verified");
    });
  });

  test.each([
    ["2026-11-30 14:05 936211 is your code", "936211"],
    ["G-936211", "936211"],
    ["٩٣٦٢١١", "936211"],
    ["936\u200b211", "936211"],
    ["\u2066936 211\u2069", "936211"],
    ["Ref 482913, your code is 936211.\n\n@example.com #936211", "936211"],
  ])("pasted beside two typed digits, %j is the code %s", async (text, code) => {
    await reachCode();
    await codeField().pressSequentially("12");
    await paste(text);
    await seeHeading("Your number is verified");
    expect(calls("/v1/verify").map(({ body }) => body?.code)).toEqual([code]);
  });

  test("a pasted message without a code leaves the digits that were typed", async () => {
    await reachCode();
    await codeField().pressSequentially("12");
    await paste("Your parcel comes on 2026-11-30 at 14:05");
    expect(await codeField().inputValue()).toBe("12");
    expect(calls("/v1/verify")).toEqual([]);
  });

  test.each([
    ["\u202d+44 7976 399087\u202c", "+44 7976 399087"],
    ["tel:+44-7976-399087", "+44 7976 399087"],
    ["\uff0b４４ 7976 399087", "+44 7976 399087"],
    ["९८७६५४३२१०", "98765 43210"],
    ["98765\u202f43210", "98765 43210"],
    ["+44 7976 399087, +44 7976 399088", "+44 7976 399087, +44 7976 399088"],
  ])("the number %j is shown and sent as %j", async (text, phone) => {
    await open();
    await askForCode(text);
    await codeField().waitFor();
    expect(calls("/v1/send")[0]?.body?.phone).toBe(phone);
  });

  test.each(["CV", "WS"])("the beginning of any number of %s can be typed", async (country) => {
    await open(`country="${country}"`);
    for (const number of ["0612345", "0212345", "0812345"]) {
      await phoneField().fill("");
      await phoneField().pressSequentially(number);
      expect((await phoneField().inputValue()).replace(/\D/g, "")).toBe(number);
    }
  });

  describe("on a network that loses answers", () => {
    test("a send that is still under way is repeated under its key, and ends in the field for the code", async () => {
      script.send = ["lost", problem(409, "in_progress", { retry_after: 1 }), sent()];
      await reachCode();
      expect(new Set(keysOf("/v1/send")).size).toBe(1);
      expect(calls("/v1/send")).toHaveLength(3);
    });

    test("after a refusal for the moment, pressing again goes on under the same key; a new number has its own", async () => {
      script.send = [
        problem(429, "too_many_requests", { retry_after: 60 }),
        problem(500, "internal_error"),
        "lost",
      ];
      await open();
      await askForCode();
      await seeRefusal("Too many codes were asked for.");
      await sendButton().click();
      await seeRefusal("Something went wrong.");
      await sendButton().click();
      await seeRefusal("No connection.");
      expect(new Set(keysOf("/v1/send")).size).toBe(1);
      script.send = [problem(422, "number_invalid")];
      await askForCode("98765 43211");
      await seeRefusal("This number does not exist.");
      expect(new Set(keysOf("/v1/send")).size).toBe(2);
      script.send = [sent()];
      await sendButton().click();
      await codeField().waitFor();
      expect(new Set(keysOf("/v1/send")).size).toBe(3);
    });

    test("a code whose answer is lost is checked again under its key, and another code under another", async () => {
      script.verify = ["lost"];
      await reachCode();
      await codeField().fill("111111");
      await seeRefusal("No connection.");
      script.verify = [wrong(4, 0)];
      await page.getByRole("button", { name: "Verify", exact: true }).click();
      await seeRefusal("That is not the right code.");
      expect(new Set(keysOf("/v1/verify")).size).toBe(1);
      await codeField().fill("222222");
      await expect.poll(() => new Set(keysOf("/v1/verify")).size).toBe(2);
      await page.getByText("Attempts left: 4").waitFor();
    });

    test("a reload while the service is away shows the code's field, and the code is checked when it is back", async () => {
      await reachCode();
      await page.reload();
      await codeField().waitFor();
      await see("We sent a code to +91••••••••10");
      await see("The code is good for 2:5");
      await codeField().fill("936211");
      await seeHeading("Your number is verified");
    });

    test.each([
      ["hangs", "hangs" as const],
      ["answers like a proxy", { status: 502, json: { hello: "world" } }],
      ["is limited", problem(429, "too_many_requests", { retry_after: 60 })],
    ])("a reload while the service %s shows it too", async (_, next) => {
      script.session = [next];
      await reachCode();
      await page.reload();
      await codeField().waitFor();
    });

    test("a reload after the code has run out begins anew, service or not", async () => {
      script.send = [sent({ expires_in_seconds: 1 })];
      await reachCode();
      await see("This code is no longer good.");
      await page.reload();
      await phoneField().waitFor();
    });
  });

  describe("during the wait after a wrong code", () => {
    test("a right code is checked as soon as one is looked at, and the old notice is gone", async () => {
      script.verify = [wrong(4, 0), wrong(3, 2), VERIFIED];
      await reachCode();
      await codeField().fill("111111");
      await see("Attempts left: 4");
      await codeField().fill("222222");
      await see("Attempts left: 3");
      await codeField().fill("93621");
      expect(await page.getByText("That is not the right code.").isVisible()).toBe(false);
      await codeField().fill("936211");
      await see("You can try again in 0:0");
      await seeHeading("Your number is verified");
      expect(calls("/v1/verify").map(({ body }) => body?.code)).toEqual(["111111", "222222", "936211"]);
    });

    test("pressing Verify says how long, and a code that is taken back is not checked", async () => {
      script.verify = [wrong(4, 2)];
      await reachCode();
      await codeField().fill("111111");
      await seeRefusal("That is not the right code.");
      await page.getByRole("button", { name: "Verify", exact: true }).click();
      await see("You can try again in 0:0");
      await codeField().fill("9");
      expect(await page.locator("tollgate-form #notice").isVisible()).toBe(false);
      await page.waitForTimeout(2500);
      expect(calls("/v1/verify")).toHaveLength(1);
    });
  });

  describe("with a challenge", () => {
    test("a script that hangs ends in words, and the next press loads it anew", async () => {
      await open();
      await page.clock.install();
      let loads = 0;
      await page.route(TURNSTILE, (route) => {
        if (++loads > 1)
          return route.fulfill(widget(`setTimeout(() => options.callback("token")); return "w";`));
      });
      script.send = [challenged(), challenged(), sent()];
      await askForCode();
      await expect.poll(() => loads).toBe(1);
      await page.clock.runFor(2000);
      await see("We are checking that you are human.");
      expect(await sendButton().getAttribute("aria-busy")).toBe("false");
      await page.clock.runFor(10_000);
      await seeRefusal("We could not confirm that you are human. Try again.");
      await sendButton().click();
      await expect.poll(() => loads).toBe(2);
      await page.clock.runFor(1000);
      await codeField().waitFor();
      expect(new Set(keysOf("/v1/send")).size).toBe(1);
    });

    test.each([
      ["renders nothing", `return undefined;`, 100],
      ["throws", `throw new Error("no");`, 100],
      ["calls nothing back", `return "w";`, 31_000],
      ["gives up its question", `setTimeout(options["timeout-callback"], 50); return "w";`, 100],
      ["asks and is not answered", `options["before-interactive-callback"](); return "w";`, 301_000],
    ])("a widget that %s ends in words", async (_, render, waitMs) => {
      await open();
      await page.clock.install();
      await page.route(TURNSTILE, (route) => route.fulfill(widget(render)));
      script.send = [challenged()];
      await askForCode();
      await expect.poll(() => page.evaluate(() => "turnstile" in window)).toBe(true);
      await page.clock.runFor(waitMs);
      await seeRefusal("We could not confirm that you are human. Try again.");
      expect(await sendButton().getAttribute("aria-busy")).toBe("false");
      expect(await sendButton().getAttribute("aria-disabled")).not.toBe("true");
    });

    test("a hook of the page that never answers ends in words", async () => {
      await open();
      await page.clock.install();
      await page.evaluate(() => {
        Object.assign(document.querySelector("tollgate-form") ?? {}, {
          captcha: () => new Promise(() => {}),
        });
      });
      script.send = [challenged()];
      await askForCode();
      await expect.poll(() => calls("/v1/send").length).toBe(1);
      await page.clock.runFor(2000);
      await see("We are checking that you are human.");
      await page.clock.runFor(300_000);
      await seeRefusal("We could not confirm that you are human.");
    });

    test("the widget has its sentence, stands above the button, and no sign of work covers it", async () => {
      await open();
      await page.route(TURNSTILE, (route) =>
        route.fulfill(
          widget(`const box = document.createElement("button");
            box.textContent = "I am human";
            box.onclick = () => options.callback("token");
            place.append(box);
            options["before-interactive-callback"]();
            return "w";`),
        ),
      );
      script.send = [challenged(), sent()];
      await askForCode();
      const box = page.getByRole("button", { name: "I am human" });
      await box.waitFor();
      await see("We are checking that you are human.");
      const top = async (of: typeof box) => (await of.boundingBox())?.y ?? Number.NaN;
      expect(await top(page.getByText("We are checking"))).toBeLessThan(await top(box));
      expect(await top(box)).toBeLessThan(await top(sendButton()));
      expect(await sendButton().getAttribute("aria-busy")).toBe("false");
      await box.click();
      await codeField().waitFor();
      expect(calls("/v1/send").map(({ body }) => body?.captcha_token)).toEqual([undefined, "token"]);
    });

    test.each([
      ["script-src 'self'", "script-src"],
      ["frame-src 'none'", "frame-src"],
    ])("a page whose policy is %s gets a hint for its developer", async (policy, directive) => {
      host.contentSecurityPolicy = policy;
      await open();
      if (directive === "frame-src") {
        await page.route(TURNSTILE, (route) =>
          route.fulfill(
            widget(`const frame = document.createElement("iframe");
              frame.src = "https://challenges.cloudflare.com/widget";
              place.append(frame);
              return "w";`),
          ),
        );
      }
      script.send = [challenged()];
      await askForCode();
      await seeRefusal("We could not confirm that you are human.");
      const hint = consoleErrors.find((text) => text.startsWith("tollgate-form:"));
      expect(hint).toContain("https://challenges.cloudflare.com");
      expect(hint).toContain(directive);
    });

    test("known beforehand, it is solved first, and no request fails", async () => {
      await open('country="IN" captcha-site-key="1x00000000000000000000AA"');
      await askForCode();
      await codeField().waitFor();
      expect(calls("/v1/send").map(({ body }) => body?.captcha_token)).toEqual(["XXXX.DUMMY.TOKEN.XXXX"]);
      expect(consoleErrors).toEqual([]);
    });
  });

  test("countdowns count a sleep, as soon as the page is seen again", async () => {
    await page.addInitScript(() => {
      const { now } = Date;
      Date.now = () => now.call(Date) + ((window as { sleptMs?: number }).sleptMs ?? 0);
    });
    script.send = [sent({ next_channels: [{ channel: "sms", available_in_seconds: 100 }] })];
    await reachCode();
    await see("Send again (1:");
    await wakeAfter(90_000);
    await see("Send again (0:");
    await see("The code is good for 1:");
    await wakeAfter(60_000);
    expect(await page.getByRole("button", { name: "Send again", exact: true }).isEnabled()).toBe(true);
    await wakeAfter(60_000);
    await seeRefusal("This code is no longer good.");
  });

  describe("with damaged stores", () => {
    const KEPT = {
      session: "sealed",
      maskedPhone: "+91••••••••10",
      codeLength: 6,
      channels: ["sms"],
      channel: "sms",
      attemptsLeft: 5,
      resendAtMs: null,
    };
    test.each([
      ["no JSON", "{"],
      ["nothing", "null"],
      ["a number", "7"],
      ["a list", "[]"],
      ["a text", '"sealed"'],
      ["channels that are a text", JSON.stringify({ ...KEPT, channels: "sms" })],
      ["channels of another kind", JSON.stringify({ ...KEPT, channels: [{}, 7] })],
      ["a length of 1e9", JSON.stringify({ ...KEPT, codeLength: 1e9 })],
      ["a length of -1", JSON.stringify({ ...KEPT, codeLength: -1 })],
      ["no length", JSON.stringify({ ...KEPT, codeLength: undefined })],
      ["a session of another type", JSON.stringify({ ...KEPT, session: {} })],
      ["a session that is too long", JSON.stringify({ ...KEPT, session: "x".repeat(9999) })],
      ["a masked number that is too long", JSON.stringify({ ...KEPT, maskedPhone: "x".repeat(9999) })],
    ])("a kept session that is %s is none", async (_, kept) => {
      await page.addInitScript((value) => sessionStorage.setItem("tollgate:  ", value), kept);
      await open();
      expect(requests).toEqual([]);
      await askForCode();
      await codeField().waitFor();
    });

    test.each([
      ["a time that is a text", { expiresAtMs: "soon" }],
      ["no time", {}],
      ["a time long past", { expiresAtMs: 1 }],
    ])("a kept session with %s is none while the service is away", async (_, times) => {
      await page.addInitScript(
        (value) => sessionStorage.setItem("tollgate:  ", value),
        JSON.stringify({ ...KEPT, ...times }),
      );
      await open();
    });

    test("a kept session whose end is a thousand years off ends in ten minutes", async () => {
      const kept = JSON.stringify({ ...KEPT, expiresAtMs: Date.now() + 3e13 });
      await page.addInitScript((value) => sessionStorage.setItem("tollgate:  ", value), kept);
      await page.goto(`${host.url}/?attributes=country="IN"`);
      await see("The code is good for 9:5");
    });

    test.each(["\u0000broken", "not a token", "x".repeat(5000)])(
      "a device token like %j stops no send",
      async (token) => {
        await page.addInitScript((value) => localStorage.setItem("tollgate-device-token", value), token);
        await open('country="IN" remember-device');
        await askForCode();
        await codeField().waitFor();
        expect(calls("/v1/send")[0]?.body).not.toHaveProperty("device_token");
      },
    );
  });

  describe("in a page that changes", () => {
    test("moved while sending, it comes to the field for the code, after one message", async () => {
      await holdSend();
      await changePage(() => {
        const form = document.querySelector("tollgate-form");
        const section = document.createElement("section");
        document.body.appendChild(section);
        if (form) section.appendChild(form);
      });
      await letSend();
      await codeField().waitFor();
      expect(calls("/v1/send")).toHaveLength(1);
    });

    test("taken out while sending and put back later, it shows the field for the code", async () => {
      await holdSend();
      await changePage(() => {
        const form = document.querySelector("tollgate-form");
        form?.remove();
        Object.assign(window, { form });
      });
      await letSend();
      await page.waitForTimeout(300);
      await changePage(() => document.body.appendChild((window as unknown as { form: Node }).form));
      await codeField().waitFor();
      expect(calls("/v1/send")).toHaveLength(1);
    });

    test.each([
      ["lang", "es", "Introduce el código"],
      ["dir", "rtl", "Enter the code"],
      ["country", "FR", "Enter the code"],
      ["captcha-site-key", "1x00000000000000000000AA", "Enter the code"],
      ["theme", "dark", "Enter the code"],
    ])("with another %s while sending, it comes to the field for the code", async (name, value, heading) => {
      await holdSend();
      await page.evaluate(
        ([key = "", text = ""]) => document.querySelector("tollgate-form")?.setAttribute(key, text),
        [name, value],
      );
      await letSend();
      await seeHeading(heading);
      expect(calls("/v1/send")).toHaveLength(1);
    });

    test("with another flow while sending, the number stays, and the message's session is there when its flow is back", async () => {
      await holdSend();
      await setAttribute("flow", "payment");
      expect(await phoneField().inputValue()).toBe("98765 43210");
      await letSend();
      await page.waitForTimeout(300);
      expect(await codeField().isVisible()).toBe(false);
      await page.evaluate(() => document.querySelector("tollgate-form")?.removeAttribute("flow"));
      await codeField().waitFor();
      expect(calls("/v1/send")).toHaveLength(1);
    });

    test("moved or told another language at the code, it keeps the digits", async () => {
      await reachCode();
      await codeField().pressSequentially("936");
      await changePage(() => {
        const form = document.querySelector("tollgate-form");
        if (form) document.body.insertBefore(form, document.body.firstChild);
      });
      expect(await codeField().inputValue()).toBe("936");
      await setAttribute("lang", "fr");
      await seeHeading("Saisissez le code");
      expect(await codeField().inputValue()).toBe("936");
      await codeField().fill("936211");
      await seeHeading("Votre numéro est vérifié");
    });

    test("with another language, what is wrong with the number stays said, until another is typed", async () => {
      await open();
      script.send = [problem(429, "too_many_requests", { retry_after: 60 })];
      await askForCode();
      await seeRefusal("Too many codes were asked for.");
      await setAttribute("lang", "fr");
      await seeRefusal("Trop de codes ont été demandés.");
      await phoneField().pressSequentially("1");
      expect(await page.getByRole("alert").count()).toBe(0);
      await setAttribute("lang", "en");
      await seeHeading("Verify your phone number");
      expect(await page.getByRole("alert").count()).toBe(0);
    });

    test("with another language, what is wrong with the code stays said, and the wait goes on", async () => {
      await reachCode();
      script.verify = [wrong(4, 60), VERIFIED];
      await codeField().fill("111111");
      await seeRefusal("That is not the right code.");
      await setAttribute("lang", "fr");
      await seeRefusal("Ce n’est pas le bon code.");
      await codeField().fill("936211");
      await see("Vous pourrez réessayer dans");
      expect(calls("/v1/verify")).toHaveLength(1);
    });

    test("with another language while a send is refused, it says so in that language", async () => {
      await open();
      let free = () => {};
      const held = new Promise<void>((resolve) => {
        free = resolve;
      });
      await page.route("**/v1/send", async (route) => {
        await held;
        await route.fulfill(problem(429, "too_many_requests", { retry_after: 60 }));
      });
      await askForCode();
      await page.evaluate(() => document.querySelector("tollgate-form")?.setAttribute("lang", "fr"));
      free();
      await seeRefusal("Trop de codes ont été demandés.");
    });

    test("with another language while a code is checked, the proof is not lost", async () => {
      await reachCode();
      script.verify = ["hangs", VERIFIED];
      let free = () => {};
      const held = new Promise<void>((resolve) => {
        free = resolve;
      });
      await page.route("**/v1/verify", async (route) => {
        await held;
        await route.fulfill(VERIFIED);
      });
      await codeField().fill("936211");
      await setAttribute("lang", "fr");
      free();
      await seeHeading("Votre numéro est vérifié");
      const heard = await page.evaluate(() => (window as unknown as { heard: { name: string }[] }).heard);
      expect(heard.map(({ name }) => name)).toEqual(["sent", "verified"]);
    });
  });

  test("a second tab of the same page has a session of its own", async () => {
    await reachCode();
    const first = page;
    page = await newPage();
    await open();
    await askForCode();
    await codeField().waitFor();
    await codeField().fill("936211");
    await seeHeading("Your number is verified");
    page = first;
    expect(await codeField().isVisible()).toBe(true);
    script.verify = [problem(410, "session_gone")];
    await codeField().fill("936211");
    await seeRefusal("This code is no longer good. Ask for a new one.");
    expect(await phoneField().inputValue()).toBe("98765 43210");
  });

  test.each([
    ["de", "de"],
    ["de-AT", "de-AT"],
    ["pt_BR", "pt-BR"],
    ["hi", "hi"],
    ["", "en-IN"],
    ["not a language!", "en-IN"],
  ])("a page in %j asks for its message in %j", async (lang, locale) => {
    await open(`country="IN" lang="${lang}"`);
    await phoneField().fill("98765 43210");
    await page.keyboard.press("Enter");
    await codeField().waitFor();
    expect(calls("/v1/send")[0]?.body?.locale).toBe(locale);
  });

  test("shows the whole number, a way to change it, and that the code went out again", async () => {
    await reachCode();
    await see("We sent a code to +91 98765 43210.");
    await codeField().pressSequentially("936");
    await page.getByRole("button", { name: "Send again", exact: true }).click();
    await see("We sent the code to +91 98765 43210 again.");
    expect(await codeField().inputValue()).toBe("936");
    await page.getByRole("button", { name: "Change number" }).click();
    expect(await phoneField().inputValue()).toBe("98765 43210");
  });

  test("shows the calling code once", async () => {
    await open();
    const shown = () => page.locator("[part~=country-chip]").innerText();
    expect(await shown()).toContain("+91");
    await phoneField().fill("+919876543210");
    expect(await shown()).not.toContain("+91");
    expect(await phoneField().inputValue()).toBe("+91 98765 43210");
  });

  test.each([
    ["en", "united k", "GB"],
    ["en", "UK", "GB"],
    ["en", "usa", "US"],
    ["en", "uae", "AE"],
    ["en", "+44", "GB"],
    ["en", "44", "GB"],
    ["en", "1", "US"],
    ["en", "cote", "CI"],
    ["en", "ger", "DE"],
    ["en", "korea", "KP"],
    ["en", "south korea", "KR"],
    ["ar", "الهند", "IN"],
    ["ar", "united k", "GB"],
    ["hi", "भारत", "IN"],
    ["hi", "+९१", "IN"],
    ["es", "alemania", "DE"],
    ["fr", "etats-unis", "US"],
  ])("in %s a search for %j chooses %s, and Enter goes on to the number", async (lang, query, country) => {
    await open(`country="BR" lang="${lang}"`);
    await page.locator("[part=country-search] button").click();
    await page.keyboard.insertText(query);
    expect(await page.locator("[part=country]").inputValue()).toBe(country);
    await page.keyboard.press("Enter");
    expect(calls("/v1/send")).toEqual([]);
    await page.keyboard.type("12");
    expect(await phoneField().inputValue()).toMatch(/1.*2/);
  });

  test("a search that finds nothing says so and changes nothing", async () => {
    await open('country="BR"');
    await page.getByRole("button", { name: "Search countries" }).click();
    await page.keyboard.insertText("atlantis");
    expect(await page.getByLabel("Search countries").getAttribute("aria-invalid")).toBe("true");
    expect(await page.locator("[part=country]").inputValue()).toBe("BR");
    await page.keyboard.press("Escape");
    expect(await page.getByRole("button", { name: "Search countries" }).isVisible()).toBe(true);
  });

  /** What a keyboard's clipboard button does. */
  async function paste(text: string): Promise<void> {
    await codeField().evaluate((input: HTMLInputElement, pasted) => {
      const clipboardData = new DataTransfer();
      clipboardData.setData("text/plain", pasted);
      const event = new ClipboardEvent("paste", { clipboardData, bubbles: true, cancelable: true });
      if (input.dispatchEvent(event)) document.execCommand("insertText", false, pasted);
    }, text);
  }

  async function wakeAfter(ms: number): Promise<void> {
    await page.evaluate((slept) => {
      const sleeper = window as { sleptMs?: number };
      sleeper.sleptMs = (sleeper.sleptMs ?? 0) + slept;
      document.dispatchEvent(new Event("visibilitychange"));
    }, ms);
  }

  let letSend: () => Promise<void>;

  /** Asks for a code whose answer is on its way until `letSend`. */
  async function holdSend(): Promise<void> {
    await open();
    let free = () => {};
    const held = new Promise<void>((resolve) => {
      free = resolve;
    });
    await page.route("**/v1/send", async (route) => {
      note(route.request());
      await held;
      await route.fulfill(sent());
    });
    letSend = async () => free();
    await askForCode();
    await expect.poll(() => calls("/v1/send").length).toBe(1);
  }

  const changePage = (change: () => void) => page.evaluate(change);

  const setAttribute = (name: string, value: string) =>
    page.evaluate(
      ([key = "", text = ""]) => document.querySelector("tollgate-form")?.setAttribute(key, text),
      [name, value],
    );
});
