import { afterAll, beforeAll, expect, test } from "vitest";
import { type RunningService, startService } from "./service.ts";

const SCRIPT = /^text\/javascript; charset=utf-8$/;

/** Every file beside the Worker, with its type and for how long it may be kept. */
const FILES = [
  ["/element.js", SCRIPT, "public, max-age=300"],
  ["/docs/rapidoc.js", SCRIPT, "public, max-age=86400"],
  ["/docs/page.js", SCRIPT, "public, max-age=86400"],
  ["/docs/page.css", /^text\/css; charset=utf-8$/, "public, max-age=86400"],
  ["/ops/assets/ops.css", /^text\/css; charset=utf-8$/, "no-cache"],
  ["/ops/assets/page.js", SCRIPT, "no-cache"],
  ["/ops/assets/plot.js", SCRIPT, "no-cache"],
  ["/ops/assets/uplot.js", SCRIPT, "no-cache"],
  ["/ops/assets/icon.svg", /^image\/svg\+xml$/, "no-cache"],
] as const;

let service: RunningService;
beforeAll(async () => {
  service = await startService({});
}, 120_000);
afterAll(() => service?.stop(), 30_000);

test.each(FILES)(
  "%s is served by the platform, with its type and no guessing at it",
  async (path, type, kept) => {
    const file = await fetch(`${service.url}${path}`);
    expect([file.status, (await file.text()).length > 0]).toEqual([200, true]);
    expect(file.headers.get("content-type")).toMatch(type);
    expect(file.headers.get("cache-control")).toBe(kept);
    expect(file.headers.get("x-content-type-options")).toBe("nosniff");
    expect(file.headers.get("access-control-allow-origin")).toBe(path === "/element.js" ? "*" : null);
  },
);

test("a page names no file that is not there", async () => {
  const paths = new Set(FILES.map(([path]) => path as string));
  for (const page of ["/docs", "/problems", "/problems/session_gone", "/ops"]) {
    const html = await (await fetch(`${service.url}${page}`)).text();
    const named = [...html.matchAll(/(?:src|href)="([^"]+\.(?:js|css|svg))"/g)].map(([, path]) => path ?? "");
    expect([page, named.length > 0, named.filter((path) => !paths.has(path))]).toEqual([page, true, []]);
  }
});

test("the file that says so is not served, and what is no file is the Worker's to answer", async () => {
  const headers = await fetch(`${service.url}/_headers`);
  expect([headers.status, headers.headers.get("content-type")]).toEqual([404, "application/problem+json"]);
  const health = await fetch(`${service.url}/healthz`);
  expect(await health.json()).toMatchObject({ status: "ok" });
});
