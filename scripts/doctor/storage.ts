/** How full an environment's database is, and until when it lasts. */
import { D1_BYTES, forecastStorage } from "../../src/domain/ledger/storage.ts";
import { type Finding, finding, ok } from "./finding.ts";

const FULL_SHARE = 0.8;

/** The verifications of a database, and the bounds that its policy sets them. */
export interface LedgerCounts {
  rows: number;
  rowsLastDay: number;
  retention: { max_rows: number; events_days: number };
}

/** @param counts null while the ledger has no table, or the policy has faults of its own */
export function storageFinding(bytes: number, counts: LedgerCounts | null, nowMs: number): Finding {
  const share = `the database fills ${((bytes / D1_BYTES) * 100).toFixed(1)} % of D1's 10 GB`;
  const forecast = counts && forecastStorage({ ...counts, bytes }, counts.retention, nowMs);
  const why = "a full one refuses the ledger";
  const mend = "lower retention.max_rows or retention.events_days in wrangler.toml";
  if (forecast && forecast.fullAtMs !== null) {
    const day = new Date(forecast.fullAtMs).toISOString().slice(0, 10);
    return finding("warning", "storage", `${share}, and is full on ${day} at the last day's rate`, {
      why,
      mend,
    });
  }
  // Retention holds it where it is: a database that is as full as it may be is no fault.
  if (bytes / D1_BYTES >= FULL_SHARE && forecast === null)
    return finding("warning", "storage", share, { why, mend });
  if (forecast === null || counts?.rowsLastDay === 0) return ok("storage", share);
  const steady = `${((forecast.steadyBytes / D1_BYTES) * 100).toFixed(1)} %`;
  return ok("storage", `${share}; at the last day's rate retention.${forecast.heldBy} holds it at ${steady}`);
}
