import { d1Ledger } from "../../../src/adapters/cloudflare/d1-ledger.ts";
import type { LedgerEvent } from "../../../src/domain/ledger/event.ts";
import { migrateAll, openDatabase } from "../local-database.ts";

/** The rows that D1 bills for writing the events of some messages, each message by itself. */
export async function countRows(messages: readonly (readonly LedgerEvent[])[]): Promise<number> {
  const { db, dispose } = await openDatabase();
  try {
    await migrateAll(db);
    let rows = 0;
    const batch = db.batch.bind(db);
    const counting: Pick<D1Database, "batch" | "prepare"> = {
      prepare: db.prepare.bind(db),
      async batch<T>(statements: D1PreparedStatement[]) {
        const results = await batch<T>(statements);
        for (const { meta } of results) rows += meta.rows_written;
        return results;
      },
    };
    const ledger = d1Ledger(counting as D1Database);
    for (const events of messages) await ledger.write(events);
    return rows;
  } finally {
    await dispose();
  }
}
