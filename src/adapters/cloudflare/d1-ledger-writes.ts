/**
 * How events become rows: every statement takes its rows as one JSON parameter (D1 binds at most 100 to a statement and
 * 2 MB each), all of a write are one transaction, and doing it again changes nothing.
 *
 * @see https://developers.cloudflare.com/d1/platform/limits/
 */
import { MINUTE_MS } from "../../domain/kernel/time.ts";
import { type LedgerEvent, SAMPLES_PER_MINUTE } from "../../domain/ledger/event.ts";
import { LEDGER_COLUMNS } from "./d1-ledger-rows.ts";

const field = (name: keyof LedgerEvent) => `value ->> '$.${name}'`;

const INSERT_EVENTS = `INSERT INTO ledger (${Object.keys(LEDGER_COLUMNS).join(", ")})
  SELECT ${Object.values(LEDGER_COLUMNS).map(field).join(", ")} FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO NOTHING`;

const insertSealed = (table: string, sealed: "sealedNumber" | "sealedAddress") =>
  `INSERT INTO ${table} (event_id, at, key_id, sealed)
   SELECT ${field("id")}, ${field("atMs")},
     substr(${field(sealed)}, 1, instr(${field(sealed)}, '.') - 1), ${field(sealed)}
   FROM json_each(?1) WHERE ${field(sealed)} IS NOT NULL
   ON CONFLICT (event_id) DO NOTHING`;

/** A message and its later events arrive apart and in any order: whichever comes last finds the other. */
const OF_THESE = `kind = 'sent' AND correlation_id IN (SELECT ${field("correlationId")} FROM json_each(?1))`;

const MARK_VERIFIED = `UPDATE ledger INDEXED BY ledger_by_correlation SET verified = 1
  WHERE ${OF_THESE} AND verified = 0
    AND EXISTS (SELECT 1 FROM ledger AS answer WHERE answer.id = 'verified.' || ledger.correlation_id)`;

const markReceipt = (word: "delivered" | "undelivered", over: string) =>
  `UPDATE ledger INDEXED BY ledger_by_correlation SET receipt = '${word}'
   WHERE ${OF_THESE} AND receipt IN (${over})
     AND EXISTS (SELECT 1 FROM ledger AS word WHERE word.id = '${word}.' || substr(ledger.id, length('sent.') + 1))`;

/** Refused requests of these minutes that found no more room. */
const OVERFLOW = `SELECT id FROM (
    SELECT ledger.id, row_number() OVER (PARTITION BY ledger.at / ${MINUTE_MS} ORDER BY ledger.at, ledger.id) AS place
    FROM json_each(?1) AS minutes
    JOIN ledger ON ledger.kind IN ('refused', 'challenged')
      AND ledger.at >= minutes.value AND ledger.at < minutes.value + ${MINUTE_MS}
  ) WHERE place > ${SAMPLES_PER_MINUTE}`;

const SAMPLED = ["refused", "challenged"];

export function eventStatements(db: D1Database, events: readonly LedgerEvent[]): D1PreparedStatement[] {
  const json = JSON.stringify(events);
  const sampled = events.filter(({ kind }) => SAMPLED.includes(kind));
  const minutes = JSON.stringify([
    ...new Set(sampled.map(({ atMs }) => Math.floor(atMs / MINUTE_MS) * MINUTE_MS)),
  ]);
  return [
    ...[
      INSERT_EVENTS,
      insertSealed("ledger_numbers", "sealedNumber"),
      insertSealed("ledger_addresses", "sealedAddress"),
      MARK_VERIFIED,
      markReceipt("undelivered", "'accepted', 'unknown'"),
      markReceipt("delivered", "'accepted', 'unknown', 'undelivered'"),
    ].map((sql) => db.prepare(sql).bind(json)),
    ...(sampled.length === 0
      ? []
      : [
          `DELETE FROM ledger_addresses WHERE event_id IN (${OVERFLOW})`,
          `DELETE FROM ledger WHERE id IN (${OVERFLOW})`,
        ].map((sql) => db.prepare(sql).bind(minutes))),
  ];
}

/** Rows of everything that belongs to a person's verifications. */
const THEIRS = `SELECT id FROM ledger WHERE correlation_id IN (
    SELECT correlation_id FROM ledger WHERE number_tag IN (SELECT value FROM json_each(?1))
  )`;

/** In this order: sealed numbers, sealed addresses, dead letters, rows. */
export const ERASE_STATEMENTS = [
  `DELETE FROM ledger_numbers WHERE event_id IN (${THEIRS})`,
  `DELETE FROM ledger_addresses WHERE event_id IN (${THEIRS})`,
  `DELETE FROM dead_letters WHERE queue = 'ledger'
     AND EXISTS (SELECT 1 FROM json_each(?1) WHERE instr(dead_letters.body, value) > 0)`,
  `UPDATE ledger SET session_id = NULL, subnet = NULL, address_tag = NULL, number_tag = NULL, user_tag = NULL,
     tag_key = NULL, message_id = NULL WHERE id IN (${THEIRS})`,
];

/** The oldest rows of a table, up to `?2` of them, from before `?1`. */
export const sweepOf = (table: string, which = "true") =>
  `DELETE FROM ${table} WHERE rowid IN (SELECT rowid FROM ${table} WHERE at < ?1 AND ${which} ORDER BY at LIMIT ?2)`;
