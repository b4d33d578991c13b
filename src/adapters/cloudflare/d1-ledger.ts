import * as z from "zod";
import type { LedgerRow, VolumeDimension } from "../../domain/ledger/event.ts";
import type { LedgerWindow, Upkeep, VerificationLedgerPort } from "../../ports/ledger.ts";
import type { Unavailable } from "../../ports/result.ts";
import { jsonColumn } from "../json.ts";
import { firstRow, readRows, writeAll } from "./d1.ts";
import {
  LEDGER_COLUMNS,
  ledgerRowSchema,
  refusalSchema,
  VOLUME_COLUMNS,
  volumeSchema,
} from "./d1-ledger-rows.ts";
import { ERASE_STATEMENTS, eventStatements, sweepOf } from "./d1-ledger-writes.ts";

/** The most rows one question gets. */
const MOST_ROWS = 1000;

const SELECT = `SELECT ledger.seq, ledger.verified,
    ${Object.entries(LEDGER_COLUMNS)
      .map(([column, name]) => `ledger.${column} AS ${name}`)
      .join(", ")},
    ledger_numbers.sealed AS sealedNumber, ledger_addresses.sealed AS sealedAddress
  FROM ledger
  LEFT JOIN ledger_numbers ON ledger_numbers.event_id = ledger.id
  LEFT JOIN ledger_addresses ON ledger_addresses.event_id = ledger.id`;

const COUNT_REFUSALS = `INSERT INTO refusals (at, dimension, subject, count)
  SELECT value ->> '$.atMs', value ->> '$.dimension', value ->> '$.subject', value ->> '$.count'
  FROM json_each(?1) WHERE true
  ON CONFLICT (at, dimension, subject) DO UPDATE SET count = excluded.count WHERE excluded.count > refusals.count`;

const keySchema = z.object({ keyId: z.string(), sealed: z.int() });
const addressSchema = z.object({ addressTag: z.string(), eventId: z.string(), sealed: z.string() });
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const upkeepSchema: z.ZodType<Upkeep> = z.object({
  atMs: z.int(),
  report: jsonColumn(z.record(z.string(), scalar)),
});

