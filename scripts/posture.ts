import { existsSync, readdirSync } from "node:fs";
import { parseArgs } from "node:util";
import { CommandError, ROOT, runCommand } from "./lib/command.ts";
import { environmentOf, readSettings } from "./lib/settings.ts";
import { LOCAL_STATE, wrangler } from "./lib/wrangler.ts";

const HELP = `Reads and sets the posture by hand: how hard the service makes it to send.

  npm run posture -- show
  npm run posture -- normal                    lowers it at once
  npm run posture -- elevated|emergency|shutdown [--for 1h] [--why "what is going on"]

  --for DURATION     how long it holds before it ends by itself: 90s, 15m, 1h, 2d; from 60s to 30d; default 1h
  --why TEXT         shown to whoever finds it
  --env NAME         staging or production; without it the local service that npm start runs
  --local            the local service, said aloud
  --help

Every place where the service runs has heard of it within a minute.
`;

const KEY = "emergency-mode";
const POSTURES = ["normal", "elevated", "emergency", "shutdown"] as const;
const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };
/** KV refuses shorter lives. */
const MIN_SECONDS = 60;
const MAX_SECONDS = 30 * 86_400;
const MAX_WHY_LENGTH = 200;

/** The document under {@link KEY}; the Worker and the cron write and read the same. */
interface ControlDocument {
  posture: string;
  since_ms: number;
  until_ms: number;
  by: "operator";
  why: string;
}

await runCommand(async () => {
  const { values, positionals } = parseArgs({
    options: {
      for: { type: "string", default: "1h" },
      why: { type: "string", default: "" },
      env: { type: "string" },
      local: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help) return console.log(HELP);
  const [wanted, ...rest] = positionals;
  if (rest.length > 0) throw new CommandError(`One posture, please, not also "${rest.join(" ")}".`);
  if (values.env !== undefined && values.local)
    throw new CommandError("--env and --local exclude each other.");
  if (values.why.length > MAX_WHY_LENGTH) {
    throw new CommandError(`--why is longer than ${MAX_WHY_LENGTH} characters.`);
  }
  const lifeSeconds = readDuration(values.for);
  const posture = POSTURES.find((name) => name === wanted);
  if (posture === undefined && wanted !== "show") {
    throw new CommandError(`"${wanted ?? ""}" is no posture: ${POSTURES.join(", ")}, or show. Try --help.`);
  }
  const target = await findTarget(values.env);
  if (posture === undefined) return console.log(await show(target));
  if (posture === "normal") {
    await kv(["delete", KEY], target);
    return console.log(`${target.name}: normal`);
  }
  const nowMs = Date.now();
  const document: ControlDocument = {
    posture,
    since_ms: nowMs,
    until_ms: nowMs + lifeSeconds * 1000,
    by: "operator",
    why: values.why,
  };
  await kv(["put", KEY, JSON.stringify(document), "--ttl", String(lifeSeconds)], target);
  console.log(`${target.name}: ${sentence(document)}`);
});

interface Target {
  name: string;
  args: string[];
}

/** Where the KV namespace is: in an environment's account, or in the state of the running local service. */
async function findTarget(environment: string | undefined): Promise<Target> {
  if (environment !== undefined) {
    environmentOf(await readSettings(), environment);
    return { name: environment, args: ["--env", environment, "--remote"] };
  }
  const folder = `${ROOT}${LOCAL_STATE}`;
  const ports = existsSync(folder) ? readdirSync(folder) : [];
  const port = process.env.PORT || (ports.length === 1 ? ports[0] : "8787");
  if (port === undefined || !ports.includes(port)) {
    throw new CommandError(
      `No local service runs on port ${port}: start it with npm start, or name an --env.`,
    );
  }
  return { name: `local (port ${port})`, args: ["--local", "--persist-to", `${LOCAL_STATE}/${port}`] };
}

async function show(target: Target): Promise<string> {
  const text = (await kv(["get", KEY, "--text"], target)).trim();
  if (text === "" || text === "Value not found") return `${target.name}: normal`;
  try {
    return `${target.name}: ${sentence(JSON.parse(text) as ControlDocument)}`;
  } catch {
    throw new CommandError(`${target.name}: the document under ${KEY} cannot be read: ${text}`);
  }
}

function sentence({ posture, since_ms, until_ms, by, why }: ControlDocument): string {
  const times = `since ${new Date(since_ms).toISOString()}, until ${new Date(until_ms).toISOString()}`;
  return `${posture} ${times}, by ${by}${why ? `: ${why}` : ""}`;
}

async function kv([action = "", ...args]: string[], target: Target): Promise<string> {
  const run = await wrangler(["kv", "key", action, ...args, "--binding", "CONTROL", ...target.args]);
  if (run.code === 0) return run.stdout;
  throw new CommandError(
    `${target.name}: wrangler could not ${action} the posture.\n${run.stderr || run.stdout}`,
  );
}

function readDuration(text: string): number {
  const [, amount, unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? [];
  const seconds = Number(amount) * (UNIT_SECONDS[unit] ?? Number.NaN);
  if (Number.isNaN(seconds)) throw new CommandError(`--for "${text}" is no duration: 90s, 15m, 1h, 2d.`);
  if (seconds < MIN_SECONDS || seconds > MAX_SECONDS) {
    throw new CommandError(`--for "${text}" is not from 60s to 30d.`);
  }
  return seconds;
}
