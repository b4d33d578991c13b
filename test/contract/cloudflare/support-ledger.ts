import { readFileSync } from "node:fs";
import { Miniflare } from "miniflare";
import { LEDGER_COLUMNS } from "../../../src/adapters/cloudflare/d1-ledger-rows.ts";
import { EMPTY_EVENT_DETAILS, type LedgerEvent } from "../../../src/domain/ledger/event.ts";

export const NOON = Date.UTC(2026, 6, 1, 12);
export const MINUTE = 60_000;
export const DAY = 86_400_000;

/** Each statement of a migration by itself. */
function statements(name: string): string[] {
  return readFileSync(new URL(`../../../src/data/migrations/${name}`, import.meta.url), "utf8")
    .replace(/^\s*--.*$/gm, "")
    .split(";")
    .map((statement) => statement.trim())
    .filter((statement) => statement !== "");
}

export async function migrate(db: D1Database, name: string): Promise<void> {
  for (const statement of statements(name)) await db.prepare(statement).run();
}

/** A database as D1 keeps it, without tables. */
export async function openDatabase() {
  const miniflare = new Miniflare({
    modules: true,
    script: "export default { fetch: () => new Response() }",
    d1Databases: ["DB"],
  });
  const db = (await miniflare.getD1Database("DB")) as unknown as D1Database;
  return { db, dispose: () => miniflare.dispose() };
}

export function event(id: string, facts: Partial<LedgerEvent> = {}): LedgerEvent {
  const kind = id.slice(0, id.indexOf(".")) as LedgerEvent["kind"];
  return { ...EMPTY_EVENT_DETAILS, id, kind, atMs: NOON, ...facts };
}

/** A message that left, of verification `c<n>`. */
export const sent = (n: number, facts: Partial<LedgerEvent> = {}): LedgerEvent =>
  event(`sent.c${n}.0`, {
    correlationId: `c${n}`,
    country: "IN",
    prefix: "+91987",
    block: "+91987654",
    asn: 64500,
    subnet: "198.51.100.0/24",
    addressTag: "address-1",
    numberTag: `number-${n}`,
    userTag: "user-1",
    tagKeyId: "pepper-1",
    provider: "twilio",
    channel: "sms",
    messageId: `SM${n}`,
    costMicros: 3000,
    dltMicros: 500,
    receipt: "accepted",
    sealedNumber: `key-1.nonce.number${n}`,
    sealedAddress: `key-1.nonce.address${n}`,
    ...facts,
  });

const MIGRATIONS = ["0001_records.sql", "0002_ledger.sql", "0003_verifications.sql"];

export async function migrateAll(db: D1Database): Promise<void> {
  for (const name of MIGRATIONS) await migrate(db, name);
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