/** The ledger in D1. Failures, and rows nobody can read, are `unavailable`. */
export function d1Ledger(db: D1Database): VerificationLedgerPort {
  const ofWindow = ({ country }: LedgerWindow) => (country === null ? "" : "AND ledger.country = ?3");
  const bound = ({ fromMs, toMs, country }: LedgerWindow) =>
    country === null ? [fromMs, toMs] : [fromMs, toMs, country];

  async function rows(
    statement: D1PreparedStatement,
  ): Promise<{ kind: "answered"; rows: LedgerRow[] } | Unavailable> {
    const read = await readRows(statement, ledgerRowSchema);
    return Array.isArray(read) ? { kind: "answered", rows: read.map(({ row }) => row) } : read;
  }

  return {
    async write(events) {
      if (events.length === 0) return { kind: "done" };
      const written = await writeAll(db, eventStatements(db, events));
      return written.kind === "done" ? { kind: "done" } : written;
    },

    async page(window, cursor, limit, kind) {
      const [atMs = window.fromMs, seq = 0] = cursor === null ? [] : cursor.split(".").map(Number);
      if (!Number.isSafeInteger(atMs) || !Number.isSafeInteger(seq)) {
        return { kind: "unavailable", cause: "this is no cursor" };
      }
      const most = bounded(limit);
      const values: (string | number)[] = bound({ ...window, fromMs: Math.max(atMs, window.fromMs) });
      const ofKind = kind === undefined ? "" : `AND ledger.kind = ?${values.push(kind)}`;
      const read = await readRows(
        db
          .prepare(
            `${SELECT} WHERE ledger.at >= ?1 AND ledger.at < ?2 ${ofWindow(window)} ${ofKind}
               AND (ledger.at > ?1 OR ledger.seq > ${seq})
             ORDER BY ledger.at, ledger.seq LIMIT ${most}`,
          )
          .bind(...values),
        ledgerRowSchema,
      );
      if (!Array.isArray(read)) return read;
      const last = read.at(-1);
      return {
        kind: "answered",
        rows: read.map(({ row }) => row),
        cursor: last && read.length === most ? `${last.row.atMs}.${last.seq}` : null,
      };
    },

    story(correlationId) {
      return rows(
        db
          .prepare(
            `${SELECT} WHERE ledger.correlation_id = ?1 ORDER BY ledger.at, ledger.seq LIMIT ${MOST_ROWS}`,
          )
          .bind(correlationId),
      );
    },

    byNumber(numberTags) {
      return rows(
        db
          .prepare(
            `${SELECT} WHERE ledger.correlation_id IN (
               SELECT correlation_id FROM ledger WHERE number_tag IN (SELECT value FROM json_each(?1))
             ) ORDER BY ledger.at DESC, ledger.seq DESC LIMIT ${MOST_ROWS}`,
          )
          .bind(JSON.stringify(numberTags)),
      );
    },

    async volumes(by, window, limit) {
      const volumes = await readRows(
        db.prepare(volumesOf(by, ofWindow(window), bounded(limit))).bind(...bound(window)),
        volumeSchema,
      );
      return Array.isArray(volumes) ? { kind: "answered", volumes } : volumes;
    },

    async addresses(addressTags) {
      const addresses = await readRows(
        db
          .prepare(
            `SELECT ledger.address_tag AS addressTag, ledger_addresses.event_id AS eventId,
               ledger_addresses.sealed AS sealed, max(ledger.at)
             FROM ledger JOIN ledger_addresses ON ledger_addresses.event_id = ledger.id
             WHERE ledger.address_tag IN (SELECT value FROM json_each(?1)) GROUP BY ledger.address_tag`,
          )
          .bind(JSON.stringify(addressTags)),
        addressSchema,
      );
      return Array.isArray(addresses) ? { kind: "answered", addresses } : addresses;
    },

    async refusals({ fromMs, toMs }) {
      const counts = await readRows(
        db
          .prepare(
            `SELECT at AS atMs, dimension, subject, count FROM refusals WHERE at >= ?1 AND at < ?2
             ORDER BY at, dimension, subject`,
          )
          .bind(fromMs, toMs),
        refusalSchema,
      );
      return Array.isArray(counts) ? { kind: "answered", counts } : counts;
    },

    async countRefusals(counts) {
      if (counts.length === 0) return { kind: "done" };
      const written = await writeAll(db, [db.prepare(COUNT_REFUSALS).bind(JSON.stringify(counts))]);
      return written.kind === "done" ? { kind: "done" } : written;
    },

    async erase(numberTags) {
      const tags = JSON.stringify(numberTags);
      const erased = await writeAll(
        db,
        ERASE_STATEMENTS.map((sql) => db.prepare(sql).bind(tags)),
      );
      if (erased.kind === "unavailable") return erased;
      const [numbers = 0, addresses = 0, letters = 0, anonymised = 0] = erased.changes;
      return { kind: "erased", rows: anonymised, sealed: numbers + addresses, letters };
    },

    async sealedByKey() {
      const keys = await readRows(
        db.prepare(
          `SELECT key_id AS keyId, count(*) AS sealed FROM (
             SELECT key_id FROM ledger_numbers UNION ALL SELECT key_id FROM ledger_addresses
           ) GROUP BY key_id ORDER BY key_id`,
        ),
        keySchema,
      );
      return Array.isArray(keys) ? { kind: "answered", keys } : keys;
    },

    async sweep({ numbersBeforeMs, addressesBeforeMs, eventsBeforeMs }, limit) {
      const sweep = (sql: string, beforeMs: number) => db.prepare(sql).bind(beforeMs, limit);
      const swept = await writeAll(db, [
        sweep(sweepOf("ledger_numbers"), numbersBeforeMs),
        sweep(sweepOf("ledger_addresses"), addressesBeforeMs),
        sweep(sweepOf("ledger"), eventsBeforeMs),
        sweep(sweepOf("refusals"), eventsBeforeMs),
        // A letter holds both sealed texts: it goes with the first of them.
        sweep(sweepOf("dead_letters", "queue = 'ledger'"), Math.max(numbersBeforeMs, addressesBeforeMs)),
      ]);
      if (swept.kind === "unavailable") return swept;
      const [numbers = 0, addresses = 0, events = 0, refusals = 0, letters = 0] = swept.changes;
      const more = swept.changes.some((changed) => changed >= limit);
      return { kind: "swept", numbers, addresses, events, refusals, letters, more };
    },

    async upkeep(name) {
      return firstRow(
        await readRows(
          db.prepare("SELECT at AS atMs, report FROM ledger_upkeep WHERE name = ?1").bind(name),
          upkeepSchema,
        ),
      );
    },

    async keepUpkeep(name, { atMs, report }) {
      const written = await writeAll(db, [
        db
          .prepare(
            `INSERT INTO ledger_upkeep (name, at, report) VALUES (?1, ?2, ?3)
             ON CONFLICT (name) DO UPDATE SET at = excluded.at, report = excluded.report`,
          )
          .bind(name, atMs, JSON.stringify(report)),
      ]);
      return written.kind === "done" ? { kind: "done" } : written;
    },
  };
}

const bounded = (limit: number) => Math.min(MOST_ROWS, Math.max(1, Math.floor(limit)));

function volumesOf(by: VolumeDimension, where: string, limit: number): string {
  const column = VOLUME_COLUMNS[by];
  return `SELECT CAST(${column} AS TEXT) AS subject, min(at) AS firstAtMs, max(at) AS lastAtMs,
      sum(kind = 'sent') AS sent,
      sum(kind = 'sent' AND receipt = 'delivered') AS delivered,
      sum(kind = 'sent' AND receipt = 'undelivered') AS undelivered,
      sum(verified) AS verified,
      coalesce(sum(cost_micros), 0) AS costMicros,
      coalesce(sum(dlt_micros), 0) AS dltMicros,
      sum(kind IN ('refused', 'challenged')) AS refused
    FROM ledger
    WHERE kind IN ('sent', 'refused', 'challenged') AND at >= ?1 AND at < ?2 ${where} AND ${column} IS NOT NULL
    GROUP BY ${column} ORDER BY sent DESC, subject LIMIT ${limit}`;
}
