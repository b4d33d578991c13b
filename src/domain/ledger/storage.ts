/** How full the ledger's database is, and until when it lasts. */
import { DAY_MS } from "../kernel/time.ts";
import type { RetentionPolicy } from "./retention.policy.ts";

/** The bound of a D1 database on the paid plan. @see https://developers.cloudflare.com/d1/platform/limits/ */
export const D1_BYTES = 10_000_000_000;

/** A verification in D1 with its index entries, as `node scripts/bench-ledger.ts` measures it; where there are too few to tell. */
const USUAL_ROW_BYTES = 1200;
const ENOUGH_ROWS = 10_000;

/** What a database holds. */
export interface LedgerStorage {
  /** Verifications, and those of the last 24 hours among them. */
  rows: number;
  rowsLastDay: number;
  /** Events in the older tables that are still to be moved. */
  olderEvents: number;
  /** Of the whole database. */
  bytes: number;
}

/** The future of a database at the rate of the last day. */
export interface StorageForecast {
  /** From 0 to 1, of the database's bound. */
  share: number;
  rowBytes: number;
  /** Rows and bytes once as many go as come, and the rule by which they go. */
  steadyRows: number;
  steadyBytes: number;
  heldBy: "events_days" | "max_rows";
  /** The time at which the database is full; null where retention holds it below its bound. */
  fullAtMs: number | null;
}

/** Forecasts when a database is full, from its size, the last day's verifications and the retention. */
export function forecastStorage(
  { rows, rowsLastDay, bytes }: Omit<LedgerStorage, "olderEvents">,
  { max_rows, events_days }: Pick<RetentionPolicy, "max_rows" | "events_days">,
  nowMs: number,
): StorageForecast {
  const rowBytes = rows < ENOUGH_ROWS ? USUAL_ROW_BYTES : bytes / rows;
  const byAge = rowsLastDay * events_days;
  const steadyRows = Math.min(byAge, max_rows);
  const steadyBytes = steadyRows * rowBytes;
  const leftDays = (D1_BYTES - bytes) / (rowsLastDay * rowBytes);
  return {
    share: bytes / D1_BYTES,
    rowBytes,
    steadyRows,
    steadyBytes,
    heldBy: byAge <= max_rows ? "events_days" : "max_rows",
    fullAtMs: steadyBytes <= D1_BYTES ? null : nowMs + Math.max(0, leftDays) * DAY_MS,
  };
}
