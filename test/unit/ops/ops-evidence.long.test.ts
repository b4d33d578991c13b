import { spawn } from "node:child_process";
import { createReadStream, existsSync, mkdtempSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Hono } from "hono";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { type LocalServer, serveLocally } from "../../../scripts/dev/serve.ts";
import { ROOT } from "../../../scripts/lib/command.ts";

const FROM = Date.UTC(2026, 10, 20, 22);
const PAGE = 1000;

/** As \`npm run ops\` starts it: its heap is bounded there, because the collector else waits until the machine is full. */
const [, ...NODE_ARGS] = JSON.parse(readFileSync(`${ROOT}package.json`, "utf8")).scripts.ops.split(" ");

/** A stand-in for the operators' API with as many messages as a test wants. */
const api = { messages: 0, failPages: 0, asked: [] as { path: string; body: unknown }[], peakKb: 0 };
let server: LocalServer;
let folder: string;
let child = 0;

/** The most memory the command took so far, as Linux counts it; 0 elsewhere. */
function peakKb(): number {
  const file = `/proc/${child}/status`;
  if (child === 0 || !existsSync(file)) return 0;
  return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(file, "utf8"))?.[1] ?? 0);
}

/** Every message from an address of its own, ten to a range: the most that a report has to tell apart. */
function message(i: number) {
  return {
    id: `sent.s-${i}.0`,
    at: new Date(FROM + i * 20).toISOString(),
    correlation_id: `00000000-0000-4000-8000-${String(i).padStart(12, "0")}`,
    flow: "login",
    channel: "sms",
    country: "IN",
    range: `+91${String(9_000_000 + Math.floor(i / 10))}`,
    ip: `10.${(i >> 16) & 255}.${(i >> 8) & 255}.${i & 255}`,
    asn: 64_500 + (i % 300),
    provider: i % 3 === 0 ? "twilio" : "vonage_sms",
    message_id: i === 1 ? `=HYPERLINK("http://evil")` : `SM${i}`,
    message_micros: 30_000,
    dlt_micros: 2_500,
    delivered: i % 2 === 0,
    verified: i % 1000 === 0,
    number: i % 5 === 0 ? null : `+9190000${String(i).padStart(5, "0").slice(-5)}`,
  };
}

beforeAll(async () => {
  const app = new Hono();
  app.use(async (c, next) => {
    api.asked.push({ path: c.req.path, body: await c.req.json().catch(() => c.req.query()) });
    return next();
  });
  app.get("/admin/v1/report-facts", (c) =>
    c.json({
      environment: "production",
      brand: "Example",
      currency: "USD",
      usual: {
        from: new Date(FROM - 1000).toISOString(),
        to: new Date(FROM).toISOString(),
        sent: 100,
        verified: 80,
      },
      refused: [{ code: "too_many_requests", count: 12_345 }],
      incidents: [],
      done: [
        { at: new Date(FROM).toISOString(), by: "cron", what: "posture normal -> emergency", why: null },
      ],
      faults: [],
    }),
  );
  app.post("/admin/v1/events/export", async (c) => {
    if (api.failPages > 0) {
      api.failPages -= 1;
      return c.json({ title: "A part of the service does not answer", code: "unavailable" }, 503);
    }
    const { cursor } = (await c.req.json()) as { cursor?: string };
    const at = Number(cursor ?? 0);
    const to = Math.min(api.messages, at + PAGE);
    return c.json({
      messages: Array.from({ length: to - at }, (_, i) => message(at + i)),
      cursor: to < api.messages ? String(to) : null,
    });
  });
  app.post("/admin/v1/erase", (c) =>
    c.json({
      recorded: true,
      notes: ["A second look finds nothing of this number."],
      removed: { sessions: 1 },
      remaining: {},
      out_of_reach: ["backups"],
    }),
  );
  app.post("/admin/v1/person", (c) =>
    c.json({ recorded: true, notes: [], ledger: [], held: [], sessions: 0, out_of_reach: [] }),
  );
  app.get("/admin/v1/volumes", (c) =>
    c.json({
      by: c.req.query("by") ?? "country",
      currency: "USD",
      rows: [
        {
          subject: "twilio",
          sent: 1200,
          verified: 900,
          ratio: 0.75,
          delivered: 1100,
          undelivered: 20,
          message_micros: 36_000_000,
          dlt_micros: 3_000_000,
          refused_sampled: 3,
          first_at: new Date(FROM).toISOString(),
          last_at: new Date(FROM).toISOString(),
        },
      ],
    }),
  );
  server = await serveLocally(app.fetch);
  folder = mkdtempSync(join(tmpdir(), "tollgate-report-"));
});

