import type { QueueMessage } from "../../src/flows/consumers/settle-message.ts";
import { watched } from "./watched-database.ts";

/** What a service cost so far, as its platform bills it: rows written in D1 with their index entries, and queue messages. */
export type Costs = Record<"D1 rows" | "ledger messages" | "outbox messages", number>;

/**
 * Bindings that count: the real database, and queues that hold their messages until somebody hands them to their consumer.
 */
export function countedBindings({ DB }: { DB: D1Database }) {
  const { db, rowsWritten } = watched(DB);
  const [ledger, outbox] = [heldQueue(), heldQueue()];
  return {
    bindings: { DB: db, LEDGER: ledger.queue, OUTBOX: outbox.queue },
    costs: (): Costs => ({
      "D1 rows": rowsWritten(),
      "ledger messages": ledger.count(),
      "outbox messages": outbox.count(),
    }),
    /** The messages since the last call. */
    takeLedger: ledger.take,
    takeOutbox: outbox.take,
  };
}

function heldQueue() {
  const held: unknown[] = [];
  let count = 0;
  const hold = (body: unknown) => {
    count += 1;
    // As it travels: what JSON leaves out does not arrive.
    held.push(JSON.parse(JSON.stringify(body)));
  };
  return {
    queue: {
      send: async (body: unknown) => hold(body),
      sendBatch: async (batch: Iterable<MessageSendRequest>) => {
        for (const { body } of batch) hold(body);
      },
    } as unknown as Queue,
    count: () => count,
    take: (): QueueMessage[] =>
      held.splice(0).map((body, n) => ({
        id: `${count}-${n}`,
        body,
        attempts: 1,
        ack: () => undefined,
        retry: () => {
          throw new Error("a message was not taken");
        },
      })),
  };
}
