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

/** The queue's name in the records, for what goes to the customer's backend. */
export const CUSTOMER_QUEUE = "customer";

type CustomerDeps = Pick<Deps, "policy" | "customer" | "outbox" | "records" | "log" | "nowMs">;

/** Something that happened, as a flow knows it: of a claim the number is hashed on the way. */
export interface CustomerNews extends Omit<CustomerOccurrence, "type" | "atMs" | "subject"> {
  about: CustomerSubject | Pick<SessionClaims, "flow" | "reference" | "phone"> | null;
  /** Now, where nothing is said. */
  atMs?: number;
}

/** Whether a backend is set up to hear of this. */
export const customerListens = (
  { policy, customer }: Pick<Deps, "policy" | "customer">,
  type: CustomerEventType,
): boolean => Boolean(customer) && policy.events.types.includes(type);

/**
 * Lets the customer's backend know, by way of the queue that tries again. What the queue does not take lies among the dead
 * letters.
 */
export async function notifyCustomer(
  deps: CustomerDeps,
  type: CustomerEventType,
  { about, atMs = deps.nowMs(), ...news }: CustomerNews,
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

/** Receipts and the end of a session come without its token: what they need for the customer's backend, the session keeps. */
const WITHOUT_TOKEN = [
  "verification.delivered",
  "verification.undelivered",
  "verification.expired",
] as const satisfies readonly CustomerEventType[];

/** What a session keeps of its customer; null where nobody will hear of it. */
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