afterEach(() => Object.assign(api, { messages: 0, failPages: 0, asked: [], peakKb: 0 }));

afterAll(async () => {
  await server.close();
  rmSync(folder, { recursive: true });
});

function ops(words: string[], input = "") {
  return new Promise<{ code: number | null; out: string; error: string }>((resolve) => {
    const process_ = spawn(process.execPath, [...NODE_ARGS, "--url", server.url, ...words], {
      cwd: ROOT,
      env: { PATH: process.env.PATH, LANG: "C", TZ: "UTC", TOLLGATE_ADMIN_TOKEN: "ada" },
      stdio: ["pipe", "pipe", "pipe"],
    });
    child = process_.pid ?? 0;
    process_.stdin.end(input);
    let [out, error] = ["", ""];
    process_.stdout.on("data", (chunk) => {
      out += chunk;
    });
    process_.stderr.on("data", (chunk) => {
      error += chunk;
    });
    const looks = setInterval(() => {
      api.peakKb = Math.max(api.peakKb, peakKb());
    }, 50);
    process_.once("close", (code) => {
      clearInterval(looks);
      resolve({ code, out, error });
    });
  });
}

const report = (out: string, ...more: string[]) =>
  ops([
    "incident",
    "report",
    "--from",
    "2026-11-20T22:00Z",
    "--to",
    "2026-11-21T01:00Z",
    "--out",
    out,
    ...more,
  ]);
const read = (out: string, name: string) => readFileSync(join(out, name), "utf8");

test("400,000 messages become a report in bounded memory and under a minute, with progress", async () => {
  api.messages = 400_000;
  const out = join(folder, "large");
  const startMs = Date.now();
  const { code, error } = await report(out);
  const tookMs = Date.now() - startMs;
  expect([code, error.includes("of the window")]).toEqual([0, true]);
  expect(tookMs).toBeLessThan(60_000);
  if (process.platform === "linux") {
    expect(api.peakKb).toBeGreaterThan(0);
    expect(api.peakKb).toBeLessThan(256 * 1024);
  }
  let lines = 0;
  for await (const _ of createInterface({ input: createReadStream(join(out, "messages.csv")) })) lines++;
  expect(lines).toBe(400_001);
  const summary = JSON.parse(read(out, "summary.json"));
  expect(summary.total).toMatchObject({
    sent: 400_000,
    verified: 400,
    message_micros: 12_000_000_000,
    dlt_micros: 1_000_000_000,
  });
  expect(summary.incident.start).toBe("2026-11-20T22:00:00Z");
  console.log(
    `400,000 messages: ${Math.round(tookMs / 100) / 10} s, ${Math.round(api.peakKb / 1024)} MB at most`,
  );
}, 120_000);

