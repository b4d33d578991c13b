import { spawn } from "node:child_process";
import { rmSync, statSync } from "node:fs";
import { Hono } from "hono";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type LocalServer, serveLocally } from "../../../scripts/dev/serve.ts";
import { ROOT } from "../../../scripts/lib/command.ts";
import { bars, plain, table } from "../../../scripts/ops/format.ts";
import { leaveOperatorToken, localOperatorFile } from "../../../scripts/ops/local.ts";
import { readTarget, readThrottle } from "../../../scripts/ops/options.ts";
import { adminApi } from "../../../src/http/admin.ts";
import {
  depsOver,
  document,
  incident,
  makeWorld,
  memory,
  NOW,
  type World,
} from "../../support/support-operate.ts";

let world: World;
let server: LocalServer;

beforeAll(async () => {
  const root = new Hono();
  root.all("/admin/v1/*", (c) => new Hono().route("/admin/v1", adminApi(depsOver(world))).fetch(c.req.raw));
  server = await serveLocally(root.fetch);
});

afterAll(() => server.close());

/** Runs the command as a person would, against the API over a world in memory. */
function ops(words: string[], variables: Record<string, string> = {}) {
  return new Promise<{ code: number | null; out: string; error: string }>((resolve) => {
    const child = spawn(process.execPath, [`${ROOT}scripts/ops.ts`, ...words], {
      env: { PATH: process.env.PATH, LANG: "C", TZ: "UTC", TOLLGATE_ADMIN_TOKEN: "ada", ...variables },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let [out, error] = ["", ""];
    child.stdout.on("data", (chunk) => {
      out += chunk;
    });
    child.stderr.on("data", (chunk) => {
      error += chunk;
    });
    child.once("close", (code) => resolve({ code, out, error }));
  });
}

const here = () => ["--url", server.url];
const busy = () =>
  makeWorld({
    nowMs: NOW,
    cron: document(),
    memory: memory({ incident: incident() }),
    minutes: [
      {
        minute: NOW / 60_000 - 10,
        tally: new Map([
          ["overall all", { sent: 40, verified: 2 }],
          ["country NG", { sent: 40, verified: 2 }],
        ]),
      },
    ],
  });

test("status tells it in lines, in the policy's currency, without colours in a pipe", async () => {
  world = busy();
  const { code, out } = await ops([...here(), "status"]);
  expect(code).toBe(0);
  expect(out).toContain("emergency, raised by the watch");
  expect(out).toContain("40 sent, 2 verified, 5%");
  expect(out).toContain("€1.50 of €20.00");
  expect(out).toContain("Nobody of 14 answered in +2348012");
  expect(out).not.toContain("\u001b");
});

test("--json is the API's answer", async () => {
  world = busy();
  const { out } = await ops([...here(), "status", "--json"]);
  expect(JSON.parse(out)).toMatchObject({ posture: { posture: "emergency" }, currency: "EUR" });
});

test("a posture is set, replaced and cleared, and the actions tell who and why", async () => {
  world = busy();
  const set = await ops([...here(), "posture", "set", "shutdown", "--for", "2h", "--why", "stop it now"]);
  expect([set.code, set.out.includes("held at shutdown for 2 h")]).toEqual([0, true]);
  expect(world.operator).toMatchObject({ posture: "shutdown", until_ms: NOW + 7_200_000, who: "ada" });
  const cleared = await ops([...here(), "posture", "clear", "--why", "it is over"]);
  expect(cleared.code).toBe(0);
  expect(world.cron).toBeNull();
  expect(world.operator).toMatchObject({ posture: "normal", holds_posture: false });
  const { out } = await ops([...here(), "actions"]);
  expect(out).toMatch(/ada\s+posture cleared.*it is over\n.*ada\s+posture set.*stop it now/);
});

test("throttle, block, unblock and replay reach their routes", async () => {
  world = { ...busy(), letters: [{ id: "l-1", atMs: NOW, queue: "alerts", cause: "x", body: "{}" }] };
  const why = ["--why", "for the test"];
  expect((await ops([...here(), "throttle", "25", ...why])).code).toBe(0);
  expect(world.operator?.max_per_minute).toBe(25);
  expect((await ops([...here(), "throttle", "off", ...why])).code).toBe(0);
  expect(world.operator?.max_per_minute).toBeUndefined();
  expect((await ops([...here(), "block", "as64500", "--for", "24h", ...why])).code).toBe(0);
  expect((await ops([...here(), "blocks"])).out).toMatch(/AS64500\s+shut\s.*ada/);
  expect((await ops([...here(), "unblock", "AS64500", ...why])).code).toBe(0);
  expect(world.operatorBlocks).toEqual([]);
  expect((await ops([...here(), "replay", "l-1", ...why])).code).toBe(0);
  expect(world.queued).toHaveLength(1);
});

test("a network is challenged, listed as such, and the challenge alone ended", async () => {
  world = busy();
  const why = ["--why", "for the test"];
  const made = await ops([...here(), "block", "as64500", "--challenge", "--for", "2h", ...why]);
  expect(made.out).toContain("AS64500 asks strangers for a fresh challenge for 2 h.");
  expect((await ops([...here(), "blocks"])).out).toMatch(/AS64500\s+challenged\s.*ada/);
  expect((await ops([...here(), "status"])).out).toContain("0 by people, 1 challenged, 0 exempt");
  expect((await ops([...here(), "unblock", "AS64500", "--challenge", ...why])).code).toBe(0);
  expect(world.operatorBlocks).toEqual([]);
});

test("ranges, incidents and metrics are shown", async () => {
  world = busy();
  expect((await ops([...here(), "ranges", "--minutes", "15"])).out).toMatch(/NG\s+40\s+2\s+5%/);
  expect((await ops([...here(), "rules"])).out).toMatch(/country_mismatch +every flow +0/);
  expect((await ops([...here(), "incidents"])).out).toMatch(/inc-1.*open.*€4\.00\s+€3\.90/);
  expect((await ops([...here(), "incidents", "inc-1"])).out).toContain(
    "€3.90 of it on messages nobody answered",
  );
  expect((await ops([...here(), "metrics"])).out).toMatch(/# EOF\n$/);
});

test("watch prints plain lines where there is no terminal, and ends by itself", async () => {
  world = busy();
  const { code, out } = await ops([...here(), "watch", "--for", "3s"]);
  expect(code).toBe(0);
  const lines = out.trim().split("\n");
  expect(lines.length).toBeGreaterThanOrEqual(2);
  expect(lines[0]).toMatch(/emergency.*\| sent 40 \| ratio 5% .*findings conversion_collapse/);
});

test.each([
  [[]],
  [["nonsense"]],
  [["status", "now"]],
  [["status", "--why", "x"]],
  [["status", "--wat"]],
  [["posture", "set", "shutdown"]],
  [["posture", "set", "shutdown", "--why", "x"]],
  [["posture", "set", "shutdown", "--why", "stop it", "--for", "59s"]],
  [["throttle", "0%", "--why", "stop it"]],
  [["throttle", "101%", "--why", "stop it"]],
  [["ranges", "--minutes", "15", "--hours", "1"]],
  [["rules", "--span", "year"]],
  [["status", "--env", "staging"]],
])("%j is a mistake of usage: exit code 2, told without a stack", async (words) => {
  world = makeWorld();
  const { code, error, out } = await ops([...here(), ...words]);
  expect([code, out]).toEqual([2, ""]);
  expect(error).not.toMatch(/\n\s+at /);
  expect(world.actions).toEqual([]);
});

test("lift-number lifts the number that it is given, and says what it found", async () => {
  world = makeWorld({ refusedNumbers: new Set(["number +919876543210", "number +919876543211"]) });
  const why = ["--why", "opted in again"];
  const first = await ops([...here(), "lift-number", "+91 98765 43210", ...why]);
  expect([first.code, first.out]).toEqual([0, expect.stringContaining("goes to a provider again")]);
  expect([...world.refusedNumbers]).toEqual(["number +919876543211"]);
  const again = await ops([...here(), "lift-number", "+919876543210", "--json", ...why]);
  expect(JSON.parse(again.out)).toMatchObject({
    recorded: true,
    notes: [expect.stringContaining("Nothing was kept")],
  });
  expect(world.actions.map(({ what }) => what)).toEqual(["number lifted", "number lifted"]);
  expect(JSON.stringify([world.actions, world.logged])).not.toContain("9876543210");
});

test.each([
  [["lift-number", "+919876543210"], "--why"],
  [["lift-number", "98765", "--why", "opted in again"], "number with its country code"],
  [["lift-number", "-", "--why", "opted in again"], "number with its country code"],
])("%j is a wrong use that says what is missing", async (words, said) => {
  world = makeWorld();
  const { code, error } = await ops([...here(), ...words]);
  expect([code, error]).toEqual([2, expect.stringContaining(said)]);
  expect(world.actions).toEqual([]);
});

test("what fails at the service is exit code 1, in its words", async () => {
  world = makeWorld();
  const viewer = await ops([...here(), "posture", "clear", "--why", "for me"], {
    TOLLGATE_ADMIN_TOKEN: "eve",
  });
  expect([viewer.code, viewer.error]).toEqual([1, expect.stringContaining("Viewers may look and not act")]);
  const stranger = await ops([...here(), "status"], { TOLLGATE_ADMIN_TOKEN: "mallory" });
  expect([stranger.code, stranger.error]).toEqual([1, expect.stringContaining("ADMIN_TOKENS")]);
  expect(stranger.error).not.toContain("mallory");
  const missing = await ops([...here(), "unblock", "+4917", "--why", "for me"]);
  expect([missing.code, missing.error]).toEqual([
    1,
    expect.stringContaining("It is neither blocked nor challenged."),
  ]);
});

test("a service that does not answer points at the way that works without it", async () => {
  const { code, error } = await ops(["--url", "http://127.0.0.1:9", "status"]);
  expect([code, error]).toEqual([1, expect.stringContaining("npm run posture")]);
});

test("a token does not travel in the clear", async () => {
  const { code, error } = await ops(["--url", "http://service.example", "status"]);
  expect([code, error]).toEqual([1, expect.stringContaining("not https")]);
});

test("a new token is alone on standard output, and its entry beside it", async () => {
  const { code, out, error } = await ops(["token", "create", "night-shift", "--role", "viewer"]);
  expect(code).toBe(0);
  expect(out).toMatch(/^tgo_[\w-]{43}\n$/);
  expect(error).toMatch(/night-shift:viewer:[0-9a-f]{64}/);
  expect(error).not.toContain(out.trim());
});

test("every command says more about itself", async () => {
  const all = await ops(["--help"]);
  expect([all.code, all.out]).toEqual([0, expect.stringContaining("npm run posture")]);
  expect((await ops(["block", "--help"])).out).toContain("default 24h");
});

test("the local token is for this user alone", () => {
  leaveOperatorToken(1, "http://127.0.0.1:1", "tgo_x");
  const { mode } = statSync(localOperatorFile(1));
  rmSync(localOperatorFile(1));
  expect(mode & 0o777).toBe(0o600);
});

test.each([
  ["+23480", { range: "+23480" }],
  ["as64500", { network: "AS64500" }],
  ["2001:db8::1", { ip: "2001:db8::1" }],
])("%s is told apart by its looks", (text, target) => {
  expect(readTarget(text)).toEqual(target);
});

test("a throttle is a percentage or a number a minute", () => {
  expect(readThrottle("10%")).toEqual({ percent: 10 });
  expect(readThrottle("25")).toEqual({ max_per_minute: 25 });
  for (const text of ["0", "0%", "1.5%", "-1", "ten"])
    expect(() => readThrottle(text)).toThrow("no throttle");
});

test("columns are as wide as their content, and numbers stand on the right", () => {
  expect(
    table([{ title: "a" }, { title: "sent", right: true }, { title: "why" }], [["NG", "1,200", "x"]]),
  ).toEqual(["a    sent  why", "NG  1,200  x"]);
});

test("bars rise with what they stand for", () => {
  expect(bars([0, 1, 2])).toBe("▁▅█");
  expect(bars([0, 0])).toBe("▁▁");
});

test("text from outside cannot steer the terminal", () => {
  expect(plain("a\u001b[2Jb\r\n")).toBe("a�[2Jb��");
});
