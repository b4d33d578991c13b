import { customerEvent, TEST_EVENT } from "../../domain/session/customer-event.ts";
import type { Deps } from "../../ports/deps.ts";
import {
  type NotPerformed,
  type OperatorCommand,
  type Performed,
  runOperatorAction,
} from "../audit/run-operator-action.ts";

export interface WebhookTestResult extends Performed {
  /** The event's id, which the backend sees in `webhook-id`. */
  eventId: string;
}

/** Puts a test event on the queue that every event takes. The backend and the log show whether it arrived. */
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
