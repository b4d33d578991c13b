import { MINUTE_MS } from "../domain/kernel/time.ts";
import {
  compareLedgerPositions,
  compareWithinMoment,
  type LedgerPosition,
  ledgerCursor,
  readLedgerCursor,
} from "../domain/ledger/cursor.ts";
import {
  EVENT_KINDS,
  LEDGER_QUEUE,
  type LedgerEvent,
  type LedgerRow,
  type RefusalCount,
  SAMPLES_PER_MINUTE,
} from "../domain/ledger/event.ts";
import type { LedgerWindow, UpkeepRun, VerificationLedgerPort } from "../ports/ledger.ts";
import type { DeadLetter } from "../ports/records.ts";
import { isRefusedEventKind, volumesOf } from "./ledger-volumes.ts";

/** The most rows one question gets. */
const MOST_ROWS = 1000;

/** Final words of a receipt, and the words that each of them replaces. */
const REPLACES = {
  undelivered: ["accepted", "unknown"],
  delivered: ["accepted", "unknown", "undelivered"],
} as const;

interface Row extends LedgerRow {
  /** Place among the rows of the same moment. */
  seq: number;
}

/**
 * Keeps the ledger in memory, by the rules of D1's statements.
 *
 * @param letters the dead letters beside it: those that hold ledger events are erased and swept with the rows
 */
