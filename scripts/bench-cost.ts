/** Counts what each kind of request asks of Upstash, the ledger, the queues and the log, and what a million of them cost. */
import { parseArgs } from "node:util";
import { countFlows, type FlowCosts } from "./bench/cost/count-flows.ts";
import { countRows } from "./bench/cost/count-rows.ts";
import { type Calls, openCountedFlows } from "./bench/cost/counted-flows.ts";
import { PRICES } from "./bench/cost/prices.ts";
import { openRedis } from "./dev/redis.ts";
import { CommandError, runCommand } from "./lib/command.ts";

const HELP = `Counts what a verification costs, and what is refused, on a redis-server of its own and a local D1.

  npm run bench -- cost [--json]

  --json   for machines
  --help

Commands are what Upstash is asked; calls are those with what their scripts do inside. Prices are list prices of ${PRICES.date}.
`;

const MILLION = 1_000_000;

await runCommand(async () => {
  const { values } = parseArgs({
    options: { json: { type: "boolean" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(HELP);
  const redis = await openRedis({ PATH: process.env.PATH });
  if (redis.kind !== "redis-server") {
    throw new CommandError("This counts on a redis-server: install one (apt-get install redis-server).");
  }
  const flows = await openCountedFlows(redis);
  const costs = await countFlows(flows);
  await flows.close();
  await redis.close();
  const rows = await countRows(costs.verified.all.events);
  const report = { date: PRICES.date, ...linesOf(costs, rows), dollars: dollarsOf(costs.verified.all, rows) };
  console.log(values.json ? JSON.stringify(report) : inWords(report));
});
// Miniflare and the adapters' time limits hang on this process.
process.exit();

interface Line {
  name: string;
  requests: number;
  commands: number;
  calls: number;
  objectCalls: number;
  rows: number | null;
  messages: number;
  logLines: number;
}

function linesOf({ verified, others }: FlowCosts, rows: number): { flow: Line; lines: Line[] } {
  const line = (name: string, calls: Calls, written: number | null = null): Line => ({
    name,
    requests: calls.requests,
    commands: calls.commands,
    calls: calls.withInner ?? 0,
    objectCalls: calls.objectCalls,
    rows: written,
    messages: calls.messages,
    logLines: calls.lines,
  });
  const { send, receipt, verify, all } = verified;
  return {
    flow: line("a verified flow", all, rows),
    lines: [
      line("  send", send),
      line("  receipt", receipt),
      line("  verify", verify),
      ...others.map(({ name, calls }) => line(name, calls)),
    ],
  };
}

/** Dollars for a million verified flows, and from how many a month a fixed plan of Upstash is cheaper. */
function dollarsOf({ commands, withInner, objectCalls, messages, lines }: Calls, rows: number) {
  const upstash = (count: number) => MILLION * count * PRICES.upstashCommands;
  const cheaperFrom = (price: number) =>
    Math.ceil(price / ((withInner ?? commands) * PRICES.upstashCommands));
  return {
    upstash_commands: upstash(commands),
    upstash_calls: upstash(withInner ?? commands),
    upstash_fixed: PRICES.upstashFixed.map(({ gigabytes, price }) => ({
      gigabytes,
      price,
      cheaper_from_verifications: cheaperFrom(price),
    })),
    worker_requests: MILLION * 3 * PRICES.workerRequests,
    objects: MILLION * objectCalls * PRICES.objectRequests,
    rows: MILLION * rows * PRICES.databaseRows,
    messages: MILLION * messages * PRICES.queueMessages,
    log_lines: MILLION * lines * PRICES.logLines,
  };
}

function inWords({
  flow,
  lines,
  dollars,
}: {
  flow: Line;
  lines: Line[];
  dollars: ReturnType<typeof dollarsOf>;
}): string {
  const cells = (line: Line) =>
    [
      line.requests,
      line.commands,
      line.calls,
      line.objectCalls,
      line.rows ?? "",
      line.messages,
      line.logLines,
    ]
      .map((cell) => String(cell).padStart(9))
      .join("");
  const money = (amount: number) => `$${amount.toFixed(2)}`;
  const head = ["requests", "commands", "calls", "objects", "rows", "messages", "lines"];
  const apart =
    dollars.worker_requests + dollars.objects + dollars.rows + dollars.messages + dollars.log_lines;
  return [
    `${"".padEnd(42)}${head.map((word) => word.padStart(9)).join("")}`,
    ...[flow, ...lines].map((line) => `${line.name.padEnd(42)}${cells(line)}`),
    "",
    `A million verified flows, list prices of ${PRICES.date}:`,
    `  Upstash, pay as you go   ${money(dollars.upstash_calls)} with the calls inside scripts, which its page on rate limits counts;`,
    `                           ${money(dollars.upstash_commands)} if only commands are billed`,
    ...dollars.upstash_fixed.map(
      ({ gigabytes, price, cheaper_from_verifications: from }) =>
        `  Upstash, ${gigabytes} GB fixed     ${money(price)} a month, cheaper from ${from.toLocaleString("en")} verifications a month`,
    ),
    `  all else                 ${money(apart)}: requests ${money(dollars.worker_requests)}, objects ${money(dollars.objects)}, rows ${money(dollars.rows)}, messages ${money(dollars.messages)}, log lines ${money(dollars.log_lines)}`,
  ].join("\n");
}
