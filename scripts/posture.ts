import { parseArgs } from "node:util";
import { CommandError, runCommand, UsageError } from "./lib/command.ts";
import { deleteValue, findTarget, putValue, readValues, type Target } from "./lib/control-kv.ts";
import { readDuration } from "./lib/duration.ts";

const HELP = `Reads and sets the posture by hand: how hard the service makes it to send.

  npm run posture -- show
  npm run posture -- normal                    lowers it at once
  npm run posture -- elevated|emergency|shutdown [--for 1h] [--why "what is going on"]

  --for DURATION     how long it holds before it ends by itself: 90s, 15m, 1h, 2d; from 60s to 30d; default 1h
  --lift-caps        sending goes on over the spend caps for that long (with any posture, normal too)
  --why TEXT         shown to whoever finds it
  --env NAME         staging or production; without it the local service that npm start runs
  --local            the local service, said aloud
  --help

Every place where the service runs has heard of it within a minute.
`;

/** What people set; it wins over the cron's own flag for as long as it lives. */
const KEY = "operator-mode";
const CRON_KEY = "emergency-mode";
const POSTURES = ["normal", "elevated", "emergency", "shutdown"] as const;
/** KV refuses shorter lives. */
const SHORTEST = "60s";
const LONGEST = "30d";
const MAX_WHY_LENGTH = 200;

/** The document under {@link KEY}; the Worker and the cron write and read the same. */
interface PostureControls {
  posture: string;
  since_ms: number;
  until_ms: number;
  by: "operator";
  why: string;
  caps_lifted?: boolean;
}

await runCommand(async () => {
  const { values, positionals } = parseArgs({
    options: {
      for: { type: "string", default: "1h" },
      why: { type: "string", default: "" },
      "lift-caps": { type: "boolean", default: false },
      env: { type: "string" },
      local: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help) return console.log(HELP);
  const [wanted, ...rest] = positionals;
  if (rest.length > 0) throw new UsageError(`One posture, please, not also "${rest.join(" ")}".`);
  if (values.env !== undefined && values.local) throw new UsageError("--env and --local exclude each other.");
  if (values.why.length > MAX_WHY_LENGTH) {
    throw new UsageError(`--why is longer than ${MAX_WHY_LENGTH} characters.`);
  }
  const lifeSeconds = readDuration("--for", values.for, SHORTEST, LONGEST);
  const posture = POSTURES.find((name) => name === wanted);
  if (posture === undefined && wanted !== "show") {
    throw new UsageError(`"${wanted ?? ""}" is no posture: ${POSTURES.join(", ")}, or show. Try --help.`);
  }
  const target = await findTarget(values.env);
  if (posture === undefined) return console.log(await show(target));
  if (posture === "normal" && !values["lift-caps"]) {
    await deleteValue(target, KEY);
    await deleteValue(target, CRON_KEY);
    return console.log(`${target.name}: normal`);
  }
  const nowMs = Date.now();
  const document: PostureControls = {
    posture,
    since_ms: nowMs,
    until_ms: nowMs + lifeSeconds * 1000,
    by: "operator",
    why: values.why,
    ...(values["lift-caps"] ? { caps_lifted: true } : {}),
  };
  await putValue(target, KEY, JSON.stringify(document), ["--ttl", String(lifeSeconds)]);
  console.log(`${target.name}: ${sentence(document)}`);
});

async function show(target: Target): Promise<string> {
  const texts = await readValues(target, [KEY, CRON_KEY]);
  const text = texts.get(KEY) ?? texts.get(CRON_KEY);
  if (text === undefined) return `${target.name}: normal`;
  try {
    return `${target.name}: ${sentence(JSON.parse(text) as PostureControls)}`;
  } catch {
    throw new CommandError(`${target.name}: the control document cannot be read: ${text}`);
  }
}

function sentence({ posture, since_ms, until_ms, by, why, caps_lifted }: PostureControls): string {
  const times = `since ${new Date(since_ms).toISOString()}, until ${new Date(until_ms).toISOString()}`;
  return `${posture}${caps_lifted ? ", spend caps lifted," : ""} ${times}, by ${by}${why ? `: ${why}` : ""}`;
}
