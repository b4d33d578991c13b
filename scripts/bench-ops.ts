/** Measures the dashboard's views on an empty service, on a busy day, and with every counter at its bound. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { chromium } from "playwright-core";
import { openUpstash } from "../src/adapters/upstash/upstash-client.ts";
import { upstashCounters } from "../src/adapters/upstash/upstash-counters.ts";
import { upstashMonitorState } from "../src/adapters/upstash/upstash-monitor-state.ts";
import {
  DAY_QUARTERS,
  foldQuarter,
  type History,
  QUARTER_MINUTES,
  type QuarterPoint,
  quarterOfMinute,
  updateDay,
} from "../src/domain/monitor/history.ts";
import { initialMonitorMemory } from "../src/domain/monitor/monitor-memory.ts";
import { type CounterEntry, sumTallies } from "../src/domain/monitor/tally.ts";
import { fillMinutes } from "./bench/fill.ts";
import { dayTraffic, fullTraffic } from "./bench/traffic.ts";
import { type Everything, startEverything } from "./dev/everything.ts";
import { freePorts } from "./dev/serve.ts";
import { CommandError, runCommand } from "./lib/command.ts";
import { policyOf, readSettings } from "./lib/settings.ts";

const HELP = `Times the dashboard's views on a service of its own: with nothing counted, with a day of a million messages to 5,000
prefixes, and with every counter as full as it can be.

  node scripts/bench-ops.ts [--views 100]

  --views N   of each page, 10 to 1000; default 100
  --help

  CHROMIUM_PATH   the browser that measures the first paint, default /usr/bin/chromium; without one that part is left out

Processor time is workerd's, its stand-in for the platform's front door included, less what a request for an icon takes.
It is read from /proc and left out where there is none.
`;

const PAGES = [
  "",
  "/switch",
  "/destinations",
  "/destinations?by=prefix&span=day",
  "/sources",
  "/providers",
  "/incidents",
];
const PER_MINUTE = Math.round(1_000_000 / 1440);
const PREFIXES = 5000;
const FIRST_VIEWS = 10;
const PAINTS = 15;
/** Of Linux, whatever the machine: the kernel's USER_HZ. */
const TICK_MS = 10;

