import { Hono } from "hono";
import type { Policy } from "../../src/domain/policy.ts";
import bench from "./dev-page/bench.js";
import dom from "./dev-page/dom.js";
import inbox from "./dev-page/inbox.js";
import html from "./dev-page/index.html";
import css from "./dev-page/page.css";
import page from "./dev-page/page.js";
import proof from "./dev-page/proof.js";
import proofPanel from "./dev-page/proof-panel.js";
import type { DevSettings } from "./dev-page/settings.ts";

const SCRIPTS = {
  "page.js": page,
  "bench.js": bench,
  "dom.js": dom,
  "inbox.js": inbox,
  "proof.js": proof,
  "proof-panel.js": proofPanel,
};

const CONTENT_SECURITY_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "connect-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join("; ");

/**
 * Serves a page at `/` that shows the form element at work, with the sandbox's inbox and the proof beside it. Its scripts
 * run in the browser as they are written; the element's bundle comes from the service's `/element.js`.
 */
export function devPage({ flows, challenge, captcha }: Pick<Policy, "flows" | "challenge" | "captcha">) {
  const app = new Hono<{ Bindings: { SANDBOX_URL?: string } }>();
  const serve = (path: string, type: string, text: string) =>
    app.get(path, (c) =>
      c.body(text, 200, {
        "content-type": `${type}; charset=utf-8`,
        "content-security-policy": CONTENT_SECURITY_POLICY,
        "cache-control": "no-store",
      }),
    );

  serve("/", "text/html", html);
  serve("/dev/page.css", "text/css", css);
  for (const [name, text] of Object.entries(SCRIPTS)) serve(`/dev/${name}`, "text/javascript", text);
  app.get("/dev/settings.json", (c) => {
    const settings: DevSettings = {
      flows: Object.keys(flows),
      captcha_site_key: challenge === "always" ? captcha.site_key : null,
      inbox_url: c.env?.SANDBOX_URL ?? null,
    };
    return c.json(settings, 200, { "cache-control": "no-store" });
  });
  app.get("/dev/messages.json", async (c) => {
    // Fetched here because the inbox is another origin, which the page's policy keeps it from.
    const inboxUrl = c.env?.SANDBOX_URL;
    if (inboxUrl === undefined) return c.json([], 404);
    const messages = await fetch(new URL("/messages", inboxUrl));
    return c.body(await messages.text(), messages.ok ? 200 : 502, {
      "content-type": "application/json",
      "cache-control": "no-store",
    });
  });
  return app;
}
