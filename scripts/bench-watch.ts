/** Measures what one run of the watch reads on a busy day: commands, bytes and processor time. */

import { setTimeout as pause } from "node:timers/promises";
import { parseArgs } from "node:util";
import { redisKeys } from "../src/adapters/redis-keys.ts";
import { openUpstash } from "../src/adapters/upstash/upstash-client.ts";
import { upstashCounters } from "../src/adapters/upstash/upstash-counters.ts";
import { upstashMonitorState } from "../src/adapters/upstash/upstash-monitor-state.ts";
import { foldQuarter, QUARTER_MINUTES, sameTimeQuarters } from "../src/domain/monitor/history.ts";
import { initialMonitorMemory } from "../src/domain/monitor/monitor-memory.ts";
import { type MinuteTally, sumTallies } from "../src/domain/monitor/tally.ts";
import type { CountersPort } from "../src/ports/monitor.ts";
import { fillMinutes } from "./bench/fill.ts";
import { dayTraffic, fullTraffic } from "./bench/traffic.ts";
import { openRedis } from "./dev/redis.ts";
import { serveLocally } from "./dev/serve.ts";
import { makeUpstash } from "./dev/upstash.ts";
import { CommandError, runCommand } from "./lib/command.ts";

const HELP = `Times what one run of the watch reads from Upstash, on a Redis of its own filled with a busy day.

  node scripts/bench-watch.ts [--sends-per-day 1000000] [--prefixes 5000] [--runs 10]

  --sends-per-day N   messages a day, 1000 to 5000000; default 1000000
  --prefixes N        number prefixes they go to, the busiest much more often; default 5000
  --runs N            runs that are measured, 1 to 100; default 10
  --full              every minute as full as it can be, whatever the traffic
  --help

Fails when a run takes 50 commands or more, or 200 ms of processor time or more.
`;

const MAX_COMMANDS = 50;
const MAX_CPU_MS = 200;
const WINDOW_MINUTES = 60;
const TOKEN = "a-token-for-the-bench";

await runCommand(async () => {
  const { values } = parseArgs({
    options: {
      "sends-per-day": { type: "string", default: "1000000" },
      prefixes: { type: "string", default: "5000" },
      runs: { type: "string", default: "10" },
      full: { type: "boolean", default: false },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return console.log(HELP);
  const perMinute = Math.round(readWhole("sends-per-day", values["sends-per-day"], 1000, 5_000_000) / 1440);
  const prefixes = readWhole("prefixes", values.prefixes, 10, 100_000);
  const runs = readWhole("runs", values.runs, 1, 100);
  const traffic = values.full ? fullTraffic(perMinute) : dayTraffic(perMinute, prefixes);

  const redis = await openRedis({ PATH: process.env.PATH });
  const service = makeUpstash({ redis: redis.client, token: TOKEN });
  // What was answered once is answered again without work, so that only the reader's own is measured.
  const recorded: ArrayBuffer[] = [];
  let replay: number | null = null;
  const server = await serveLocally(async (request) => {
    if (replay !== null) return new Response(recorded[replay++] ?? null);
    const answer = await service.handle(request);
    recorded.push(await answer.clone().arrayBuffer());
    return answer;
  });
  try {
    const upstash = openUpstash({ UPSTASH_REDIS_REST_URL: server.url, UPSTASH_REDIS_REST_TOKEN: TOKEN });
    const { counters } = upstashCounters(upstash, Date.now, pause);
    const watch = upstashMonitorState(upstash, (fact) => console.error(fact));
    const nowMs = Date.now();
    const minute = Math.floor(nowMs / 60_000);

    const fillStarted = performance.now();
    await fillMinutes(counters, minute, WINDOW_MINUTES, traffic, () => {
      recorded.length = 0;
    });
    const countMs = (performance.now() - fillStarted) / (WINDOW_MINUTES * perMinute);
    const quarter = sumTallies((await windowOf(counters, minute, QUARTER_MINUTES)).map(({ tally }) => tally));
    for (const past of sameTimeQuarters(nowMs)) {
      await watch.begin(nowMs);
      const history = foldQuarter(null, { quarter: past, tally: quarter }, nowMs);
      const kept = {
        memory: initialMonitorMemory(nowMs),
        history,
        quarter: { quarter: past, tally: quarter },
      };
      const done = await watch.end(kept);
      if (done.kind !== "done") throw new CommandError(`A quarter was not kept: ${done.cause}.`);
    }

    const run = async () => {
      const begun = await watch.begin(nowMs);
      if (begun.kind !== "begun") throw new CommandError(`The run did not begin: ${begun.kind}.`);
      const minutes = await windowOf(counters, minute, WINDOW_MINUTES);
      const sum = sumTallies(minutes.map(({ tally }) => tally));
      const usual = sumTallies(begun.sameTime.map(({ tally }) => tally));
      return sum.size + usual.size;
    };
    recorded.length = 0;
    service.stats.commands = 0;
    const subjects = await run();
    const commands = service.stats.commands;
    const bytes = recorded.map(({ byteLength }) => byteLength);
    const cpuMs: number[] = [];
    for (let i = 0; i < runs; i++) {
      replay = 0;
      const before = process.cpuUsage();
      await run();
      const { user, system } = process.cpuUsage(before);
      cpuMs.push((user + system) / 1000);
    }

    const sizeOf = async (key: string) =>
      Number(await redis.client.call("memory", "usage", key, "samples", "0"));
    const middle = cpuMs.toSorted((a, b) => a - b)[Math.floor(runs / 2)] ?? 0;
    const kilo = (count: number) => `${Math.round(count / 1000)} kB`;
    console.log(`${perMinute} messages a minute on ${redis.kind}`);
    console.log(`counting a message   ${countMs.toFixed(2)} ms, the stand-in's own work included`);
    if (redis.kind !== "memory") {
      console.log(`a minute in Redis    ${kilo(await sizeOf(redisKeys.minute(minute - 1)))}`);
      const [past = 0] = sameTimeQuarters(nowMs);
      console.log(`a quarter in Redis   ${kilo(await sizeOf(redisKeys.watchQuarter(past)))}`);
      console.log(`the history in Redis ${kilo(await sizeOf(redisKeys.watchHistory()))}`);
      console.log(`the totals in Redis  ${kilo(await sizeOf(redisKeys.totals()))}`);
    }
    console.log(
      `a run reads          ${subjects} subjects in ${commands} commands, ${bytes.map(kilo).join(" and ")}`,
    );
    console.log(
      `processor time       ${middle.toFixed(0)} ms median, ${Math.max(...cpuMs).toFixed(0)} ms at most`,
    );
    if (commands >= MAX_COMMANDS || middle >= MAX_CPU_MS) {
      throw new CommandError(`A run may take fewer than ${MAX_COMMANDS} commands and ${MAX_CPU_MS} ms.`);
    }
  } finally {
    await server.close();
    await redis.close();
  }
});

async function windowOf(counters: CountersPort, minute: number, minutes: number): Promise<MinuteTally[]> {
  const answer = await counters.window(minute, minutes);
  if (answer.kind !== "answered") throw new CommandError(`The counters are unavailable: ${answer.cause}.`);
  return answer.minutes;
}

function readWhole(name: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new CommandError(`--${name} is "${text}"; it goes from ${min} to ${max}.`);
}