await runCommand(async () => {
  const { values } = parseArgs({
    options: { views: { type: "string", default: "100" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(HELP);
  const views = Number(values.views);
  if (!Number.isInteger(views) || views < 10 || views > 1000) {
    throw new CommandError(`--views is "${values.views}"; it goes from 10 to 1000.`);
  }

  // Its Redis is emptied between the states: never somebody's own.
  delete process.env.REDIS_URL;
  const [port = 0, inboxPort = 0] = await freePorts(2);
  const everything = await startEverything({
    port,
    inboxPort,
    policy: policyOf(await readSettings()),
    cron: false,
  });
  const dashboard = { url: `http://localhost:${port}/ops`, token: everything.operatorToken };
  const cookie = await signIn(dashboard);
  const get = (path: string) => fetch(`${dashboard.url}${path}`, { headers: { cookie } });

  const states: [name: string, traffic: (() => CounterEntry[][]) | null][] = [
    ["nothing counted", null],
    [`a million messages a day to ${PREFIXES} prefixes`, dayTraffic(PER_MINUTE, PREFIXES)],
    ["every counter at its bound", fullTraffic(PER_MINUTE)],
  ];
  for (const [name, traffic] of states) {
    if (traffic !== null) await fill(everything, traffic);
    console.log(`\n${name}, ${views} views of each page, milliseconds`);
    console.log("                                    median     p95   processor     kB gzipped");
    const floor = await measure(() => get("/assets/icon.svg"), views);
    for (const page of PAGES) {
      const { sorted, cpuMs, bytes } = await measure(() => get(page), views);
      const at = (share: number) => (sorted[Math.floor(share * (sorted.length - 1))] ?? 0).toFixed(1);
      const cpu = cpuMs === null || floor.cpuMs === null ? "–" : (cpuMs - floor.cpuMs).toFixed(1);
      const weight = (bytes / 1000).toFixed(1);
      console.log(
        `${`/ops${page}`.padEnd(37)}${at(0.5).padStart(5)}${at(0.95).padStart(8)}${cpu.padStart(12)}${weight.padStart(15)}`,
      );
    }
    await firstPaint(dashboard);
  }
});
// The service hangs on this process.
process.exit();

interface Dashboard {
  url: string;
  token: string;
}

/** @returns the cookie of its session */
async function signIn({ url, token }: Dashboard): Promise<string> {
  const answer = await fetch(`${url}/session`, {
    method: "POST",
    redirect: "manual",
    headers: { origin: new URL(url).origin },
    body: new URLSearchParams({ token }),
  });
  const [cookie] = answer.headers.getSetCookie();
  if (cookie === undefined) throw new CommandError(`Nobody is signed in: ${answer.status}.`);
  return cookie.split(";")[0] ?? "";
}

/** What was counted is this, in each minute of the window and in each quarter of the day before. */
async function fill({ redis, upstash }: Everything, traffic: () => CounterEntry[][]): Promise<void> {
  await redis.client.call("flushall");
  const client = openUpstash({
    UPSTASH_REDIS_REST_URL: upstash.url,
    UPSTASH_REDIS_REST_TOKEN: upstash.token,
  });
  const { counters } = upstashCounters(client, Date.now, pause);
  const watch = upstashMonitorState(client, (fact) => console.error(fact));
  const nowMs = Date.now();
  const minute = Math.floor(nowMs / 60_000);
  await fillMinutes(counters, minute, QUARTER_MINUTES, traffic);
  const window = await counters.window(minute, QUARTER_MINUTES);
  if (window.kind !== "answered") throw new CommandError(`The counters are unavailable: ${window.cause}.`);
  const tally = sumTallies(window.minutes.map((counted) => counted.tally));
  const foldedTo = quarterOfMinute(minute) - 1;
  let history: History | null = null;
  let day: QuarterPoint[] = [];
  for (let quarter = foldedTo - DAY_QUARTERS + 1; quarter <= foldedTo; quarter++) {
    await watch.begin(nowMs);
    history = foldQuarter(history, { quarter, tally }, nowMs);
    day = updateDay(day, { quarter, tally });
    const memory = { ...initialMonitorMemory(nowMs), foldedTo, day };
    const done = await watch.end({ memory, history, quarter: { quarter, tally } });
    if (done.kind !== "done") throw new CommandError(`A quarter was not kept: ${done.cause}.`);
  }
}

/** One after another, the first few unmeasured. */
async function measure(ask: () => Promise<Response>, views: number) {
  for (let i = 0; i < FIRST_VIEWS; i++) await read(ask);
  const cpuBefore = workerdMs();
  const times: number[] = [];
  let bytes = 0;
  for (let i = 0; i < views; i++) {
    const began = performance.now();
    const body = await read(ask);
    times.push(performance.now() - began);
    if (i === 0) bytes = gzipSync(body).byteLength;
  }
  const cpuAfter = workerdMs();
  const cpuMs = cpuBefore === null || cpuAfter === null ? null : (cpuAfter - cpuBefore) / views;
  return { sorted: times.toSorted((a, b) => a - b), cpuMs, bytes };
}

async function read(ask: () => Promise<Response>): Promise<Uint8Array> {
  const answer = await ask();
  if (!answer.ok) throw new CommandError(`A view was answered ${answer.status}.`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** Processor time so far of the workerd processes that this one started; null without /proc. */
function workerdMs(): number | null {
  if (!existsSync("/proc/self/stat")) return null;
  const ids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  const ticks = ids.map((id) => {
    const stat = readIfThere(`/proc/${id}/stat`);
    // After the name, which may hold anything: state, parent, and as 12th and 13th user and system time (proc(5)).
    const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ours = name === "workerd" && Number(fields[1]) === process.pid;
    return ours ? Number(fields[11]) + Number(fields[12]) : 0;
  });
  return ticks.reduce((sum, count) => sum + count, 0) * TICK_MS;
}

/** A process may end between its being listed and being read. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

/** From the click to the first thing seen of the overview, and what all of it weighs. */
async function firstPaint({ url, token }: Dashboard): Promise<void> {
  const executablePath = process.env.CHROMIUM_PATH ?? "/usr/bin/chromium";
  if (!existsSync(executablePath)) return console.log(`first paint: no browser at ${executablePath}`);
  const browser = await chromium.launch({ executablePath });
  try {
    const page = await browser.newPage();
    await page.goto(url);
    await page.getByLabel("Operator token").fill(token);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Overview" }).waitFor({ state: "attached" });
    const paints: number[] = [];
    for (let i = 0; i < PAINTS; i++) {
      await page.goto(url);
      const paint = await page.waitForFunction(
        () => performance.getEntriesByName("first-contentful-paint")[0]?.startTime,
      );
      paints.push((await paint.jsonValue()) as number);
    }
    const sorted = paints.toSorted((a, b) => a - b);
    const parts = await page.evaluate(async () => {
      const names = performance.getEntriesByType("resource").map(({ name }) => name);
      return Promise.all(names.map(async (name) => (await fetch(name)).text()));
    });
    const kilo =
      [await page.content(), ...parts].reduce((sum, text) => sum + gzipSync(text).byteLength, 0) / 1000;
    console.log(
      `overview in Chromium: first paint ${Math.round(sorted[PAINTS >> 1] ?? 0)} ms median, ${Math.round(sorted.at(-1) ?? 0)} at most; ${kilo.toFixed(0)} kB gzipped in all`,
    );
  } finally {
    await browser.close();
  }
}
