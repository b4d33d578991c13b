/** Access to D1 for its adapters: failures are `unavailable`, and a write that failed for the moment is tried again. */
import * as z from "zod";
import type { Unavailable } from "../../ports/result.ts";

/** Waits between attempts at a write that failed for the moment (ms). */
const WAITS_MS = [50, 200];

/** Texts of D1 for transient faults: https://developers.cloudflare.com/d1/best-practices/retry-queries/ */
const PASSING = [
  "Network connection lost",
  "storage caused object to be reset",
  "reset because its code was updated",
];

const passes = (error: unknown) => PASSING.some((words) => String(error).includes(words));

/**
 * Runs writes as one transaction; each must bear coming twice, because D1 tries reads again by itself, but no writes.
 *
 * @returns the rows that each statement changed, those it answered, and the size of the database after them
 */
export async function writeAll(
  db: D1Database,
  statements: D1PreparedStatement[],
): Promise<{ kind: "done"; changes: number[]; answers: unknown[][]; bytes: number } | Unavailable> {
  for (const waitMs of [...WAITS_MS, null]) {
    try {
      const results = await db.batch(statements);
      return {
        kind: "done",
        changes: results.map(({ meta }) => meta.changes),
        answers: results.map((result) => result.results),
        bytes: results.at(-1)?.meta.size_after ?? 0,
      };
    } catch (error) {
      if (waitMs === null || !passes(error)) break;
      await new Promise((resolve) => setTimeout(resolve, waitMs));
    }
  }
  return { kind: "unavailable", cause: "D1 refused a write" };
}

/** The rows a statement answers, each checked. */
export async function readRows<T>(
  statement: D1PreparedStatement,
  row: z.ZodType<T>,
): Promise<T[] | Unavailable> {
  try {
    const { results } = await statement.all();
    const parsed = z.array(row).safeParse(results);
    return parsed.success ? parsed.data : { kind: "unavailable", cause: "D1 holds rows nobody can read" };
  } catch {
    return { kind: "unavailable", cause: "D1 does not answer" };
  }
}

export const firstRow = <T>(rows: T[] | Unavailable): T | null | Unavailable =>
  Array.isArray(rows) ? (rows[0] ?? null) : rows;
