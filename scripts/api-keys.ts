import { randomBytes } from "node:crypto";
import { parseArgs } from "node:util";
import {
  API_KEY_RECORD_PREFIX,
  hashApiKeySecret,
  readApiKeyRecord,
} from "../src/adapters/cloudflare/kv-api-keys.ts";
import { parsePolicy } from "../src/config/config.ts";
import { type ApiKeyRecord, EVERY_FLOW, isApiKeyExpired, isApiKeyId } from "../src/domain/access/api-key.ts";
import { CommandError, runCommand, UsageError } from "./lib/command.ts";
import { deleteValue, findTarget, listKeys, putValue, readValues, type Target } from "./lib/control-kv.ts";
import { readDuration } from "./lib/duration.ts";
import { environmentOf, policyOf, readSettings } from "./lib/settings.ts";

const HELP = `Mints, lists and revokes the API keys with which servers call the service.

  npm run -s api-keys -- mint --name shop-backend --flows login,payment
  npm run -s api-keys -- list
  npm run -s api-keys -- revoke ID

  --name NAME        mint: who holds the key: small letters, digits and hyphens, at most 40; shown in logs and lists
  --flows LIST       mint: the flows it may use, separated by commas; '*' for all, also those still to come
  --skip-captcha     mint: its sends need no CAPTCHA; limits, budgets and caps hold all the same
  --per-minute N     mint: requests in a minute over all its users, 1 to 6000; default 60
  --expires WHEN     mint: how long it is good for, 1h to 1825d, or never; default 365d
  --env NAME         staging or production; without it the local service that npm start runs
  --local            the local service, said aloud
  --help

mint prints the key alone on standard output, once: only a hash of it is kept. A new key works at once. A revoked one is
refused everywhere within about 90 seconds. To rotate: mint, hand the new key over, revoke the old one.
`;

/** Of base32 in small letters; 32 of them, so that a byte's remainder favours none. */
const ID_LETTERS = "abcdefghijklmnopqrstuvwxyz234567";
const ID_LENGTH = 12;
const SECRET_BYTES = 32;
const MAX_PER_MINUTE = 6000;
const NEVER = "never";

const COMMANDS = ["mint", "list", "revoke"];
const MINT_ONLY = ["name", "flows", "skip-captcha", "per-minute", "expires"] as const;

await runCommand(async () => {
  const { values, positionals } = parseArgs({
    options: {
      name: { type: "string" },
      flows: { type: "string" },
      "skip-captcha": { type: "boolean" },
      "per-minute": { type: "string" },
      expires: { type: "string" },
      env: { type: "string" },
      local: { type: "boolean" },
      help: { type: "boolean", short: "h" },
    },
    allowPositionals: true,
  });
  if (values.help) return console.log(HELP);
  const [command, ...rest] = positionals;
  if (command === undefined || !COMMANDS.includes(command)) {
    throw new UsageError(`Say what to do: ${COMMANDS.join(", ")}. Try --help.`);
  }
  if (values.env !== undefined && values.local) {
    throw new UsageError("--env and --local exclude each other.");
  }
  const stray = MINT_ONLY.find((option) => command !== "mint" && values[option] !== undefined);
  if (stray !== undefined) throw new UsageError(`--${stray} belongs to mint, not to ${command}.`);
  if (rest.length !== (command === "revoke" ? 1 : 0)) {
    throw new UsageError(`${command} takes ${command === "revoke" ? "one id" : "options only"}. Try --help.`);
  }

  if (command === "list") return list(await findTarget(values.env));
  if (command === "revoke") return revoke(rest[0] ?? "", values.env);

  const nowMs = Date.now();
  const facts = {
    name: readName(values.name),
    flows: readFlows(values.flows, await flowsOf(values.env), values.env ?? "the local service"),
    skip_captcha: values["skip-captcha"] ?? false,
    max_per_minute: readPerMinute(values["per-minute"] ?? "60"),
    created_at_ms: nowMs,
    expires_at_ms: readExpiry(values.expires ?? "365d", nowMs),
  };
  await mint(facts, await findTarget(values.env));
});

