/** What the customer's backend is told: which events there are, and how a receiver puts them in order. */

/**
 * In the order in which they can follow each other within one millisecond.
 * - `verification.sent`: a message left, or may have left
 * - `verification.delivered`, `.undelivered`: the provider's final word on it
 * - `verification.attempt_failed`, `.locked`: a wrong code, and the last one the session takes
 * - `verification.approved`, `.expired`: how it ended
 * - `fraud.suspected`: the watch opened an incident or shut ranges, networks or addresses
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

/** What an operator asks for to see whether events arrive; no policy leaves it out. */
export const TEST_EVENT = "test";

/** Whom an event is about, in the customer's terms. */
export interface CustomerSubject {
  flow: string;
  /** The caller's own, from the request that began the verification. */
  reference: string | null;
  /**
   * HMAC-SHA-256 of the number in E.164 under the webhook's own secret, as `v1,<base64url>`: a backend that knows its users'
   * numbers finds the one that is meant, and whoever reads queues, letters or logs does not.
   */
  phoneHash: string;
}

export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue };

export interface CustomerEvent {
  /** The same for every attempt to say it, and without full stops, which part what is signed. */
  id: string;
  type: CustomerEventType | typeof TEST_EVENT;
  atMs: number;
  /** See {@link sequenceOf}. */
  sequence: number;
  /** null for what is said of the service. */
  correlationId: string | null;
  subject: CustomerSubject | null;
  /** What else there is to say, by its name on the wire. */
  facts: Readonly<Record<string, JsonValue>>;
}

export interface CustomerOccurrence
  extends Pick<CustomerEvent, "type" | "atMs" | "correlationId" | "subject"> {
  /** What it happened to: with the type, the event's id. */
  of: string;
  /** Orders what has the same type and time, from 0; higher counts stay together at 99. */
  nth?: number;
  facts?: CustomerEvent["facts"];
}

export function customerEvent({ of, nth = 0, facts = {}, ...rest }: CustomerOccurrence): CustomerEvent {
  const id = `${rest.type.replace(".", "_")}:${of}`;
  return { ...rest, id, sequence: sequenceOf(rest.type, rest.atMs, nth), facts };
}

/**
 * Orders the events of one correlation id: first the time in milliseconds as the place knew it where the event was seen, then
 * the type's place in the list, then the count. It is made without asking anybody, so it has gaps, and events of two places
 * that lie closer together than their clocks agree may stand in the other order. It is a safe integer until the year 2255.
 */
export function sequenceOf(type: CustomerEvent["type"], atMs: number, nth: number): number {
  const types: readonly string[] = CUSTOMER_EVENT_TYPES;
  const rank = types.indexOf(type);
  return Math.round(atMs) * 1000 + (rank < 0 ? types.length : rank) * 100 + Math.min(99, nth);
}
