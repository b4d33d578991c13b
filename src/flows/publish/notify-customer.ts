import {
  type CustomerEventType,
  type CustomerOccurrence,
  type CustomerSubject,
  customerEvent,
} from "../../domain/session/customer-event.ts";
import type { SessionCustomer } from "../../domain/session/session.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OutboxMessage } from "../../ports/outbox.ts";
import type { SessionClaims } from "../../ports/session.ts";

/** The name, in the records, of the queue that leads to the customer's backend. */
export const CUSTOMER_QUEUE = "customer";

export type CustomerNeeds = Pick<Deps, "policy" | "customer" | "outbox" | "records" | "log" | "nowMs">;

/** Something that happened; a number in clear is hashed before it is queued. */
export interface CustomerEventDetails extends Omit<CustomerOccurrence, "type" | "atMs" | "subject"> {
  about: CustomerSubject | Pick<SessionClaims, "flow" | "reference" | "phone"> | null;
  /** The present where absent. */
  atMs?: number;
}

/** True where a backend is set up to hear of events of this type. */
export const customerListens = (
  { policy, customer }: Pick<Deps, "policy" | "customer">,
  type: CustomerEventType,
): boolean => Boolean(customer) && policy.events.types.includes(type);

/**
 * Notifies the customer's backend, by way of the queue that tries again. An event that the queue does not take is kept among
 * the dead letters.
 */
export async function notifyCustomer(
  deps: CustomerNeeds,
  type: CustomerEventType,
  { about, atMs = deps.nowMs(), ...news }: CustomerEventDetails,
): Promise<void> {
  const { customer, outbox, records, log } = deps;
  if (customer === null || !customerListens(deps, type)) return;
  const subject = about === null || "phoneHash" in about ? about : await subjectOf(customer, about);
  const event = customerEvent({ ...news, type, atMs, subject });
  const message: OutboxMessage = { kind: "event", event };
  const put = await outbox.put([message]);
  if (put.kind === "done") return;
  const letter = {
    id: event.id,
    atMs,
    queue: CUSTOMER_QUEUE,
    cause: put.cause,
    body: JSON.stringify(message),
  };
  const buried = await records.bury(letter);
  log("customer_event_not_queued", {
    correlation_id: event.correlationId,
    type,
    buried: buried.kind === "done",
  });
}

/** Events of receipts and of a session's end come without its token: the session itself keeps whom they are about. */
const WITHOUT_TOKEN = [
  "verification.delivered",
  "verification.undelivered",
  "verification.expired",
] as const satisfies readonly CustomerEventType[];

/** The part of an event that a session keeps for its customer; null where no backend will hear of it. */
export async function customerOfSession(
  deps: Pick<Deps, "policy" | "customer">,
  claims: Pick<SessionClaims, "flow" | "reference" | "phone">,
): Promise<SessionCustomer | null> {
  const { customer } = deps;
  if (customer === null || !WITHOUT_TOKEN.some((type) => customerListens(deps, type))) return null;
  const hearsExpiry = customerListens(deps, "verification.expired");
  return { subject: await subjectOf(customer, claims), hearsExpiry };
}

async function subjectOf(
  customer: NonNullable<Deps["customer"]>,
  { flow, reference, phone }: Pick<SessionClaims, "flow" | "reference" | "phone">,
): Promise<CustomerSubject> {
  return { flow, reference, phoneHash: await customer.hashPhone(phone) };
}
