import { type Context, Hono } from "hono";
import { accepts } from "hono/accepts";
import { PROBLEM_CODES } from "./contract.ts";
import { apiPage, problemDocPage, problemGuideJson, problemsPage } from "./docs/pages.ts";

const STRICT = [
  "default-src 'none'",
  "style-src 'self'",
  "img-src data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/** RapiDoc writes its styles into its own shadow tree, and calls the API when one tries it out. */
const RAPIDOC = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "connect-src 'self'",
  "img-src 'self' data:",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join("; ");

/**
 * `/docs`, the API document for people, and `/problems`, an explanation of each problem at the address its `type` names;
 * as JSON for whoever asks for that. The same in every environment: there is nothing in it that is not public.
 */
export function docsPages() {
  const app = new Hono();
  app.get("/docs", (c) => c.html(apiPage, 200, headers(RAPIDOC)));
  app.get("/problems", (c) =>
    wantsJson(c)
      ? c.json({ problems: PROBLEM_CODES.map(problemGuideJson) }, 200, headers(STRICT))
      : c.html(problemsPage(), 200, headers(STRICT)),
  );
  // One route each, so that any other code is an unknown address like any other.
  for (const code of PROBLEM_CODES) {
    app.get(`/problems/${code}`, (c) =>
      wantsJson(c)
        ? c.json(problemGuideJson(code), 200, headers(STRICT))
        : c.html(problemDocPage(code), 200, headers(STRICT)),
    );
  }
  return app;
}

const headers = (policy: string) => ({
  "content-security-policy": policy,
  "cache-control": "public, max-age=300",
  vary: "Accept",
});

function wantsJson(c: Context): boolean {
  const supports = ["text/html", "application/json", "application/problem+json"];
  return accepts(c, { header: "Accept", supports, default: "text/html" }) !== "text/html";
}
