import { HOUR_MS } from "../../domain/kernel/time.ts";
import { retentionLimits } from "../../domain/ledger/retention.ts";
import type { Deps } from "../../ports/deps.ts";

const RETENTION = "retention";

/** Rows of each class one run removes: short enough for a database that also takes the minute's events. */
const ROWS_PER_RUN = 2000;

/**
 * Enforces retention once an hour, in bounded steps: numbers and addresses go long before the events. Where there is more
 * than one step, the next minute goes on, until it is done.
 *
 * @param nowMs the time this run was scheduled for
 */
export async function enforceRetention(
  { ledger, policy, log }: Pick<Deps, "ledger" | "policy" | "log">,
  nowMs: number,
): Promise<void> {
  const before = await ledger.upkeep(RETENTION);
  if (before !== null && "kind" in before) return log("retention_failed", { cause: before.cause });
  if (before !== null && nowMs - before.atMs < HOUR_MS && before.report.more !== true) return;
  const swept = await ledger.sweep(retentionLimits(policy.retention, nowMs), ROWS_PER_RUN);
  if (swept.kind === "unavailable") return log("retention_failed", { cause: swept.cause });
  const { kind, ...report } = swept;
  log("retention", report);
  await ledger.keepUpkeep(RETENTION, { atMs: nowMs, report });
}
