/**
 * How events become rows: every statement takes its rows as one JSON parameter (D1 binds at most 100 to a statement and
 * 2 MB each), all of a write are one transaction, and doing it again changes nothing and writes nothing.
 *
 * @see https://developers.cloudflare.com/d1/platform/limits/
 */
import { MINUTE_MS } from "../../domain/kernel/time.ts";
import { type LedgerEvent, SAMPLES_PER_MINUTE } from "../../domain/ledger/event.ts";
import { columnBit, SHARED_COLUMNS, verificationRows } from "./d1-verification-rows.ts";

const shared: readonly string[] = SHARED_COLUMNS;

/** The name of a stored event within its row. */
const nameOf = (event: string) =>
  `coalesce(${event} ->> 'id', (${event} ->> 'kind') || coalesce(${event} ->> 'of', ''))`;

/** D1 lets a function have 32 arguments: so many facts, with a path and a value each, are set at once. */
const FACTS_AT_ONCE = 8;

/** A stored event that shared the facts of one row, written so that it says the same in another row. */
const rebased = (event: string, from: (column: string) => string, to: string) => {
  const differs = (column: string) =>
    `iif(json_type(${event}, '$.${column}') IS NULL AND coalesce(${event} ->> 'without', 0) & ${columnBit(column)} = 0
       AND ${from(column)} IS NOT ${to}.${column}, '$.${column}', '$.same')`;
  let said = event;
  for (let i = 0; i < shared.length; i += FACTS_AT_ONCE) {
    const facts = shared.slice(i, i + FACTS_AT_ONCE).map((column) => `${differs(column)}, ${from(column)}`);
    said = `json_set(${said}, ${facts.join(", ")})`;
  }
  return `json_remove(${said}, '$.same')`;
};

const listOf = (select: string) =>
  `(SELECT json_group_array(json(one.value) ORDER BY one.place) FROM (${select}) AS one)`;

const IS_NEW = `${nameOf("fresh.value")} NOT IN (SELECT ${nameOf("value")} FROM json_each(verifications.events))`;

/** Writes new rows, and adds to a stored one the events that it does not have. The usual event changes neither of the indexes. */
const MERGE_ROWS = `INSERT INTO verifications (id, at, last_at, ${shared.join(", ")}, events)
  SELECT value ->> 'id', value ->> 'at', value ->> 'last_at', ${shared.map((column) => `value ->> '${column}'`).join(", ")},
    value -> 'events'
  FROM json_each(?1) WHERE true
  ON CONFLICT (id) DO UPDATE SET
    last_at = max(verifications.last_at, excluded.last_at),
    events = ${listOf(`SELECT value, key AS place FROM json_each(verifications.events)
      UNION ALL
      SELECT ${rebased("fresh.value", (column) => `excluded.${column}`, "verifications")}, fresh.key + json_array_length(verifications.events)
      FROM json_each(excluded.events) AS fresh WHERE ${IS_NEW}`)}
  WHERE EXISTS (SELECT 1 FROM json_each(excluded.events) AS fresh WHERE ${IS_NEW})`;

/** Events come in any order: a row that began without its number gets the number's facts as soon as they are there. */
const ADOPT_NUMBER = `UPDATE verifications SET
    ${shared.map((column) => `${column} = fresh.value ->> '${column}'`).join(", ")},
    events = ${listOf(`SELECT ${rebased("held.value", (column) => `verifications.${column}`, "shared")} AS value, held.key AS place
      FROM json_each(verifications.events) AS held,
        (SELECT ${shared.map((column) => `fresh.value ->> '${column}' AS ${column}`).join(", ")}) AS shared`)}
  FROM json_each(?1) AS fresh
  WHERE verifications.id = fresh.value ->> 'id'
    AND verifications.number_tag IS NULL AND fresh.value ->> 'number_tag' IS NOT NULL`;

/** The time of the first event that a stored row does not have. */
const FIRST_NEW = `(SELECT min(fresh.value ->> 'at') FROM json_each(given.value -> 'events') AS fresh WHERE ${IS_NEW})`;
/** A row is as old as its first event, also when that comes last. */
const MOVE_BACK = `UPDATE verifications SET at = ${FIRST_NEW} FROM json_each(?1) AS given
  WHERE verifications.id = given.value ->> 'id' AND verifications.at > given.value ->> 'at' AND verifications.at > ${FIRST_NEW}`;

