/** A D1 database of its own in workerd, laid out by the repository's migrations; for benches and contract tests. */
import { readdirSync, readFileSync } from "node:fs";
import { Miniflare } from "miniflare";
import { LEDGER_COLUMNS } from "../../src/adapters/cloudflare/d1-ledger-rows.ts";
import type { LedgerEvent } from "../../src/domain/ledger/event.ts";

const MIGRATIONS = new URL("../../src/data/migrations/", import.meta.url);

/** Each statement of a migration by itself. */
function statements(name: string): string[] {
  return readFileSync(new URL(name, MIGRATIONS), "utf8")
    .replace(/^\s*--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

export async function migrate(db: D1Database, name: string): Promise<void> {
  for (const statement of statements(name)) await db.prepare(statement).run();
}

/** Applies all migrations in their order. */
export async function migrateAll(db: D1Database): Promise<void> {
  for (const name of readdirSync(MIGRATIONS).toSorted()) await migrate(db, name);
}

/** Opens a database as D1 keeps it, without tables; it is gone with its process. */
export async function openDatabase() {
  const miniflare = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response() }",
    d1Databases: ["DB"],
  });
  const db = (await miniflare.getD1Database("DB")) as unknown as D1Database;
  return { db, dispose: () => miniflare.dispose() };
}

/** Writes events as a Worker of before migration 0003 did. */
export async function writeOlder(db: D1Database, events: readonly LedgerEvent[]): Promise<void> {
  const columns: [string, keyof LedgerEvent][] = Object.entries(LEDGER_COLUMNS);
  const json = JSON.stringify(events);
  const field = (name: string) => `value ->> '$.${name}'`;
  const sealed = (table: string, name: string) =>
    `INSERT INTO ${table} (event_id, at, key_id, sealed)
     SELECT ${field("id")}, ${field("atMs")}, substr(${field(name)}, 1, instr(${field(name)}, '.') - 1), ${field(name)}
     FROM json_each(?1) WHERE ${field(name)} IS NOT NULL ON CONFLICT (event_id) DO NOTHING`;
  await db.batch(
    [
      `INSERT INTO ledger (${columns.map(([column]) => column).join(", ")})
       SELECT ${columns.map(([, name]) => field(name)).join(", ")} FROM json_each(?1) WHERE true ON CONFLICT (id) DO NOTHING`,
      sealed("ledger_numbers", "sealedNumber"),
      sealed("ledger_addresses", "sealedAddress"),
      `UPDATE ledger SET verified = 1 WHERE kind = 'sent' AND correlation_id IN (SELECT ${field("correlationId")} FROM json_each(?1))
         AND EXISTS (SELECT 1 FROM ledger AS answer WHERE answer.id = 'verified.' || ledger.correlation_id)`,
    ].map((sql) => db.prepare(sql).bind(json)),
  );
}
