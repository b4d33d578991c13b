/** Events for the customer's backend: their types, and the numbers by which a receiver puts them in order. */

/**
 * The types, in the order in which they can follow each other within one millisecond.
 * - `verification.sent`: a message left, or may have left
 * - `verification.delivered`, `.undelivered`: the provider's final receipt of it
 * - `verification.attempt_failed`, `.locked`: a wrong code, and the last one the session allows
 * - `verification.approved`, `.expired`: its end, with and without the right code
 * - `fraud.suspected`: the monitor opened an incident or banned ranges, networks or addresses
 * - `posture.changed`: the service is stricter or laxer than before
 */
export const CUSTOMER_EVENT_TYPES = [
  "verification.sent",
  "verification.delivered",
  "verification.undelivered",
  "verification.attempt_failed",
  "verification.locked",
  "verification.approved",
  "verification.expired",
  "fraud.suspected",
  "posture.changed",
] as const;
export type CustomerEventType = (typeof CUSTOMER_EVENT_TYPES)[number];

/** The event with which an operator tests the way to the backend; no policy leaves it out. */
export const TEST_EVENT = "test";

/** The verified person of an event, in the customer's terms. */
export interface CustomerSubject {
  flow: string;
  /** The caller's own, from the request that began the verification. */
  reference: string | null;
  /**
   * HMAC-SHA-256 of the number in E.164 under the webhook's own secret, as `v1,<base64url>`: a backend that knows its users'
   * numbers recognises it, and a reader of queues, dead letters or logs does not.
   */
  phoneHash: string;
}

type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

/** One event on its way to the customer's backend. */
export interface CustomerEvent {
  /** The same in every delivery attempt. It has no full stops, because they separate the parts of the signed text. */
  id: string;
  type: CustomerEventType | typeof TEST_EVENT;
  atMs: number;
  /** See {@link sequenceOf}. */
  sequence: number;
  /** null for events about the service. */
  correlationId: string | null;
  subject: CustomerSubject | null;
  /** Further fields, by their names on the wire. */
  facts: Readonly<Record<string, JsonValue>>;
}

/** Something that happened, of which an event is made. */
export interface CustomerOccurrence
  extends Pick<CustomerEvent, "type" | "atMs" | "correlationId" | "subject"> {
  /** The thing it happened to; together with the type it is the event's id. */
  of: string;
  /** Orders events of the same type and time, from 0; all counts from 99 on are equal. */
  nth?: number;
  facts?: CustomerEvent["facts"];
}

/** Makes an event, with its id and its sequence number. */
export function customerEvent({ of, nth = 0, facts = {}, ...rest }: CustomerOccurrence): CustomerEvent {
  const id = `${rest.type.replace(".", "_")}:${of}`;
  return { ...rest, id, sequence: sequenceOf(rest.type, rest.atMs, nth), facts };
}

/**
 * The number that orders the events of one correlation id: first by the time in milliseconds at the location that saw the event,
 * then by the type's place in the list, then by the count. Locations do not coordinate it, so it has gaps, and events of two
 * locations that are closer together than their clocks agree may come in the other order. It is a safe integer until 2255.
 */
export function sequenceOf(type: CustomerEvent["type"], atMs: number, nth: number): number {
  const types: readonly string[] = CUSTOMER_EVENT_TYPES;
  const rank = types.indexOf(type);
  return Math.round(atMs) * 1000 + (rank < 0 ? types.length : rank) * 100 + Math.min(99, nth);
}