/** A sealed text that comes weeks late makes the sweep begin there again. */
const LOWER_MARKS =
  "UPDATE ledger_upkeep SET at = ?1 WHERE name IN ('stripped numbers', 'stripped addresses') AND at > ?1";

/** A session lives ten minutes: a request that its provider refused may belong to a row that began as long ago. */
const SESSION_MS = 10 * MINUTE_MS;

/** Refused requests of these minutes that found no more room, by row. */
const OVERFLOW = `SELECT verification, json_group_array(name) AS names FROM (
    SELECT verification, ledger_events.id AS name,
      row_number() OVER (PARTITION BY ledger_events.at / ${MINUTE_MS} ORDER BY ledger_events.at, ledger_events.id) AS place
    FROM json_each(?1) AS minutes
    JOIN ledger_events ON began_at >= minutes.value - ${SESSION_MS} AND began_at < minutes.value + ${MINUTE_MS}
    WHERE last_at >= minutes.value AND kind IN ('refused', 'challenged')
      AND ledger_events.at >= minutes.value AND ledger_events.at < minutes.value + ${MINUTE_MS}
  ) WHERE place > ${SAMPLES_PER_MINUTE} GROUP BY verification`;

const FULL_NAME =
  "coalesce(value ->> 'id', (value ->> 'kind') || '.' || verifications.id || coalesce(value ->> 'of', ''))";

const DROP_OVERFLOW = [
  `UPDATE verifications SET events = ${listOf(`SELECT value, key AS place FROM json_each(verifications.events)
     WHERE ${FULL_NAME} NOT IN (SELECT value FROM json_each(overflow.names))`)}
   FROM (${OVERFLOW}) AS overflow WHERE verifications.id = overflow.verification`,
  `DELETE FROM verifications WHERE id IN (SELECT verifications.id FROM json_each(?1) AS minutes
     JOIN verifications ON verifications.at >= minutes.value AND verifications.at < minutes.value + ${MINUTE_MS}
     WHERE events = '[]')`,
];

const SAMPLED = ["refused", "challenged"];

/** The statements that write events, in this order and together. */
export function eventStatements(db: D1Database, events: readonly LedgerEvent[]): D1PreparedStatement[] {
  const rows = JSON.stringify(verificationRows(events));
  const sealed = events.filter((event) => event.sealedNumber !== null || event.sealedAddress !== null);
  const minutes = [
    ...new Set(
      events
        .filter(({ kind }) => SAMPLED.includes(kind))
        .map(({ atMs }) => Math.floor(atMs / MINUTE_MS) * MINUTE_MS),
    ),
  ];
  return [
    ...[ADOPT_NUMBER, MOVE_BACK, MERGE_ROWS].map((sql) => db.prepare(sql).bind(rows)),
    ...(sealed.length === 0
      ? []
      : [db.prepare(LOWER_MARKS).bind(Math.min(...sealed.map(({ atMs }) => atMs)) - SESSION_MS)]),
    ...(minutes.length === 0
      ? []
      : DROP_OVERFLOW.map((sql) => db.prepare(sql).bind(JSON.stringify(minutes)))),
  ];
}

/** The rows of a person's verifications. */
const THEIRS = "number_tag IN (SELECT value FROM json_each(?1))";

/** Everything of a row, or of an event in it, that could name its person. */
const PERSONAL = ["session_id", "subnet", "address_tag", "number_tag", "user_tag", "tag_key", "message_id"];
const PERSONAL_OF_EVENT = [...PERSONAL, "number", "address"];

/** The events of a row without some of their facts. */
export const withoutFacts = (facts: readonly string[]) =>
  listOf(`SELECT json_remove(value, ${facts.map((fact) => `'$.${fact}'`).join(", ")}) AS value, key AS place
    FROM json_each(verifications.events)`);

/** Counts a person's events and sealed texts; takes the person out of the dead letters; and out of the rows. */
export const ERASE_STATEMENTS = [
  `SELECT count(*) AS events, coalesce(sum((sealed_number IS NOT NULL) + (sealed_address IS NOT NULL)), 0) AS sealed
   FROM ledger_events WHERE verification IN (SELECT id FROM verifications WHERE ${THEIRS})`,
  `DELETE FROM dead_letters WHERE queue = 'ledger'
     AND EXISTS (SELECT 1 FROM json_each(?1) WHERE instr(dead_letters.body, value) > 0)`,
  `UPDATE verifications SET ${PERSONAL.map((column) => `${column} = NULL`).join(", ")},
     events = ${withoutFacts(PERSONAL_OF_EVENT)} WHERE ${THEIRS}`,
];
