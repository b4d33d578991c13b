import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { parsePolicy } from "../src/config/config.ts";
import { readDevVars } from "./dev/dev-vars.ts";
import { startEverything } from "./dev/everything.ts";
import type { LocalRedis } from "./dev/redis.ts";
import { isPortFree } from "./dev/serve.ts";
import { CommandError, describe, runCommand } from "./lib/command.ts";
import { isTable, mergeTables, policyOf, readSettings, type Table } from "./lib/settings.ts";
import { leaveOperatorToken } from "./ops/local.ts";

const HELP = `Runs Tollgate on this machine, with no account anywhere: the Worker in workerd, its Redis, its CAPTCHA check, and
a provider whose messages arrive in a local inbox. Everything starts empty and ends with Ctrl-C.

  npm start
  npm start -- --policy FILE

  --policy FILE   a JSON document laid over the development policy of wrangler.toml (lists are replaced)
  --help

  PORT            port of the service, default 8787
  INBOX_PORT      port of the inbox, default 8790
  .dev.vars       more settings for the Worker, by their names; the local services stand above them
  REDIS_URL       a Redis to use instead of an own one; its data is neither emptied nor separated
`;

const PARENT_CHECK_MS = 200;

await runCommand(async () => {
  const { values } = parseArgs({
    options: { policy: { type: "string" }, help: { type: "boolean", short: "h" } },
  });
  if (values.help) return console.log(HELP);

  const port = readPort("PORT", 8787);
  const inboxPort = readPort("INBOX_PORT", 8790);
  if (port === inboxPort) throw new CommandError(`PORT and INBOX_PORT are both ${port}.`);
  const policy = await readPolicy(values.policy, port);
  await refuseTakenPort(port, "PORT");
  await refuseTakenPort(inboxPort, "INBOX_PORT");

  // What is started here hangs on this process: Redis, workerd and their files go in exit hooks.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(0));
  process.on("uncaughtException", fail);
  process.on("unhandledRejection", fail);
  exitWithParent();
  const settings = readDevVars();
  const { redis, operatorToken, given } = await startEverything({ port, inboxPort, policy, settings }).catch(
    fail,
  );
  leaveOperatorToken(port, `http://localhost:${port}`, operatorToken);
  console.log(welcome(port, inboxPort, redis.kind, given));
});

function readPort(name: string, fallback: number): number {
  const text = process.env[name] || String(fallback);
  const port = Number(text);
  if (Number.isInteger(port) && port >= 1 && port <= 65_535) return port;
  throw new CommandError(`${name} is "${text}", which is no port from 1 to 65535.`);
}

async function refuseTakenPort(port: number, name: string): Promise<void> {
  if (await isPortFree(port)) return;
  throw new CommandError(
    `Port ${port} is taken: end what runs there, or choose another with ${name}=<port>.`,
  );
}

/** The development policy with the file laid over it, checked as the Worker will check it. */
async function readPolicy(file: string | undefined, port: number): Promise<Table> {
  const base = mergeTables(policyOf(await readSettings()), { proof: { issuer: `http://localhost:${port}` } });
  const merged = file === undefined ? base : mergeTables(base, await readPolicyFile(file));
  const parsed = parsePolicy(merged);
  if (parsed.ok) return merged;
  const faults = parsed.faults.map((fault) => `  - ${fault}`).join("\n");
  throw new CommandError(
    `The policy ${file === undefined ? "of wrangler.toml" : `with ${file}`} has faults:\n${faults}`,
  );
}

async function readPolicyFile(file: string): Promise<Table> {
  // npm runs scripts in the repository's folder; the person named the file from where they stand.
  const path = resolve(process.env.INIT_CWD ?? ".", file);
  const text = await readFile(path, "utf8").catch((error: NodeJS.ErrnoException) => {
    throw new CommandError(`The policy file ${file} cannot be read (${error.code}).`);
  });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (error) {
    throw new CommandError(`The policy file ${file} is not JSON: ${(error as Error).message}`);
  }
  if (!isTable(document)) throw new CommandError(`The policy file ${file} is not a JSON object.`);
  return document;
}

/** npm, told to end by a signal, ends its shell and not what runs in it: this process finds itself with another parent. */
function exitWithParent(): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => process.ppid !== parent && process.exit(0), PARENT_CHECK_MS).unref();
}

function fail(error: unknown): never {
  console.error(describe(error));
  process.exit(1);
}

function welcome(
  port: number,
  inboxPort: number,
  redis: LocalRedis["kind"],
  given: readonly string[],
): string {
  const redisNote = {
    url: "the one REDIS_URL names",
    "redis-server": "an own redis-server",
    memory: "in memory, nearly the real one; install redis-server for the real one",
  }[redis];
  return `
Tollgate runs. Ctrl-C ends it.

  service        http://localhost:${port}
  inbox          http://localhost:${inboxPort}
  API document   http://localhost:${port}/docs
  operators      npm run ops -- watch

Redis: ${redisNote}.${given.length === 0 ? "" : `\nOf .dev.vars: ${given.join(", ")}.`}
`;
}