export function memoryLedger(letters: {
  removeLetters(which: (letter: DeadLetter) => boolean, limit: number): number;
}): VerificationLedgerPort {
  const rows = new Map<string, Row>();
  const refusals = new Map<string, RefusalCount>();
  const upkeeps = new Map<string, UpkeepRun>();
  let seq = 0;

  const inOrder = () =>
    [...rows.values()].sort((a, b) => a.atMs - b.atMs || compareWithinMoment(placeOf(a), placeOf(b)));
  const inWindow = ({ fromMs, toMs, country }: LedgerWindow) =>
    inOrder().filter(
      (row) => row.atMs >= fromMs && row.atMs < toMs && (country === null || row.country === country),
    );
  const ofNumbers = (numberTags: readonly string[]) => {
    const theirs = new Set(
      inOrder()
        .filter(({ numberTag }) => numberTag !== null && numberTags.includes(numberTag))
        .map(({ correlationId }) => correlationId),
    );
    return inOrder().filter(({ correlationId }) => correlationId !== null && theirs.has(correlationId));
  };

  /** Marks a verification's messages with what became of them, in whatever order that came. */
  function complete(correlationId: string | null): void {
    for (const row of rows.values()) {
      if (row.kind !== "sent" || correlationId === null || row.correlationId !== correlationId) continue;
      row.verified ||= rows.has(`verified.${correlationId}`);
      for (const word of ["undelivered", "delivered"] as const) {
        const replaced: readonly string[] = REPLACES[word];
        if (
          rows.has(row.id.replace("sent", word)) &&
          row.receipt !== null &&
          replaced.includes(row.receipt)
        ) {
          row.receipt = word;
        }
      }
    }
  }

  /** Keeps as many refused requests of a minute as it samples. */
  function dropOverflow(minute: number): void {
    const sampled = [...rows.values()]
      .filter(({ kind, atMs }) => isRefusedEventKind(kind) && Math.floor(atMs / MINUTE_MS) === minute)
      .sort((a, b) => a.atMs - b.atMs || (a.id < b.id ? -1 : 1));
    for (const { id } of sampled.slice(SAMPLES_PER_MINUTE)) rows.delete(id);
  }

  return {
    async write(events) {
      // D1 refuses the whole batch for one row that it cannot hold.
      if (events.some(({ id, atMs }) => id === "" || !Number.isSafeInteger(atMs))) {
        return { kind: "unavailable", cause: "the ledger refused a write" };
      }
      for (const event of events.toSorted(asTheyHappen)) {
        if (!rows.has(event.id)) rows.set(event.id, { ...event, verified: false, seq: seq++ });
      }
      for (const id of new Set(events.map(({ correlationId }) => correlationId))) complete(id);
      const refused = events.filter(({ kind }) => isRefusedEventKind(kind));
      for (const minute of new Set(refused.map(({ atMs }) => Math.floor(atMs / MINUTE_MS)))) {
        dropOverflow(minute);
      }
      return { kind: "done" };
    },

    async page(window, cursor, limit, kind) {
      const after = cursor === null ? null : readLedgerCursor(cursor);
      if (after === undefined) return { kind: "unavailable", cause: "this is no cursor" };
      const beginnings = new Map<string, number>();
      for (const row of rows.values()) {
        const beganMs = beginnings.get(verificationOf(row)) ?? row.atMs;
        beginnings.set(verificationOf(row), Math.min(beganMs, row.atMs));
      }
      const found = inWindow(window)
        .filter((row) => kind === undefined || row.kind === kind)
        .map((row) => ({ row, position: positionOf(row, beginnings) }))
        .filter(({ position }) => after === null || compareLedgerPositions(position, after) > 0)
        .sort((a, b) => compareLedgerPositions(a.position, b.position))
        .slice(0, bounded(limit));
      const last = found.length === bounded(limit) ? found.at(-1) : undefined;
      return {
        kind: "answered",
        rows: found.map(({ row }) => withoutPlace(row)),
        cursor: last === undefined ? null : ledgerCursor(last.position),
      };
    },

    async story(correlationId) {
      const story = inOrder().filter((row) => row.correlationId === correlationId);
      return { kind: "answered", rows: story.slice(0, MOST_ROWS).map(withoutPlace) };
    },

    async byNumber(numberTags) {
      const latest = ofNumbers(numberTags).reverse().slice(0, MOST_ROWS);
      return { kind: "answered", rows: latest.map(withoutPlace) };
    },

    async volumes(by, window, limit) {
      return { kind: "answered", volumes: volumesOf(inWindow(window), by).slice(0, bounded(limit)) };
    },

    async refusals({ fromMs, toMs }) {
      const counts = [...refusals.entries()]
        .filter(([, { atMs }]) => atMs >= fromMs && atMs < toMs)
        .sort(([a, x], [b, y]) => x.atMs - y.atMs || (a < b ? -1 : 1))
        .map(([, count]) => count);
      return { kind: "answered", counts };
    },

    async countRefusals(counts) {
      for (const count of counts) {
        const key = `${count.atMs} ${count.dimension} ${count.subject}`;
        if (count.count > (refusals.get(key)?.count ?? 0)) refusals.set(key, count);
      }
      return { kind: "done" };
    },

    async erase(numberTags) {
      const theirs = ofNumbers(numberTags);
      const sealed = theirs.flatMap((row) => [row.sealedNumber, row.sealedAddress]).filter(Boolean).length;
      for (const row of theirs) Object.assign(row, ANONYMOUS);
      const holdsTheirs = ({ queue, body }: DeadLetter) =>
        queue === LEDGER_QUEUE && numberTags.some((tag) => body.includes(tag));
      const erased = letters.removeLetters(holdsTheirs, Number.POSITIVE_INFINITY);
      return { kind: "erased", rows: theirs.length, sealed, letters: erased };
    },

    async sealedByKey() {
      const counts = new Map<string, number>();
      for (const sealed of [...rows.values()].flatMap((row) => [row.sealedNumber, row.sealedAddress])) {
        if (sealed === null) continue;
        const keyId = sealed.slice(0, sealed.indexOf("."));
        counts.set(keyId, (counts.get(keyId) ?? 0) + 1);
      }
      const keys = [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
      return { kind: "answered", keys: keys.map(([keyId, sealed]) => ({ keyId, sealed })) };
    },

    async boundary(count) {
      const beginnings = [...Map.groupBy(inOrder(), verificationOf).values()].map(
        ([first]) => first?.atMs ?? 0,
      );
      return { kind: "answered", atMs: beginnings.toReversed()[count] ?? null };
    },

    async sweep({ numbersBeforeMs, addressesBeforeMs, eventsBeforeMs, rowsBeforeMs = 0 }, limit) {
      // A verification is as old as its first event.
      const oldest = (beforeMs: number, which: (row: Row) => boolean) =>
        [...Map.groupBy(inOrder(), verificationOf).values()]
          .filter(([first, ...others]) => first && first.atMs < beforeMs && [first, ...others].some(which))
          .slice(0, limit);
      const numbers = oldest(numbersBeforeMs, ({ sealedNumber }) => sealedNumber !== null);
      const addresses = oldest(addressesBeforeMs, ({ sealedAddress }) => sealedAddress !== null);
      for (const row of numbers.flat()) row.sealedNumber = null;
      for (const row of addresses.flat()) row.sealedAddress = null;
      const events = oldest(Math.max(eventsBeforeMs, rowsBeforeMs), () => true);
      for (const { id } of events.flat()) rows.delete(id);
      const counted = [...refusals].filter(([, { atMs }]) => atMs < eventsBeforeMs).slice(0, limit);
      for (const [key] of counted) refusals.delete(key);
      // A letter holds both sealed texts: it goes with the first of them.
      const lettersBeforeMs = Math.max(numbersBeforeMs, addressesBeforeMs);
      const removed = letters.removeLetters(
        ({ queue, atMs }) => queue === LEDGER_QUEUE && atMs < lettersBeforeMs,
        limit,
      );
      const swept = {
        numbers: numbers.length,
        addresses: addresses.length,
        events: events.length,
        refusals: counted.length,
        letters: removed,
      };
      return { kind: "swept", ...swept, more: Object.values(swept).some((count) => count >= limit) };
    },

    async storage(sinceMs) {
      const beginnings = [...Map.groupBy(inOrder(), verificationOf).values()].map(
        ([first]) => first?.atMs ?? 0,
      );
      const rowsLastDay = beginnings.filter((atMs) => atMs >= sinceMs).length;
      const storage = { rows: beginnings.length, rowsLastDay, olderEvents: 0, bytes: 0 };
      return { kind: "answered", storage };
    },

    carryOver: async () => ({ kind: "moved", events: 0, more: false }),

    upkeep: async (name) => upkeeps.get(name) ?? null,
    async keepUpkeep(name, upkeep) {
      upkeeps.set(name, upkeep);
      return { kind: "done" };
    },
  };
}

const verificationOf = ({ id, correlationId }: Row): string => correlationId ?? id;

const placeOf = (row: Row) => ({ verification: verificationOf(row), place: row.seq });

const positionOf = (row: Row, beginnings: ReadonlyMap<string, number>): LedgerPosition => ({
  beganMs: beginnings.get(verificationOf(row)) ?? row.atMs,
  ...placeOf(row),
});

const asTheyHappen = (a: LedgerEvent, b: LedgerEvent) =>
  a.atMs - b.atMs || EVENT_KINDS.indexOf(a.kind) - EVENT_KINDS.indexOf(b.kind);

/** Everything of a row that could name its person. */
const ANONYMOUS: Partial<LedgerRow> = {
  sessionId: null,
  subnet: null,
  addressTag: null,
  numberTag: null,
  userTag: null,
  tagKeyId: null,
  messageId: null,
  sealedNumber: null,
  sealedAddress: null,
};

const bounded = (limit: number) => Math.min(MOST_ROWS, Math.max(1, Math.floor(limit)));

const withoutPlace = ({ seq: _, ...row }: Row): LedgerRow => row;
