import { existsSync, readdirSync } from "node:fs";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { CommandError, ROOT } from "./command.ts";
import { environmentOf, isTable, readSettings } from "./settings.ts";
import { LOCAL_STATE, wrangler } from "./wrangler.ts";

/** Where a CONTROL namespace is. */
export interface Target {
  /** For people. */
  name: string;
  /** wrangler's arguments. */
  args: readonly string[];
}

/** Keys of one bulk read: the API takes no more. */
const MAX_BULK_KEYS = 100;

/**
 * The CONTROL namespace of an environment's account, or without one that of the running local service.
 *
 * @throws CommandError when wrangler.toml has no such environment, or no local service runs on `PORT`
 */
export async function findTarget(environment: string | undefined): Promise<Target> {
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

/** Writes one value. @param args wrangler's own, such as `--ttl` @throws CommandError in wrangler's words */
export async function putValue(target: Target, key: string, value: string, args: string[] = []) {
  await kv(target, ["key", "put", key, value, ...args]);
}

/** Deletes one value; one that is not there is no failure. @throws CommandError in wrangler's words */
export async function deleteValue(target: Target, key: string): Promise<void> {
  await kv(target, ["key", "delete", key]);
}

/** The keys that begin with `prefix`. @throws CommandError in wrangler's words */
export async function listKeys(target: Target, prefix: string): Promise<string[]> {
  const listed = readJson(await kv(target, ["key", "list", "--prefix", prefix])) as { name: string }[];
  return listed.map(({ name }) => name);
}

/**
 * The values under these keys, without those that are not there. A bulk read, because reading a single absent key is no
 * failure locally and a failure like any other remotely.
 *
 * @throws CommandError in wrangler's words
 */
export async function readValues(target: Target, keys: readonly string[]): Promise<Map<string, string>> {
  const values = new Map<string, string>();
  const folder = await mkdtemp(join(tmpdir(), "tollgate-kv-"));
  try {
    const file = join(folder, "keys.json");
    for (let i = 0; i < keys.length; i += MAX_BULK_KEYS) {
      await writeFile(file, JSON.stringify(keys.slice(i, i + MAX_BULK_KEYS)));
      const found = readJson(await kv(target, ["bulk", "get", file])) as Record<string, unknown>;
      for (const [key, entry] of Object.entries(found)) {
        // Remotely a value is text; locally it is wrapped, and an absent one is there as null.
        const value = isTable(entry) ? entry.value : entry;
        if (typeof value === "string") values.set(key, value);
      }
    }
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  return values;
}

async function kv(target: Target, args: string[]): Promise<string> {
  const run = await wrangler(["kv", ...args, "--binding", "CONTROL", ...target.args]);
  if (run.code === 0) return run.stdout;
  throw new CommandError(
    `${target.name}: wrangler kv ${args[0]} ${args[1]} failed.\n${run.stderr || run.stdout}`,
  );
}

function readJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new CommandError(`wrangler answered something else than JSON: ${text}`);
  }
}
