import { retryDelaySeconds } from "../../domain/kernel/retry.ts";
import { LEDGER_QUEUE, type LedgerEvent } from "../../domain/ledger/event.ts";
import type { Deps } from "../../ports/deps.ts";
import { GIVEN_UP_BY_QUEUE, keepDeadLetter, type QueueMessage } from "./settle-message.ts";

export type LedgerConsumerDeps = Pick<Deps, "ledger" | "records" | "random" | "log" | "nowMs"> & {
  /** Checks the body of a queue message; null for anything but ledger events. */
  readForLedger(body: unknown): LedgerEvent[] | null;
};

/**
 * Writes the events of a batch into the ledger in one transaction. Where that fails each message is tried by itself, so that
 * one bad message delays no other. An event that comes twice is one row.
 */
export async function consumeLedger(
  deps: LedgerConsumerDeps,
  messages: readonly QueueMessage[],
): Promise<void> {
  const read = messages.map((message) => ({ message, events: deps.readForLedger(message.body) }));
  const good = read.filter(({ events }) => events !== null);
  await Promise.all(
    read
      .filter(({ events }) => events === null)
      .map(({ message }) => keepLedgerMessage(deps, message, "no ledger events")),
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

/** Keeps what the ledger's queue gave up after about a day; an operator can replay it. */
export async function keepLedgerDeadLetters(
  deps: LedgerConsumerDeps,
  messages: readonly QueueMessage[],
): Promise<void> {
  await Promise.all(messages.map((message) => keepLedgerMessage(deps, message, GIVEN_UP_BY_QUEUE)));
}

function keepLedgerMessage(deps: LedgerConsumerDeps, message: QueueMessage, cause: string): Promise<void> {
  const events = deps.readForLedger(message.body) ?? [];
  // The time of the first event: sealed texts in the letter are as old as that.
  const atMs = Math.min(deps.nowMs(), ...events.map((event) => event.atMs));
  return keepDeadLetter(deps, message, { id: message.id, atMs, queue: LEDGER_QUEUE, cause });
}