async function mint(facts: Omit<ApiKeyRecord, "hash">, target: Target): Promise<void> {
  const id = Array.from(randomBytes(ID_LENGTH), (byte) => ID_LETTERS[byte % ID_LETTERS.length]).join("");
  const secret = randomBytes(SECRET_BYTES).toString("base64url");
  const record: ApiKeyRecord = { ...facts, hash: await hashApiKeySecret(secret) };
  await putValue(target, API_KEY_RECORD_PREFIX + id, JSON.stringify(record));
  console.error(`${target.name}: key ${id} for ${sentence(record)}. It is shown this once:`);
  console.log(`tg_${id}_${secret}`);
}

async function list(target: Target): Promise<void> {
  const nowMs = Date.now();
  const records = await readValues(target, await listKeys(target, API_KEY_RECORD_PREFIX));
  if (records.size === 0) return console.log(`${target.name}: no API keys`);
  for (const [key, text] of records) {
    const record = readApiKeyRecord(text);
    const words = record === null ? "CANNOT BE READ, so it is refused" : sentence(record);
    const expired = record !== null && isApiKeyExpired(record, nowMs) ? " EXPIRED" : "";
    console.log(`${key.slice(API_KEY_RECORD_PREFIX.length)}  ${words}${expired}`);
  }
}

async function revoke(id: string, environment: string | undefined): Promise<void> {
  // What was given is not repeated: it may be a whole key.
  if (!isApiKeyId(id)) throw new UsageError("revoke takes the id alone: the 12 characters after tg_.");
  const target = await findTarget(environment);
  const key = API_KEY_RECORD_PREFIX + id;
  if (!(await listKeys(target, key)).includes(key)) {
    throw new CommandError(`${target.name} has no key ${id}. See list.`);
  }
  await deleteValue(target, key);
  console.log(`${target.name}: key ${id} is revoked; within about 90 seconds every place refuses it.`);
}

function sentence({ name, flows, skip_captcha, max_per_minute, ...times }: ApiKeyRecord): string {
  const end = times.expires_at_ms === null ? NEVER : day(times.expires_at_ms);
  return [
    name,
    `flows ${flows.join(",")}`,
    skip_captcha ? "no CAPTCHA" : "CAPTCHA",
    `${max_per_minute} a minute`,
    `since ${day(times.created_at_ms)}`,
    `expires ${end}`,
  ].join(", ");
}

function day(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 16)}Z`;
}

/** The flows of an environment's policy, as the Worker will read it. */
async function flowsOf(environment: string | undefined): Promise<string[]> {
  const settings = await readSettings();
  const policy = parsePolicy(
    policyOf(environment === undefined ? settings : environmentOf(settings, environment)),
  );
  if (policy.ok) return Object.keys(policy.value.flows);
  throw new CommandError(`The policy in wrangler.toml has faults:\n  - ${policy.faults.join("\n  - ")}`);
}

function readName(name: string | undefined): string {
  if (name === undefined) throw new UsageError("mint needs --name NAME. Try --help.");
  if (/^[a-z0-9][a-z0-9-]{0,39}$/.test(name)) return name;
  throw new UsageError(`--name "${name}" is not small letters, digits and hyphens, at most 40.`);
}

function readFlows(text: string | undefined, known: readonly string[], where: string): string[] {
  if (text === undefined) throw new UsageError("mint needs --flows LIST, or --flows '*' for all.");
  if (text === EVERY_FLOW) return [EVERY_FLOW];
  const flows = [...new Set(text.split(",").map((flow) => flow.trim()))];
  const odd = flows.find((flow) => !known.includes(flow));
  if (odd === undefined) return flows;
  throw new UsageError(`--flows: "${odd}" is no flow of ${where}, which knows ${known.join(", ")}.`);
}

function readPerMinute(text: string): number {
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (count >= 1 && count <= MAX_PER_MINUTE) return count;
  throw new UsageError(`--per-minute "${text}" is no whole number from 1 to ${MAX_PER_MINUTE}.`);
}

function readExpiry(text: string, nowMs: number): number | null {
  return text === NEVER ? null : nowMs + readDuration("--expires", text, "1h", "1825d") * 1000;
}
