import type { CustomerEvent, Deps, OutboxMessage, SessionClaims } from "../ports.ts";

/** The queue's name in the records, for what goes to the customer's backend. */
export const CUSTOMER_QUEUE = "customer";

/**
 * Lets the customer's backend know at once, by way of the queue that tries again. What the queue does not take lies among the
 * dead letters.
 */
export async function tellCustomer(
  { customer, outbox, records, log, nowMs }: Pick<Deps, "customer" | "outbox" | "records" | "log" | "nowMs">,
  { correlationId, flow, reference, phone }: SessionClaims,
  type: CustomerEvent["type"],
  attemptsLeft: number | null,
): Promise<void> {
  if (customer === null) return;
  const event: CustomerEvent = {
    id: `${type}.${correlationId}${attemptsLeft === null ? "" : `.${attemptsLeft}`}`,
    type,
    atMs: nowMs(),
    correlationId,
    flow,
    reference,
    phoneHash: await customer.hashPhone(phone),
    attemptsLeft,
  };
  const message: OutboxMessage = { kind: "event", event };
  const put = await outbox.put([message]);
  if (put.kind === "done") return;
  const { id, atMs } = event;
  const letter = { id, atMs, queue: CUSTOMER_QUEUE, cause: put.cause, body: JSON.stringify(message) };
  const buried = await records.bury(letter);
  log("customer_event_not_queued", { correlation_id: correlationId, type, buried: buried.kind === "done" });
}
