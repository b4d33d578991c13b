import { HOUR_MS } from "../../domain/kernel/time.ts";
import { retentionCutoffs } from "../../domain/ledger/retention.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Swept } from "../../ports/ledger.ts";
import type { Unavailable } from "../../ports/result.ts";

type Needs = Pick<Deps, "ledger" | "policy" | "log">;

const RETENTION = "retention";
const ROWS = "rows";

/** Rows of each class one step removes: short enough for a database that also takes the minute's events. */
const ROWS_PER_STEP = 2000;

/** Steps of one run. 20,000 rows a minute are 28 million a day, where 5 million events a day are about 1.7 million rows. */
const MOST_STEPS = 10;

/** Finding the row that is one too many reads as many index entries as rows may be kept. */
const BOUNDARY_HOURS = 6;

/**
 * Enforces retention once an hour, in bounded steps: numbers and addresses go long before the events, and the oldest
 * verifications go when there are more than may be kept. Where one run does not suffice, the next minute goes on.
 *
 * @param nowMs the time this run was scheduled for
 */
export async function enforceRetention(deps: Needs, nowMs: number): Promise<void> {
  const { ledger, policy, log } = deps;
  const before = await ledger.upkeep(RETENTION);
  if (before !== null && "kind" in before) return log("retention_failed", { cause: before.cause });
  if (before !== null && nowMs - before.atMs < HOUR_MS && before.report.more !== true) return;
  const rowsBeforeMs = await findBoundary(deps, nowMs);
  const limits = { ...retentionCutoffs(policy.retention, nowMs), rowsBeforeMs };
  const report = { numbers: 0, addresses: 0, events: 0, refusals: 0, letters: 0, more: true };
  for (let step = 0; step < MOST_STEPS && report.more; step++) {
    const swept = await ledger.sweep(limits, ROWS_PER_STEP);
    if (swept.kind === "unavailable") return log("retention_failed", { cause: swept.cause });
    addStep(report, swept);
  }
  log("retention", report);
  await ledger.keepUpkeep(RETENTION, { atMs: nowMs, report });
}

function addStep(report: Omit<Swept, "kind">, { kind: _, more, ...counts }: Swept): void {
  for (const [name, count] of Object.entries(counts)) report[name as keyof typeof counts] += count;
  report.more = more;
}

/** The time before which verifications go because there are too many; it is looked up rarely and remembered meanwhile. */
async function findBoundary({ ledger, policy, log }: Needs, nowMs: number): Promise<number | undefined> {
  const { max_rows: rows } = policy.retention;
  const failed = ({ cause }: Unavailable) => log("rows_not_bounded", { cause });
  const known = await ledger.upkeep(ROWS);
  if (known !== null && "kind" in known) return void failed(known);
  const isFresh = known?.report.max_rows === rows && nowMs - known.atMs < BOUNDARY_HOURS * HOUR_MS;
  if (isFresh) return typeof known.report.before_ms === "number" ? known.report.before_ms : undefined;
  const found = await ledger.boundary(rows);
  if (found.kind === "unavailable") return void failed(found);
  const { atMs } = found;
  if (atMs !== null) log("ledger_full", { max_rows: rows, kept_hours: Math.floor((nowMs - atMs) / HOUR_MS) });
  await ledger.keepUpkeep(ROWS, { atMs: nowMs, report: { max_rows: rows, before_ms: atMs } });
  return atMs ?? undefined;
}
