/** The migrations of the environment's database: which are applied, and how the others are. */
import { readdir } from "node:fs/promises";
import { ApiError } from "../lib/cloudflare.ts";
import { CommandError, ROOT } from "../lib/command.ts";
import { isTable, type Table } from "../lib/settings.ts";
import { wrangler } from "../lib/wrangler.ts";
import type { Place } from "./resources.ts";

/** The binding of the database that has migrations. */
const BINDING = "DB";

/** The migrations of the repository that the database does not have, by file name. Only reads. */
export async function pendingMigrations(place: Place): Promise<string[]> {
  const database = databaseOf(place.environment);
  const files = await readdir(`${ROOT}${String(database.migrations_dir ?? "migrations")}`);
  const applied = await appliedMigrations(place, database);
  return files.filter((file) => file.endsWith(".sql") && !applied.includes(file)).sort();
}

async function appliedMigrations({ api, accountId }: Place, database: Table): Promise<string[]> {
  const table = String(database.migrations_table ?? "d1_migrations").replaceAll('"', '""');
  try {
    const [answer] = await api.post<{ results: { name: string }[] }[]>(
      `/accounts/${accountId}/d1/database/${String(database.database_id)}/query`,
      { sql: `SELECT name FROM "${table}"` },
    );
    return (answer?.results ?? []).map(({ name }) => name);
  } catch (error) {
    // Before the first migration there is no such table, and before provisioning no such database.
    if (error instanceof ApiError && (error.status === 404 || /no such table/i.test(error.message)))
      return [];
    throw error;
  }
}

/**
 * Applies the migrations that the database does not have, by wrangler; where it has them all, nothing is started.
 *
 * @returns the names of the migrations that were applied now
 * @throws CommandError in wrangler's words
 */
export async function applyMigrations(place: Place): Promise<string[]> {
  const pending = await pendingMigrations(place);
  if (pending.length === 0) return [];
  const args = ["d1", "migrations", "apply", BINDING, "--env", place.name, "--remote"];
  const run = await wrangler(args, false, { CLOUDFLARE_ACCOUNT_ID: place.accountId });
  if (run.code === 0) return pending;
  throw new CommandError(`The migrations were not applied; run again.\n${(run.stderr || run.stdout).trim()}`);
}

function databaseOf({ d1_databases: databases }: Table): Table {
  const found = Array.isArray(databases) ? databases.filter(isTable) : [];
  return found.find(({ binding }) => binding === BINDING) ?? {};
}
