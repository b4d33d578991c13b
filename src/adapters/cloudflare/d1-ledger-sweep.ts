/** Retention in D1: sealed texts leave their rows when their class is too old, and rows go when they are. */
import * as z from "zod";
import type { RetentionCutoffs, Swept } from "../../ports/ledger.ts";
import type { Unavailable } from "../../ports/result.ts";
import { writeAll } from "./d1.ts";
import { withoutFacts } from "./d1-ledger-writes.ts";

type SealedText = keyof typeof MARKS;
/** The names in `ledger_upkeep` under which the sweep remembers how far it has come. */
const MARKS = { number: "stripped numbers", address: "stripped addresses" } as const;

/** Everything before a class's mark is stripped of it, so that no row is looked at twice. */
const marked = (texts: readonly SealedText[]) =>
  `coalesce((SELECT min(at) FROM ledger_upkeep WHERE name IN (${texts.map((text) => `'${MARKS[text]}'`).join(", ")})
     HAVING count(*) = ${texts.length}), 0)`;

const holds = (text: SealedText) => `instr(events, '"${text}":') > 0`;

/**
 * Takes sealed texts out of the oldest `?2` rows from before `?1` that hold one: counts the rows of each class, strips them, and
 * moves the marks to the first row that is left.
 */
function stripStatements(texts: readonly SealedText[]): string[] {
  const due = (columns: string, limit: string) => `SELECT ${columns} FROM verifications
    WHERE at >= ${marked(texts)} AND at < ?1 AND (${texts.map(holds).join(" OR ")}) ORDER BY at LIMIT ${limit}`;
  return [
    `SELECT ${Object.keys(MARKS)
      .map(
        (text) =>
          `${texts.includes(text as SealedText) ? `coalesce(sum(${holds(text as SealedText)}), 0)` : 0} AS ${text}`,
      )
      .join(", ")}
     FROM (${due("events", "?2")})`,
    `UPDATE verifications SET events = ${withoutFacts(texts)} WHERE id IN (${due("id", "?2")})`,
    `INSERT INTO ledger_upkeep (name, at, report)
     SELECT value, coalesce((${due("at", "min(?2, 1)")}), ?1), '{}' FROM json_each('${JSON.stringify(texts.map((text) => MARKS[text]))}')
     WHERE true ON CONFLICT (name) DO UPDATE SET at = excluded.at`,
  ];
}

/** The oldest rows of a table, up to `?2` of them, from before `?1`. */
const sweepOf = (table: string, key = "rowid", which = "true") =>
  `DELETE FROM ${table} WHERE ${key} IN (SELECT ${key} FROM ${table} WHERE at < ?1 AND ${which} ORDER BY at LIMIT ?2)`;

const strippedSchema = z.object({ number: z.int(), address: z.int() });

/** The beginning of the first verification that may hold a sealed text. */
export const FIRST_SEALED = `SELECT ${marked(["number", "address"])} AS at`;

/** One step of the sweep, as one transaction: at most `limit` rows of each class. */
export async function sweepLedger(
  db: D1Database,
  limits: RetentionCutoffs,
  limit: number,
): Promise<Swept | Unavailable> {
  const { numbersBeforeMs, addressesBeforeMs, eventsBeforeMs, rowsBeforeMs = 0 } = limits;
  // Texts of one age go by one write of their row.
  const passes: { texts: SealedText[]; beforeMs: number }[] =
    numbersBeforeMs === addressesBeforeMs
      ? [{ texts: ["number", "address"], beforeMs: numbersBeforeMs }]
      : [
          { texts: ["number"], beforeMs: numbersBeforeMs },
          { texts: ["address"], beforeMs: addressesBeforeMs },
        ];
  const bind = (sql: string, beforeMs: number) => db.prepare(sql).bind(beforeMs, limit);
  const deletions = [
    bind(sweepOf("verifications", "id"), Math.max(eventsBeforeMs, rowsBeforeMs)),
    bind(sweepOf("refusals"), eventsBeforeMs),
    // A letter holds both sealed texts: it goes with the first of them.
    bind(sweepOf("dead_letters", "rowid", "queue = 'ledger'"), Math.max(numbersBeforeMs, addressesBeforeMs)),
    bind(sweepOf("ledger"), eventsBeforeMs),
    bind(sweepOf("ledger_numbers"), numbersBeforeMs),
    bind(sweepOf("ledger_addresses"), addressesBeforeMs),
  ];
  const strips = passes.flatMap(({ texts, beforeMs }) =>
    stripStatements(texts).map((sql) => bind(sql, beforeMs)),
  );
  const swept = await writeAll(db, [...strips, ...deletions]);
  if (swept.kind === "unavailable") return swept;
  const [rows = 0, refusals = 0, letters = 0, olderRows = 0, olderNumbers = 0, olderAddresses = 0] =
    swept.changes.slice(strips.length);
  const stripped = z.array(strippedSchema).parse(passes.map((_, pass) => swept.answers[3 * pass]?.[0]));
  const counts = {
    numbers: stripped.reduce((sum, row) => sum + row.number, olderNumbers),
    addresses: stripped.reduce((sum, row) => sum + row.address, olderAddresses),
    events: rows + olderRows,
    refusals,
    letters,
  };
  return { kind: "swept", ...counts, more: Object.values(counts).some((count) => count >= limit) };
}
