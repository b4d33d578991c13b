/**
 * The ledger's older tables, with one row for each event (migration 0002). Nothing is written there any more but by a Worker of before
 * migration 0003 while it is replaced. The cron moves what they hold; until then they are read, erased and swept with the rest.
 */
import type { Moved } from "../../ports/ledger.ts";
import type { Unavailable } from "../../ports/result.ts";
import { readRows, writeAll } from "./d1.ts";
import { type EventTable, ledgerQuestions } from "./d1-ledger-questions.ts";
import { LEDGER_COLUMNS, placedRowSchema } from "./d1-ledger-rows.ts";
import { eventStatements } from "./d1-ledger-writes.ts";

const OLDER_TABLES: EventTable = {
  events: `(SELECT ledger.at AS began_at, ledger.at AS last_at, ledger.id AS verification, ledger.seq AS place,
      ${Object.keys(LEDGER_COLUMNS)
        .map((column) => `ledger.${column} AS ${column}`)
        .join(", ")},
      ledger.verified AS verified, ledger_numbers.sealed AS sealed_number, ledger_addresses.sealed AS sealed_address
    FROM ledger
    LEFT JOIN ledger_numbers ON ledger_numbers.event_id = ledger.id
    LEFT JOIN ledger_addresses ON ledger_addresses.event_id = ledger.id) AS older_events`,
  verification: "correlation_id",
  ofNumbers: "SELECT correlation_id FROM ledger WHERE number_tag IN (SELECT value FROM json_each(?1))",
};

/** Rows of everything that belongs to a person's verifications. */
const THEIRS = `SELECT id FROM ledger WHERE correlation_id IN (${OLDER_TABLES.ofNumbers})`;

/** The latest `?1` events, and everything else of their verifications: what belongs together moves together. */
const LATEST = `WITH latest AS (SELECT id, correlation_id FROM ledger ORDER BY at DESC, seq DESC LIMIT ?1)
  SELECT began_at AS beganMs, verification, place, verified, sealed_number AS sealedNumber, sealed_address AS sealedAddress,
    ${Object.entries(LEDGER_COLUMNS)
      .map(([column, name]) => `${column} AS ${name}`)
      .join(", ")}
  FROM ${OLDER_TABLES.events}
  WHERE correlation_id IN (SELECT correlation_id FROM latest)
    OR id IN (SELECT id FROM latest WHERE correlation_id IS NULL)`;

/**
 * Fails, and the whole move with it, where one of the events `?1` was erased or moved by somebody else since they were read: an
 * erasure must not be undone by a copy of before.
 */
const UNTOUCHED = `SELECT iif(count(*) = json_array_length(?1), 0, json('erased or moved meanwhile'))
  FROM json_each(?1) AS read JOIN ledger ON ledger.id = read.value ->> 'id' AND ledger.number_tag IS read.value ->> 'tag'`;

const MOVED = [
  "DELETE FROM ledger_numbers WHERE event_id IN (SELECT value ->> 'id' FROM json_each(?1))",
  "DELETE FROM ledger_addresses WHERE event_id IN (SELECT value ->> 'id' FROM json_each(?1))",
  "DELETE FROM ledger WHERE id IN (SELECT value ->> 'id' FROM json_each(?1))",
];

/** The older tables of a ledger. */
export function olderTables(db: D1Database) {
  return {
    questions: ledgerQuestions(db, OLDER_TABLES),

    /** In this order: sealed numbers, sealed addresses, events. */
    eraseStatements: [
      `DELETE FROM ledger_numbers WHERE event_id IN (${THEIRS})`,
      `DELETE FROM ledger_addresses WHERE event_id IN (${THEIRS})`,
      `UPDATE ledger SET session_id = NULL, subnet = NULL, address_tag = NULL, number_tag = NULL, user_tag = NULL,
         tag_key = NULL, message_id = NULL WHERE id IN (${THEIRS})`,
    ],

    /** Moves the latest events, with everything of their verifications, in one transaction. */
    async move(limit: number): Promise<Moved | Unavailable> {
      const read = await readRows(db.prepare(LATEST).bind(limit), placedRowSchema);
      if (!Array.isArray(read)) return read;
      if (read.length === 0) return { kind: "moved", events: 0, more: false };
      const events = read.map(({ row: { verified: _, ...event } }) => event);
      const names = JSON.stringify(events.map(({ id, numberTag: tag }) => ({ id, tag })));
      const moved = await writeAll(db, [
        db.prepare(UNTOUCHED).bind(names),
        ...eventStatements(db, events),
        ...MOVED.map((sql) => db.prepare(sql).bind(names)),
      ]);
      if (moved.kind === "unavailable") return moved;
      return { kind: "moved", events: moved.changes.at(-1) ?? 0, more: true };
    },
  };
}
