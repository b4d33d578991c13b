import type { LedgerEvent } from "../../domain/ledger/event.ts";

/** What the ledger's queue carries: the events of one request. */
export const ledgerBody = (events: readonly LedgerEvent[]) => ({ ledger: events });
