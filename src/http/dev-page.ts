import { Hono } from "hono";
import type { Policy } from "../domain/policy.ts";
import api from "./dev-page/api.js";
import bench from "./dev-page/bench.js";
import clock from "./dev-page/clock.js";
import codeStep from "./dev-page/code-step.js";
import dom from "./dev-page/dom.js";
import html from "./dev-page/index.html";
import notice from "./dev-page/notice.js";
import numberStep from "./dev-page/number-step.js";
import css from "./dev-page/page.css";
import page from "./dev-page/page.js";
import proof from "./dev-page/proof.js";
import regions from "./dev-page/regions.js";
import type { DevSettings } from "./dev-page/settings.ts";
import verifiedStep from "./dev-page/verified-step.js";
import words from "./dev-page/words.js";

const SCRIPTS = {
  "page.js": page,
  "api.js": api,
  "bench.js": bench,
  "clock.js": clock,
  "code-step.js": codeStep,
  "dom.js": dom,
  "notice.js": notice,
  "number-step.js": numberStep,
  "proof.js": proof,
  "regions.js": regions,
  "verified-step.js": verifiedStep,
  "words.js": words,
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
 * A page at `/` on which a person goes the whole way, from the number to the proof. For development only: whoever
 * mounts it decides that. Its scripts run in the browser as they are written, without a build.
 */
export function devPage({ flows }: Policy) {
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
    const settings: DevSettings = { flows: Object.keys(flows), inbox_url: c.env?.SANDBOX_URL ?? null };
    return c.json(settings, 200, { "cache-control": "no-store" });
  });
  return app;
}
