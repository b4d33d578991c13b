import * as z from "zod";
import { DAY_MS } from "../../domain/kernel/time.ts";
import {
  compareLedgerPositions,
  compareWithinMoment,
  ledgerCursor,
  readLedgerCursor,
} from "../../domain/ledger/cursor.ts";
import type { LedgerRow, Volume, VolumeDimension } from "../../domain/ledger/event.ts";
import { addVolumes } from "../../domain/ledger/volumes.ts";
import type { LedgerWindow, UpkeepRun, VerificationLedgerPort } from "../../ports/ledger.ts";
import type { Unavailable, WriteResult } from "../../ports/result.ts";
import { jsonColumn } from "../json.ts";
import { firstRow, readRows, writeAll } from "./d1.ts";
import { type EventTable, ledgerQuestions, MOST_ROWS } from "./d1-ledger-questions.ts";
import { type PlacedRow, refusalCountSchema } from "./d1-ledger-rows.ts";
import { FIRST_SEALED, sweepLedger } from "./d1-ledger-sweep.ts";
import { ERASE_STATEMENTS, eventStatements } from "./d1-ledger-writes.ts";
import { olderTables } from "./d1-older-ledger.ts";

const VERIFICATIONS: EventTable = {
  events: "ledger_events",
  verification: "verification",
  ofNumbers: "SELECT id FROM verifications WHERE number_tag IN (SELECT value FROM json_each(?1))",
};

const COUNT_REFUSALS = `INSERT INTO refusals (at, dimension, subject, count)
  SELECT value ->> '$.atMs', value ->> '$.dimension', value ->> '$.subject', value ->> '$.count'
  FROM json_each(?1) WHERE true
  ON CONFLICT (at, dimension, subject) DO UPDATE SET count = excluded.count WHERE excluded.count > refusals.count`;

const COUNT_ROWS = `SELECT (SELECT count(*) FROM verifications) AS rows,
  (SELECT count(*) FROM verifications WHERE at >= ?1) AS rowsLastDay,
  (SELECT count(*) FROM ledger) AS olderEvents`;

const countsSchema = z.object({ rows: z.int(), rowsLastDay: z.int(), olderEvents: z.int() });
const heldSchema = z.object({ events: z.int(), sealed: z.int() });
const scalar = z.union([z.string(), z.number(), z.boolean(), z.null()]);
const upkeepSchema: z.ZodType<UpkeepRun> = z.object({
  atMs: z.int(),
  report: jsonColumn(z.record(z.string(), scalar)),
});

/**
 * The ledger in D1, one row for each verification. What the older tables hold still is answered, erased and swept with it.
 * Failures, and rows nobody can read, are `unavailable`.
 */
