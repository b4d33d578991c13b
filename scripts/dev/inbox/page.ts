import { readFileSync } from "node:fs";
import type { Hono } from "hono";

const TYPES = { html: "text/html", css: "text/css", js: "text/javascript" };
const FILES = [
  "index.html",
  "page.css",
  "cards.css",
  "page.js",
  "faults.js",
  "messages.js",
  "alerts.js",
  "slack.js",
] as const;

/** Serves the inbox page; nothing but its own files may run in it. */
export function servePage(app: Hono): void {
  for (const name of FILES) {
    const type = TYPES[name.slice(name.lastIndexOf(".") + 1) as keyof typeof TYPES];
    app.get(name === "index.html" ? "/" : `/${name}`, (c) =>
      c.body(readFileSync(new URL(`../inbox-page/${name}`, import.meta.url), "utf8"), 200, {
        "content-type": `${type}; charset=utf-8`,
        "content-security-policy":
          "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; " +
          "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
        "x-content-type-options": "nosniff",
        "cache-control": "no-store",
      }),
    );
  }
}
