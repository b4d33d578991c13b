/**
 * The ledger's queue on its way into the database: a batch is one transaction, and where that fails each message is tried by
 * itself, so that one bad message holds up no other. Events that come twice are one row.
 */

import { retryDelaySeconds } from "../../domain/kernel/retry.ts";
import { MINUTE_MS, minuteOf } from "../../domain/kernel/time.ts";
import { LEDGER_QUEUE, type LedgerEvent } from "../../domain/ledger/event.ts";
import { REFUSAL_DIMENSIONS, refusalCounts } from "../../domain/ledger/refusal-counts.ts";
import type { Deps } from "../../ports/deps.ts";
import type { QueueMessage } from "./consume-alerts.ts";

export type LedgerDeps = Pick<Deps, "ledger" | "records" | "random" | "log" | "nowMs"> & {
  /** A queue message's body, checked; null for anything but ledger events. */
  readForLedger(body: unknown): LedgerEvent[] | null;
};

export async function consumeLedger(deps: LedgerDeps, messages: readonly QueueMessage[]): Promise<void> {
  const read = messages.map((message) => ({ message, events: deps.readForLedger(message.body) }));
  const good = read.filter(({ events }) => events !== null);
  await Promise.all(
    read
      .filter(({ events }) => events === null)
      .map(({ message }) => layDown(deps, message, "no ledger events")),
  );
  const written = await deps.ledger.write(good.flatMap(({ events }) => events ?? []));
  if (written.kind === "done") {
    for (const { message } of good) message.ack();
    return;
  }
  deps.log("ledger_not_written", { cause: written.cause, messages: good.length });
  for (const { message, events } of good) {
    const alone = good.length === 1 ? written : await deps.ledger.write(events ?? []);
    if (alone.kind === "done") message.ack();
    else message.retry({ delaySeconds: retryDelaySeconds(message.attempts, null, deps.random) });
  }
}

/** What the queue gave up after about a day lies among the dead letters, from where people send it once more. */
export async function keepLedgerDeadLetter(
  deps: LedgerDeps,
  messages: readonly QueueMessage[],
): Promise<void> {
  await Promise.all(messages.map((message) => layDown(deps, message, "the queue gave it up")));
}

async function layDown(deps: LedgerDeps, message: QueueMessage, cause: string): Promise<void> {
  const events = deps.readForLedger(message.body) ?? [];
  const buried = await deps.records.bury({
    id: message.id,
    // Of the first event: what is sealed in it is as old as that.
    atMs: Math.min(deps.nowMs(), ...events.map(({ atMs }) => atMs)),
    queue: LEDGER_QUEUE,
    cause,
    body: JSON.stringify(message.body) ?? "null",
  });
  if (buried.kind === "done") return message.ack();
  deps.log("dead_letter_waits", { cause: buried.cause });
  message.retry({ delaySeconds: 60 });
}

const REFUSALS = "refusals";
/** Counters of a minute are complete some seconds after it: the last ones are read again. */
const READ_AGAIN_MINUTES = 2;

/** As far back as a run catches up after an outage. */
const MOST_MINUTES = 60;

/**
 * Writes down how many requests were refused in the minutes that are over, from the watch's counters. A minute that was
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
