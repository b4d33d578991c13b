import { MINUTE_MS, minuteOf } from "../../domain/kernel/time.ts";
import { REFUSAL_DIMENSIONS, refusalCounts } from "../../domain/ledger/refusals.ts";
import type { Deps } from "../../ports/deps.ts";

const REFUSALS = "refusals";

/** Counters of a minute are complete some seconds after it: the last ones are read again. */
const READ_AGAIN_MINUTES = 2;

/** As far back as a run catches up after an outage. */
const MOST_MINUTES = 60;

/**
 * Writes the refused requests of the minutes that are over, as the counters have them, into the ledger. A minute that was
 * written before is only ever corrected upwards.
 *
 * @param nowMs the time this run was scheduled for
 */
export async function recordRefusalCounts(
  { counters, ledger, log }: Pick<Deps, "counters" | "ledger" | "log">,
  nowMs: number,
): Promise<void> {
  const last = minuteOf(nowMs) - 1;
  const before = await ledger.upkeep(REFUSALS);
  if (before !== null && "kind" in before) return log("refusals_not_counted", { cause: before.cause });
  const counted = before === null ? last : minuteOf(before.atMs);
  const minutes = Math.min(MOST_MINUTES, Math.max(1, last - counted + READ_AGAIN_MINUTES));
  const window = await counters.window(last, minutes, REFUSAL_DIMENSIONS);
  if (window.kind === "unavailable") return log("refusals_not_counted", { cause: window.cause });
  const counts = refusalCounts(window.minutes);
  const written = await ledger.countRefusals(counts);
  if (written.kind === "unavailable") return log("refusals_not_counted", { cause: written.cause });
  await ledger.keepUpkeep(REFUSALS, { atMs: last * MINUTE_MS, report: { rows: counts.length } });
}
