/** The ledger: every message and its fate, for as long as it may be kept. */
import type {
  EventKind,
  LedgerEvent,
  LedgerRow,
  RefusalCount,
  Volume,
  VolumeDimension,
} from "../domain/ledger/event.ts";
import type { LedgerStorage } from "../domain/ledger/storage.ts";
import type { Unavailable, WriteResult } from "./result.ts";

/** Takes the ledger's events behind the answer; queued, and never in the way. */
export interface LedgerEventsPort {
  put(events: readonly LedgerEvent[]): Promise<void>;
  /** Takes room for a row of its own for a request refused with this problem code. @returns false where there is none */
  samples(code: string): boolean;
}

/** A stretch of the ledger from `fromMs` up to, and without, `toMs`; of one country, where one is named. */
export interface LedgerWindow {
  fromMs: number;
  toMs: number;
  country: string | null;
}

/** A part of the rows that were asked for. */
export interface LedgerPage {
  kind: "answered";
  /**
   * Verifications in the order of their beginnings, and the events of each as they came. Sealed numbers and addresses are null where they
   * are no longer held.
   */
  rows: LedgerRow[];
  /** Where the next page begins; null after the last one. */
  cursor: string | null;
}

/** The times before which each class of data is removed. */
export interface RetentionCutoffs {
  numbersBeforeMs: number;
  addressesBeforeMs: number;
  eventsBeforeMs: number;
  /** Verifications that began before go, however young: there are more than may be kept. */
  rowsBeforeMs?: number | undefined;
}

/**
 * Verifications that a sweep deleted (`events`), or whose sealed numbers or addresses it removed, and what else it deleted; `more`
 * where it stopped at its limit. A verification is as old as its first event.
 */
export interface Swept {
  kind: "swept";
  numbers: number;
  addresses: number;
  events: number;
  refusals: number;
  letters: number;
  more: boolean;
}

/** Events that moved from the ledger's older form into its present one; `more` while there may be others. */
export interface Moved {
  kind: "moved";
  events: number;
  more: boolean;
}

/** The last run of a piece of upkeep, and its report. */
export interface UpkeepRun {
  atMs: number;
  report: Readonly<Record<string, string | number | boolean | null>>;
}

/** The ledger. Every write may come twice and counts once. */
export interface VerificationLedgerPort {
  /** Writes all events or none; what is kept already stays as it is. */
  write(events: readonly LedgerEvent[]): Promise<WriteResult>;
  /** @param limit at most 1000 rows @param kind of event; all kinds without it */
  page(
    window: LedgerWindow,
    cursor: string | null,
    limit: number,
    kind?: EventKind,
  ): Promise<LedgerPage | Unavailable>;
  /** Everything of one verification in order. */
  story(correlationId: string): Promise<{ kind: "answered"; rows: LedgerRow[] } | Unavailable>;
  /** Everything of the verifications of a number, by its tags under all keys; the latest first, at most 1000 rows. */
  byNumber(numberTags: readonly string[]): Promise<{ kind: "answered"; rows: LedgerRow[] } | Unavailable>;
  /** Sums the messages of each subject, the most messages first. @param limit at most 1000 subjects */
  volumes(
    by: VolumeDimension,
    window: LedgerWindow,
    limit: number,
  ): Promise<{ kind: "answered"; volumes: Volume[] } | Unavailable>;
  /** Exact counts of refused requests by minute, dimension and subject; `country` of the window does not matter. */
  refusals(window: LedgerWindow): Promise<{ kind: "answered"; counts: RefusalCount[] } | Unavailable>;
  /** Sets the exact counts of whole minutes; a count never falls. */
  countRefusals(counts: readonly RefusalCount[]): Promise<WriteResult>;
  /**
   * Takes a person out: sealed numbers and addresses go, and the rows of their verifications keep place, time and money
   * only. Ledger events among the dead letters go too.
   */
  erase(
    numberTags: readonly string[],
  ): Promise<{ kind: "erased"; rows: number; sealed: number; letters: number } | Unavailable>;
  /** How many sealed texts each encryption key still holds. */
  sealedByKey(): Promise<{ kind: "answered"; keys: { keyId: string; sealed: number }[] } | Unavailable>;
  /**
   * Finds the beginning of the verification after which `rows` others began.
   *
   * @returns null where fewer are kept
   */
  boundary(rows: number): Promise<{ kind: "answered"; atMs: number | null } | Unavailable>;
  /** Removes rows that are too old, at most `limit` of each class. */
  sweep(limits: RetentionCutoffs, limit: number): Promise<Swept | Unavailable>;
  /** What the database holds, and the verifications since a time among it. */
  storage(sinceMs: number): Promise<{ kind: "answered"; storage: LedgerStorage } | Unavailable>;
  /** Moves the latest `limit` events, and everything of their verifications, from the older tables: all of them or none. */
  carryOver(limit: number): Promise<Moved | Unavailable>;
  upkeep(name: string): Promise<UpkeepRun | null | Unavailable>;
  keepUpkeep(name: string, upkeep: UpkeepRun): Promise<WriteResult>;
}