export function d1Ledger(db: D1Database): VerificationLedgerPort {
  const questions = ledgerQuestions(db, VERIFICATIONS);
  const older = olderTables(db);

  /** The answers of both sources as one. */
  async function both(
    ask: (questions: ReturnType<typeof ledgerQuestions>) => Promise<PlacedRow[] | Unavailable>,
    order: (a: PlacedRow, b: PlacedRow) => number,
    limit = MOST_ROWS,
  ): Promise<PlacedRow[] | Unavailable> {
    const [rows, olderRows] = await Promise.all([ask(questions), ask(older.questions)]);
    if (!Array.isArray(rows)) return rows;
    if (!Array.isArray(olderRows)) return olderRows;
    return olderRows.length === 0 ? rows : [...rows, ...olderRows].toSorted(order).slice(0, limit);
  }

  return {
    async write(events) {
      if (events.length === 0) return { kind: "done" };
      if (events.some(({ id, atMs }) => id === "" || !Number.isSafeInteger(atMs))) {
        return { kind: "unavailable", cause: "the ledger refused a write" };
      }
      return done(await writeAll(db, eventStatements(db, events)));
    },

    async page(window, cursor, limit, kind) {
      const after = cursor === null ? null : readLedgerCursor(cursor);
      if (after === undefined) return { kind: "unavailable", cause: "this is no cursor" };
      const most = bounded(limit);
      const read = await both(
        ({ page }) => page(window, after, most, kind),
        (a, b) => compareLedgerPositions(a.position, b.position),
        most,
      );
      if (!Array.isArray(read)) return read;
      const last = read.length === most ? read.at(-1) : undefined;
      return { ...answered(read), cursor: last === undefined ? null : ledgerCursor(last.position) };
    },

    async story(correlationId) {
      const read = await both(({ story }) => story(correlationId), byTime);
      return Array.isArray(read) ? answered(read) : read;
    },

    async byNumber(numberTags) {
      const read = await both(
        ({ byNumber }) => byNumber(numberTags),
        (a, b) => byTime(b, a),
      );
      return Array.isArray(read) ? answered(read) : read;
    },

    async volumes(by, window, limit) {
      let volumes: Volume[] = [];
      for (const part of partsOf(by, window)) {
        const answers = await Promise.all(
          [questions, older.questions].map((source) => source.volumes(by, part)),
        );
        for (const answer of answers) {
          if (!Array.isArray(answer)) return answer;
          volumes = addVolumes(volumes, answer);
        }
      }
      return { kind: "answered", volumes: volumes.slice(0, bounded(limit)) };
    },

    async refusals({ fromMs, toMs }) {
      const counts = await readRows(
        db
          .prepare(
            `SELECT at AS atMs, dimension, subject, count FROM refusals WHERE at >= ?1 AND at < ?2
             ORDER BY at, dimension, subject`,
          )
          .bind(fromMs, toMs),
        refusalCountSchema,
      );
      return Array.isArray(counts) ? { kind: "answered", counts } : counts;
    },

    async countRefusals(counts) {
      if (counts.length === 0) return { kind: "done" };
      return done(await writeAll(db, [db.prepare(COUNT_REFUSALS).bind(JSON.stringify(counts))]));
    },

    async erase(numberTags) {
      const tags = JSON.stringify(numberTags);
      const erased = await writeAll(
        db,
        [...ERASE_STATEMENTS, ...older.eraseStatements].map((sql) => db.prepare(sql).bind(tags)),
      );
      if (erased.kind === "unavailable") return erased;
      const [held] = z.array(heldSchema).parse(erased.answers[0]);
      const [, letters = 0, , numbers = 0, addresses = 0, olderRows = 0] = erased.changes;
      return {
        kind: "erased",
        rows: (held?.events ?? 0) + olderRows,
        sealed: (held?.sealed ?? 0) + numbers + addresses,
        letters,
      };
    },

    async sealedByKey() {
      const first = firstRow(await readRows(db.prepare(FIRST_SEALED), z.object({ at: z.int() })));
      if (first === null || "kind" in first) return first ?? SILENT;
      const [keys, olderKeys] = await Promise.all([
        questions.sealedByKey(first.at),
        older.questions.sealedByKey(0),
      ]);
      if (!Array.isArray(keys)) return keys;
      if (!Array.isArray(olderKeys)) return olderKeys;
      const counts = new Map<string, number>();
      for (const { keyId, sealed } of [...keys, ...olderKeys])
        counts.set(keyId, (counts.get(keyId) ?? 0) + sealed);
      const sorted = [...counts].toSorted(([a], [b]) => (a < b ? -1 : 1));
      return { kind: "answered", keys: sorted.map(([keyId, sealed]) => ({ keyId, sealed })) };
    },

    async boundary(rows) {
      const found = firstRow(
        await readRows(
          db.prepare("SELECT at FROM verifications ORDER BY at DESC LIMIT 1 OFFSET ?1").bind(rows),
          z.object({ at: z.int() }),
        ),
      );
      return found !== null && "kind" in found ? found : { kind: "answered", atMs: found?.at ?? null };
    },

    sweep: (limits, limit) => sweepLedger(db, limits, limit),

    async storage(sinceMs) {
      const read = await writeAll(db, [db.prepare(COUNT_ROWS).bind(sinceMs)]);
      if (read.kind === "unavailable") return { kind: "unavailable", cause: "D1 does not answer" };
      const [counts] = z.array(countsSchema).parse(read.answers[0]);
      return counts === undefined ? SILENT : { kind: "answered", storage: { ...counts, bytes: read.bytes } };
    },

    carryOver: (limit) => older.move(bounded(limit)),

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
      return done(written);
    },
  };
}

/** The dimensions of which there are fewer subjects than one answer has, so that answers about parts can be added. */
const FEW_SUBJECTS: readonly VolumeDimension[] = ["provider", "country", "flow", "channel"];

/** A query of D1 has 30 seconds: a week of a busy service is asked for day by day, and a longer time in as many parts. */
const MOST_PARTS = 31;

function* partsOf(by: VolumeDimension, window: LedgerWindow): Generator<LedgerWindow> {
  const lengthMs = window.toMs - window.fromMs;
  const partMs = FEW_SUBJECTS.includes(by) ? Math.max(DAY_MS, Math.ceil(lengthMs / MOST_PARTS)) : lengthMs;
  for (let { fromMs } = window; fromMs < window.toMs; fromMs += partMs) {
    yield { ...window, fromMs, toMs: Math.min(window.toMs, fromMs + partMs) };
  }
}

const SILENT: Unavailable = { kind: "unavailable", cause: "D1 does not answer" };

const done = (written: Awaited<ReturnType<typeof writeAll>>): WriteResult =>
  written.kind === "done" ? { kind: "done" } : written;

const answered = (read: PlacedRow[]): { kind: "answered"; rows: LedgerRow[] } => ({
  kind: "answered",
  rows: read.map(({ row }) => row),
});

const byTime = (a: PlacedRow, b: PlacedRow) =>
  a.row.atMs - b.row.atMs || compareWithinMoment(a.position, b.position);

const bounded = (limit: number) => Math.min(MOST_ROWS, Math.max(1, Math.floor(limit)));