test("all files are written, for their owner alone, and formulas in them are text", async () => {
  api.messages = 1500;
  const out = join(folder, "small");
  const { code, out: said } = await report(out, "--country", "IN", "--why", "claim 7");
  expect(code).toBe(0);
  expect(said).toContain("1,500 messages, 2 answered");
  for (const name of ["report.html", "dispute.md", "summary.json", "messages.csv", "ranges.csv", "ips.csv"]) {
    expect(statSync(join(out, name)).mode & 0o777).toBe(0o600);
  }
  expect(existsSync(join(out, "messages.csv.part"))).toBe(false);
  const messages = read(out, "messages.csv");
  expect(messages).toContain(`"'=HYPERLINK(""http://evil"")"`);
  expect(messages).toContain(`"'+919000000001"`);
  expect(messages).not.toMatch(/(^|,)"?[=+@-]/m);
  expect(read(out, "ranges.csv")).toContain(`"'+919000001",IN,10,0,0,`);
  expect(read(out, "dispute.md")).toContain("tag this traffic as AIT");
  const bodies = api.asked.filter(({ path }) => path.endsWith("/export")).map(({ body }) => body);
  expect(bodies).toMatchObject([{ why: "claim 7", country: "IN" }, { cursor: "1000" }]);
});

test("a page that fails for the moment is asked for again", async () => {
  api.messages = 10;
  api.failPages = 1;
  const { code, error } = await report(join(folder, "shaky"));
  expect([code, error]).toEqual([0, expect.stringContaining("Asking again")]);
});

test("an empty window is a report too", async () => {
  const out = join(folder, "empty");
  expect((await report(out)).code).toBe(0);
  expect(read(out, "dispute.md")).toContain("nothing to ask back");
});

test.each([
  [["incident", "report", "--from", "yesterday", "--to", "2026-11-21T01:00Z", "--out", "x"]],
  [["incident", "report", "--from", "2026-11-21T01:00Z", "--to", "2026-11-20T01:00Z", "--out", "x"]],
  [["incident", "report", "--from", "2026-11-20T22:00Z", "--to", "2026-11-21T01:00Z"]],
  [
    [
      "incident",
      "report",
      "--from",
      "2026-11-20T22:00Z",
      "--to",
      "2026-11-21T01:00Z",
      "--out",
      "x",
      "--country",
      "india",
    ],
  ],
  [["volumes", "--by", "colour"]],
  [["volumes", "--since", "forever"]],
  [["erase", "98765", "--why", "asked to"]],
  [["erase", "+919876543210"]],
  [["export-person", "+919876543210"]],
  [["keys", "rotate", "salt", "--why", "scheduled"]],
])("%j is a mistake of usage, and nothing is asked", async (words) => {
  const { code, error } = await ops(words);
  expect([code, api.asked]).toEqual([2, []]);
  expect(error.replace("like +919876543210", "")).not.toContain("98765");
});

test("a number to erase goes in a body, from standard input where one wants, and never in a URL", async () => {
  const { code, out } = await ops(["erase", "-", "--why", "asked to"], "+919876543210\n");
  expect([code, out]).toEqual([0, expect.stringContaining("A second look finds nothing")]);
  expect(out).not.toContain("9876543210");
  expect(api.asked).toEqual([
    { path: "/admin/v1/erase", body: { number: "+919876543210", why: "asked to" } },
  ]);
});

test("what is held of a person is JSON", async () => {
  const { out } = await ops(["export-person", "+91 98765 43210", "--why", "asked to"]);
  expect(JSON.parse(out)).toMatchObject({ ledger: [], held: [] });
});

test("volumes are a table, or JSON, of the time that was asked for", async () => {
  const { out } = await ops(["volumes", "--by", "provider", "--since", "7d"]);
  expect(out).toMatch(/twilio\s+1,200\s+900\s+75%/);
  const [{ body } = { body: {} }] = api.asked;
  const { from, to } = body as { from: string; to: string };
  expect(Date.parse(to) - Date.parse(from)).toBe(7 * 86_400_000);
  const json = await ops(["volumes", "--by", "provider", "--json"]);
  expect(JSON.parse(json.out).rows[0]).toMatchObject({ subject: "twilio", dlt_micros: 3_000_000 });
});

test("keys are rotated in an environment of wrangler.toml and nowhere else", async () => {
  const { code, error } = await ops(["keys", "rotate", "session", "--why", "scheduled"]);
  expect([code, error]).toEqual([1, expect.stringContaining("no environment")]);
});
