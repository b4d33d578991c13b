/** The ledger's events as rows of `verifications`: one row for each verification, in which every event keeps all of its facts. */
import { EVENT_KINDS, type LedgerEvent } from "../../domain/ledger/event.ts";
import type { LEDGER_COLUMNS } from "./d1-ledger-rows.ts";

/** The columns that the events of a verification usually have in common, and the field of an event behind each. */
export const SHARED_COLUMNS = {
  session_id: "sessionId",
  flow: "flow",
  country: "country",
  prefix: "prefix",
  block: "block",
  asn: "asn",
  subnet: "subnet",
  address_tag: "addressTag",
  number_tag: "numberTag",
  user_tag: "userTag",
  tag_key: "tagKeyId",
  action: "action",
  reasons: "reasons",
} as const satisfies Partial<typeof LEDGER_COLUMNS>;

type SharedColumn = keyof typeof SHARED_COLUMNS;
type SharedFacts = Record<SharedColumn, string | number | null>;

/** Facts that belong to one event. They follow its kind, its name and its time. */
const OWN_COLUMNS = {
  provider: "provider",
  channel: "channel",
  message_id: "messageId",
  cost_micros: "costMicros",
  dlt_micros: "dltMicros",
  receipt: "receipt",
  code: "code",
  sealed_number: "sealedNumber",
  sealed_address: "sealedAddress",
} as const satisfies Record<string, keyof LedgerEvent>;

/** An event with fewer facts in common than this (a receipt, an expiry, a change of posture) is written without any. */
const FEWEST_SHARED = 4;

const sharedColumns = Object.keys(SHARED_COLUMNS) as SharedColumn[];

/** A row of `verifications` before it is merged with the stored one. */
export interface VerificationRow extends SharedFacts {
  id: string;
  at: number;
  last_at: number;
  events: Record<string, string | number | null>[];
}

/** The row an event belongs to: its verification's, or its own. */
const verificationOf = ({ id, correlationId }: LedgerEvent): string => correlationId ?? id;

/** Groups events into rows; an event that comes twice is there once. */
export function verificationRows(events: readonly LedgerEvent[]): VerificationRow[] {
  const once = [...new Map(events.map((event) => [event.id, event])).values()].toSorted(inOrder);
  return [...Map.groupBy(once, verificationOf)].map(([id, own]) => {
    const base = sharedFacts(own.find(({ numberTag }) => numberTag !== null) ?? own.find(sharesFacts));
    return {
      ...base,
      id,
      at: Math.min(...own.map(({ atMs }) => atMs)),
      last_at: Math.max(...own.map(({ atMs }) => atMs)),
      events: own.map((event) => storedEvent(event, id, base)),
    };
  });
}

const inOrder = (a: LedgerEvent, b: LedgerEvent) =>
  a.atMs - b.atMs || EVENT_KINDS.indexOf(a.kind) - EVENT_KINDS.indexOf(b.kind);

const sharesFacts = (event: LedgerEvent) =>
  sharedColumns.filter((column) => event[SHARED_COLUMNS[column]] !== null).length >= FEWEST_SHARED;

const sharedFacts = (event: LedgerEvent | undefined): SharedFacts =>
  Object.fromEntries(
    sharedColumns.map((column) => [column, event?.[SHARED_COLUMNS[column]] ?? null]),
  ) as SharedFacts;

/** The view `ledger_events` finds receipts and verifications by the first two fields, so their order matters. */
function storedEvent(event: LedgerEvent, row: string, base: SharedFacts): VerificationRow["events"][number] {
  const name = `${event.kind}.${row}`;
  const of = event.id.slice(name.length);
  const shares = sharesFacts(event) || event.numberTag !== null;
  const facts = sharedColumns
    .map((column) => [column, event[SHARED_COLUMNS[column]]] as const)
    .filter(([column, fact]) => (shares ? fact !== base[column] : fact !== null));
  const own = Object.entries(OWN_COLUMNS)
    .map(([column, field]) => [column, event[field]] as const)
    .filter(([, fact]) => fact !== null);
  return {
    kind: event.kind,
    ...(event.id.startsWith(name) ? (of === "" ? {} : { of }) : { id: event.id }),
    at: event.atMs,
    ...(shares ? {} : { own: 1 }),
    ...Object.fromEntries([...own, ...facts]),
  };
}
