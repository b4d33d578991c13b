import * as z from "zod";
import { POSTURES } from "../../domain/kernel/posture.ts";
import { EMPTY_EVENT_DETAILS, type LedgerEvent } from "../../domain/ledger/event.ts";
import { FINDING_KINDS } from "../../domain/monitor/finding.ts";
import type { Incident } from "../../domain/monitor/incident.ts";
import type { DeadLetter, OperatorAction, RecordsPort } from "../../ports/records.ts";
import type { WriteResult } from "../../ports/result.ts";
import { jsonColumn } from "../json.ts";
import { firstRow, readRows, writeAll } from "./d1.ts";
import { eventStatements } from "./d1-ledger-writes.ts";

/** The most rows one question gets. */
const MOST_ROWS = 200;

const severity = z.enum(["notice", "elevated", "emergency"]);
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const incidentSchema: z.ZodType<Incident> = z.object({
  id: z.string(),
  openedAtMs: z.number(),
  lastSeenAtMs: z.number(),
  closedAtMs: z.number().nullable(),
  severity,
  posture: z.enum(POSTURES),
  findings: z.array(
    z.object({
      kind: z.enum(FINDING_KINDS),
      subject: z.string(),
      severity,
      says: z.string(),
      evidence: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
      block: z.boolean(),
    }),
  ),
  timeline: z.array(z.object({ atMs: z.number(), by: z.string(), what: z.string() })),
  sent: z.number(),
  verified: z.number(),
  spentMicros: z.number(),
  unansweredMicros: z.number(),
  refused: z.number(),
});
const actionSchema: z.ZodType<OperatorAction> = z.object({
  id: z.string(),
  atMs: z.number(),
  who: z.string(),
  what: z.string(),
  why: z.string(),
  details: jsonColumn(z.record(z.string(), scalar)),
});
const letterSchema: z.ZodType<DeadLetter> = z.object({
  id: z.string(),
  atMs: z.number(),
  queue: z.string(),
  cause: z.string(),
  body: z.string(),
});
const incidentRow = z.object({ json: jsonColumn(incidentSchema) }).transform((row) => row.json);

const LETTER = "id, at AS atMs, queue, cause, body";

/**
 * Incidents, operators' actions and dead letters in D1. Every write may come twice and leaves one row; an incident that is
 * over stays over. Failures, and rows nobody can read, are `unavailable`.
 */
export function d1Records(db: D1Database): RecordsPort {
  return {
    keepIncident(incident) {
      const { id, openedAtMs, closedAtMs, severity, posture } = incident;
      return write(
        db,
        db
          .prepare(
            `INSERT INTO incidents (id, opened_at, closed_at, severity, posture, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO UPDATE SET closed_at = excluded.closed_at, severity = excluded.severity,
               posture = excluded.posture, json = excluded.json
             WHERE incidents.closed_at IS NULL OR excluded.closed_at IS NOT NULL`,
          )
          .bind(id, openedAtMs, closedAtMs, severity, posture, JSON.stringify(incident)),
      );
    },

    async incidents(limit) {
      const rows = await readRows(
        db.prepare("SELECT json FROM incidents ORDER BY opened_at DESC, id LIMIT ?1").bind(bounded(limit)),
        incidentRow,
      );
      return Array.isArray(rows) ? { kind: "answered", incidents: rows } : rows;
    },

    async incident(id) {
      return firstRow(
        await readRows(db.prepare("SELECT json FROM incidents WHERE id = ?1").bind(id), incidentRow),
      );
    },

    writeAction({ id, atMs, who, what, why, details }) {
      const actionEvent: LedgerEvent = {
        ...EMPTY_EVENT_DETAILS,
        id: `operator_action.${id}`,
        kind: "operator_action",
        atMs,
        code: what,
        reasons: who,
      };
      return write(
        db,
        db
          .prepare(
            `INSERT INTO operator_actions (id, at, who, what, why, details) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT (id) DO NOTHING`,
          )
          .bind(id, atMs, who, what, why, JSON.stringify(details)),
        // Together or not at all: the ledger tells what people did among what happened.
        ...eventStatements(db, [actionEvent]),
      );
    },

    async actions(limit) {
      const rows = await readRows(
        db
          .prepare(
            "SELECT id, at AS atMs, who, what, why, details FROM operator_actions ORDER BY at DESC, id LIMIT ?1",
          )
          .bind(bounded(limit)),
        actionSchema,
      );
      return Array.isArray(rows) ? { kind: "answered", actions: rows } : rows;
    },

    bury({ id, atMs, queue, cause, body }) {
      return write(
        db,
        db
          .prepare(
            `INSERT INTO dead_letters (id, at, queue, cause, body) VALUES (?1, ?2, ?3, ?4, ?5)
             ON CONFLICT (id) DO UPDATE SET at = excluded.at, cause = excluded.cause`,
          )
          .bind(id, atMs, queue, cause, body),
      );
    },

    async deadLetters(limit) {
      const rows = await readRows(
        db.prepare(`SELECT ${LETTER} FROM dead_letters ORDER BY at DESC, id LIMIT ?1`).bind(bounded(limit)),
        letterSchema,
      );
      return Array.isArray(rows) ? { kind: "answered", letters: rows } : rows;
    },

    // Never tried twice: a first attempt whose answer was lost has taken the letter.
    async exhume(id) {
      return firstRow(
        await readRows(
          db.prepare(`DELETE FROM dead_letters WHERE id = ?1 RETURNING ${LETTER}`).bind(id),
          letterSchema,
        ),
      );
    },
  };
}

const bounded = (limit: number) => Math.min(MOST_ROWS, Math.max(1, Math.floor(limit)));

async function write(db: D1Database, ...statements: D1PreparedStatement[]): Promise<WriteResult> {
  const written = await writeAll(db, statements);
  return written.kind === "done" ? { kind: "done" } : written;
}
