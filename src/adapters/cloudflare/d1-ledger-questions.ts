/** Questions to the ledger's events, wherever D1 holds them. */
import * as z from "zod";
import { DAY_MS, HOUR_MS } from "../../domain/kernel/time.ts";
import type { LedgerPosition } from "../../domain/ledger/cursor.ts";
import type { EventKind, Volume, VolumeDimension } from "../../domain/ledger/event.ts";
import type { LedgerWindow } from "../../ports/ledger.ts";
import type { Unavailable } from "../../ports/result.ts";
import { readRows } from "./d1.ts";
import {
  LEDGER_COLUMNS,
  type PlacedRow,
  placedRowSchema,
  VOLUME_COLUMNS,
  volumeSchema,
} from "./d1-ledger-rows.ts";

/** A table or view with one row for each event, in the columns of the view `ledger_events` (migration 0003). */
export interface EventTable {
  events: string;
  /** The column that is searched for one verification. */
  verification: string;
  /** A query for the verifications of the numbers whose tags are the JSON array `?1`. */
  ofNumbers: string;
}

/** The most rows one question gets. */
export const MOST_ROWS = 1000;

/**
 * How long after its first event a verification may have events of these kinds: all that a request or a session's end brings, with
 * room; and everything, receipts included, which providers send for two days and the queue holds for another.
 */
const SESSION_SPAN_MS = HOUR_MS;
const LONGEST_SPAN_MS = 3 * DAY_MS;
const LATE_KINDS: readonly (EventKind | undefined)[] = [undefined, "delivered", "undelivered", "feedback"];

const FIELDS = `began_at AS beganMs, verification, place, verified, sealed_number AS sealedNumber, sealed_address AS sealedAddress,
  ${Object.entries(LEDGER_COLUMNS)
    .map(([column, name]) => `${column} AS ${name}`)
    .join(", ")}`;

const keySchema = z.object({ keyId: z.string(), sealed: z.int() });

type Rows = PlacedRow[] | Unavailable;

/** The questions of the ledger to one source. */
export function ledgerQuestions(db: D1Database, source: EventTable) {
  const select = `SELECT ${FIELDS} FROM ${source.events}`;
  return {
    /** Events after a position, in the ledger's order. */
    page(
      { fromMs, toMs, country }: LedgerWindow,
      after: LedgerPosition | null,
      limit: number,
      kind: EventKind | undefined,
    ): Promise<Rows> {
      const spanMs = LATE_KINDS.includes(kind) ? LONGEST_SPAN_MS : SESSION_SPAN_MS;
      const beganMs = Math.max(fromMs - spanMs, after?.beganMs ?? 0);
      const statement = db.prepare(
        `${select} WHERE began_at >= ?1 AND began_at < ?2 AND last_at >= ?3 AND at >= ?3 AND at < ?2
           AND (?4 IS NULL OR country = ?4) AND (?5 IS NULL OR kind = ?5)
           AND (began_at, verification, place) > (?6, ?7, ?8)
         ORDER BY began_at, verification, place LIMIT ${limit}`,
      );
      const position = [after?.beganMs ?? -1, after?.verification ?? "", after?.place ?? 0];
      return readRows(
        statement.bind(beganMs, toMs, fromMs, country, kind ?? null, ...position),
        placedRowSchema,
      );
    },

    story: (correlationId: string): Promise<Rows> =>
      readRows(
        db
          .prepare(`${select} WHERE ${source.verification} = ?1 ORDER BY at, place LIMIT ${MOST_ROWS}`)
          .bind(correlationId),
        placedRowSchema,
      ),

    /** The latest first. */
    byNumber: (numberTags: readonly string[]): Promise<Rows> =>
      readRows(
        db
          .prepare(
            `${select} WHERE ${source.verification} IN (${source.ofNumbers}) ORDER BY at DESC, verification DESC, place DESC LIMIT ${MOST_ROWS}`,
          )
          .bind(JSON.stringify(numberTags)),
        placedRowSchema,
      ),

    volumes(by: VolumeDimension, { fromMs, toMs, country }: LedgerWindow): Promise<Volume[] | Unavailable> {
      const column = VOLUME_COLUMNS[by];
      return readRows(
        db
          .prepare(
            // The inner query with its limit is not merged into the outer one, which would read each fact several times.
            `SELECT CAST(subject AS TEXT) AS subject, min(at) AS firstAtMs, max(at) AS lastAtMs,
               sum(kind = 'sent') AS sent,
               sum(kind = 'sent' AND receipt = 'delivered') AS delivered,
               sum(kind = 'sent' AND receipt = 'undelivered') AS undelivered,
               sum(verified) AS verified,
               coalesce(sum(cost_micros), 0) AS costMicros,
               coalesce(sum(dlt_micros), 0) AS dltMicros,
               sum(kind IN ('refused', 'challenged')) AS refused
             FROM (
               SELECT ${column} AS subject, at, kind, receipt, verified, cost_micros, dlt_micros FROM ${source.events}
               WHERE began_at >= ?1 AND began_at < ?2 AND last_at >= ?3 AND kind IN ('sent', 'refused', 'challenged')
                 AND at >= ?3 AND at < ?2 AND (?4 IS NULL OR country = ?4) AND ${column} IS NOT NULL
               LIMIT -1
             ) GROUP BY 1 ORDER BY sent DESC, subject LIMIT ${MOST_ROWS}`,
          )
          .bind(fromMs - SESSION_SPAN_MS, toMs, fromMs, country),
        volumeSchema,
      );
    },

    /** @param fromMs the beginning of the first verification that may hold a sealed text */
    sealedByKey: (fromMs: number) =>
      readRows(
        db
          .prepare(
            `SELECT substr(sealed, 1, instr(sealed, '.') - 1) AS keyId, count(*) AS sealed FROM (
               SELECT sealed_number AS sealed FROM ${source.events} WHERE began_at >= ?1 AND sealed_number IS NOT NULL
               UNION ALL
               SELECT sealed_address FROM ${source.events} WHERE began_at >= ?1 AND sealed_address IS NOT NULL
             ) GROUP BY 1 ORDER BY 1`,
          )
          .bind(fromMs),
        keySchema,
      ),
  };
}
