/** People see whether events reach the customer's backend. */
import {
  CUSTOMER_EVENT_TYPES,
  type CustomerEventType,
  customerEvent,
  TEST_EVENT,
} from "../../domain/session/customer-event.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";
import { CUSTOMER_QUEUE } from "../publish/notify-customer.ts";

export interface WebhookSettings {
  /** null where no backend is set up. */
  endpoint: { host: string; secrets: number } | null;
  types: readonly { type: CustomerEventType; told: boolean }[];
  /** Events among the latest dead letters; null where the records do not answer. */
  givenUp: number | null;
}

/** Dead letters that are looked through. */
const LETTERS = 500;

/** How the events to the customer's backend are set up, without anything secret. */
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

export interface WebhookTestResult extends Performed {
  /** Of the event, as the backend sees it in `webhook-id`. */
  eventId: string;
}

/** Puts an event that says nothing on the queue, as every other one goes; whether it arrived, the backend and the log know. */
export async function testWebhook(
  deps: Pick<Deps, "customer" | "outbox" | "records" | "vault" | "log" | "nowMs">,
  act: OperatorCommand,
): Promise<WebhookTestResult | NotPerformed> {
  const { customer, outbox, vault, nowMs } = deps;
  if (customer === null) {
    return { kind: "not_found", reason: "EVENTS_WEBHOOK_URL is not set: no backend hears of anything" };
  }
  const facts = { says: "an operator asked whether events arrive" };
  const what = {
    type: TEST_EVENT,
    of: vault.newId(),
    atMs: nowMs(),
    correlationId: null,
    subject: null,
  } as const;
  const event = customerEvent({ ...what, facts });
  const acted = await runOperatorAction(deps, act, {
    what: "webhook tested",
    details: { id: event.id },
    effect: "raises",
    perform: () => outbox.put([{ kind: "event", event }]),
  });
  if (acted.kind !== "done") return acted;
  const notes = [
    `The queue has the event, for ${customer.settings.host}: your backend gets it within seconds, as webhook-id ${event.id}.`,
    "If it does not take it, the log says customer_told_later with the cause, and the queue tries again over a day; what is given up then is among the dead letters.",
  ];
  return { ...acted, notes: [...acted.notes, ...notes], eventId: event.id };
}
