import type { Deps } from "../../ports/deps.ts";

/** The latest events that one step moves, with everything of their verifications: one transaction of a second at most. */
const EVENTS_PER_STEP = 300;

/** Steps of one run: the minute's own events must not wait. */
const MOST_STEPS = 10;

/**
 * Moves rows of the ledger's older tables into verifications, the latest first, step by step and minute by minute until there are none.
 * A run that breaks off goes on where it was, and rows that an older version of the Worker writes meanwhile move too.
 */
export async function carryOverLedger({ ledger, log }: Pick<Deps, "ledger" | "log">): Promise<void> {
  let events = 0;
  for (let step = 0; step < MOST_STEPS; step++) {
    const moved = await ledger.carryOver(EVENTS_PER_STEP);
    if (moved.kind === "unavailable") return log("ledger_not_carried_over", { cause: moved.cause, events });
    events += moved.events;
    if (!moved.more) break;
  }
  if (events > 0) log("ledger_carried_over", { events });
}
