import { readFile } from "node:fs/promises";
import { parse } from "smol-toml";
import { CommandError, ROOT } from "./command.ts";

export type Table = Record<string, unknown>;

/**
 * Reads `wrangler.toml`.
 *
 * @param text what it says, when it is not the file on the disk that is meant.
 * @throws CommandError when it is missing or not TOML.
 */
export async function readSettings(text?: string): Promise<Table> {
  try {
    return parse(text ?? (await readFile(`${ROOT}wrangler.toml`, "utf8"))) as Table;
  } catch (error) {
    throw new CommandError(`wrangler.toml cannot be read: ${(error as Error).message}`);
  }
}

/** The settings of one environment: `[env.<name>]`. @throws CommandError when there is none of that name. */
export function environmentOf(settings: Table, name: string): Table {
  const environments = asTable(settings.env);
  if (!isTable(environments[name])) {
    const names = Object.keys(environments).join(", ") || "none";
    throw new CommandError(`wrangler.toml has no environment "${name}" (it has: ${names})`);
  }
  return asTable(environments[name]);
}

/** The policy document of an environment, or of the top level: its `[vars.POLICY]` tables, not yet checked. */
export function policyOf(environment: Table): Table {
  return asTable(asTable(environment.vars).POLICY);
}

/** Lays one document over another: tables are merged key by key, everything else (lists too) is replaced. */
export function mergeTables(base: Table, over: Table): Table {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const below = merged.get(key);
    merged.set(key, isTable(below) && isTable(value) ? mergeTables(below, value) : value);
  }
  return Object.fromEntries(merged);
}

export function isTable(value: unknown): value is Table {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function asTable(value: unknown): Table {
  return isTable(value) ? value : {};
}
