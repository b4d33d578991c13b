import { CUSTOMER_EVENT_TYPES, type CustomerEventType } from "../../../domain/session/customer-event.ts";
import type { Deps } from "../../../ports/deps.ts";
import { CUSTOMER_QUEUE } from "../../publish/notify-customer.ts";

export interface WebhookSettings {
  /** null where no backend is set up. */
  endpoint: { host: string; secrets: number } | null;
  types: readonly { type: CustomerEventType; told: boolean }[];
  /** Events among the latest dead letters; null where the records do not answer. */
  givenUp: number | null;
}

/** The latest dead letters, among which events are counted. */
const LETTERS = 500;

/** The settings of events to the customer's backend, without anything secret. */
export async function readWebhooks({
  customer,
  policy,
  records,
}: Pick<Deps, "customer" | "policy" | "records">): Promise<WebhookSettings> {
  const letters = await records.deadLetters(LETTERS);
  return {
    endpoint: customer?.settings ?? null,
    types: CUSTOMER_EVENT_TYPES.map((type) => ({ type, told: policy.events.types.includes(type) })),
    givenUp:
      letters.kind === "answered"
        ? letters.letters.filter(({ queue }) => queue === CUSTOMER_QUEUE).length
        : null,
  };
}
