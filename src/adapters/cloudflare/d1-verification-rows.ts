/** The ledger's events as rows of `verifications`: one row for each verification, in which every event keeps all of its facts. */
import { EVENT_KINDS, type LedgerEvent } from "../../domain/ledger/event.ts";
import { LEDGER_COLUMNS } from "./d1-ledger-rows.ts";

/**
 * The columns that the events of a verification usually have in common, in the order of
 * the bits of `without`, which the view `ledger_events` reads (migration 0003).
 */
export const SHARED_COLUMNS = [
  "session_id",
  "flow",
  "country",
  "prefix",
  "block",
  "asn",
  "subnet",
  "address_tag",
  "number_tag",
  "user_tag",
  "tag_key",
  "provider",
  "channel",
  "message_id",
  "action",
  "reasons",
] as const satisfies readonly (keyof typeof LEDGER_COLUMNS)[];

type SharedColumn = (typeof SHARED_COLUMNS)[number];
type SharedFacts = Record<SharedColumn, string | number | null>;

/** Facts that belong to one event, by their short names in it. They follow its kind, its name and its time. */
const OWN_FACTS = {
  cost: "costMicros",
  dlt: "dltMicros",
  receipt: "receipt",
  code: "code",
  number: "sealedNumber",
  address: "sealedAddress",
} as const satisfies Record<string, keyof LedgerEvent>;

/** The bit of a column in `without`. */
export const columnBit = (column: string): number => 2 ** SHARED_COLUMNS.indexOf(column as SharedColumn);

/** A row of `verifications` before it is merged with the stored one. */
export interface VerificationRow extends SharedFacts {
  id: string;
  at: number;
  last_at: number;
  events: Record<string, string | number | null>[];
}

/** Groups events into rows; of an event that comes twice the first one counts. */
export function verificationRows(events: readonly LedgerEvent[]): VerificationRow[] {
  const byId = new Map<string, LedgerEvent>();
  for (const event of events.toSorted(inOrder)) if (!byId.has(event.id)) byId.set(event.id, event);
  const once = [...byId.values()];
  return [...Map.groupBy(once, ({ id, correlationId }) => correlationId ?? id)].map(([id, own]) => {
    const shared = sharedFacts(own);
    return {
      ...shared,
      id,
      at: Math.min(...own.map(({ atMs }) => atMs)),
      last_at: Math.max(...own.map(({ atMs }) => atMs)),
      events: own.map((event) => storedEvent(event, id, shared)),
    };
  });
}

const inOrder = (a: LedgerEvent, b: LedgerEvent) =>
  a.atMs - b.atMs || EVENT_KINDS.indexOf(a.kind) - EVENT_KINDS.indexOf(b.kind);

/** The first of each fact. */
const sharedFacts = (events: readonly LedgerEvent[]): SharedFacts =>
  Object.fromEntries(
    SHARED_COLUMNS.map((column) => {
      const field = LEDGER_COLUMNS[column];
      return [column, events.find((event) => event[field] !== null)?.[field] ?? null];
    }),
  ) as SharedFacts;

/** The view `ledger_events` finds receipts and verifications by the first two fields, so their order matters. */
function storedEvent(
  event: LedgerEvent,
  row: string,
  shared: SharedFacts,
): VerificationRow["events"][number] {
  const name = `${event.kind}.${row}`;
  const of = event.id.slice(name.length);
  const differs = SHARED_COLUMNS.map((column) => [column, event[LEDGER_COLUMNS[column]]] as const).filter(
    ([column, fact]) => fact !== shared[column],
  );
  const without = differs
    .filter(([, fact]) => fact === null)
    .reduce((bits, [column]) => bits + columnBit(column), 0);
  const own = Object.entries(OWN_FACTS).map(([name, field]) => [name, event[field]] as const);
  return {
    kind: event.kind,
    ...(event.id.startsWith(name) ? (of === "" ? {} : { of }) : { id: event.id }),
    at: event.atMs,
    ...(without === 0 ? {} : { without }),
    ...Object.fromEntries([...own, ...differs].filter(([, fact]) => fact !== null)),
  };
}
