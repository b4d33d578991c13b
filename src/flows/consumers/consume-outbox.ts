/**
 * Work that goes on behind answers, as its queue hands it over: alerts for people (notify.ts), feedback and questions for
 * providers (tell-provider.ts), events for the customer's backend. Each message is settled by itself; what can never be done lies among the dead letters.
 */

import { retryDelaySeconds } from "../../domain/kernel/retry.ts";
import type { CustomerEvent } from "../../domain/session/customer-event.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OutboxMessage } from "../../ports/outbox.ts";
import { type FeedbackSent, sendFeedback } from "../delivery/send-feedback.ts";
import { CUSTOMER_QUEUE } from "../publish/notify-customer.ts";
import { resendUndelivered } from "../verification/resend-undelivered.ts";
import {
  type ConsumerDeps,
  consumeAlerts,
  keepDeadLetter,
  keepDeadLetters,
  MOST_ATTEMPTS,
  type QueueMessage,
} from "./consume-alerts.ts";

/** The queue's name in the records, for what goes to providers. */
export const PROVIDERS_QUEUE = "providers";

/**
 * Waits (s) between attempts to tell the customer's backend, over about a day; as the specification advises.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const CUSTOMER_WAITS = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];

export type OutboxDeps = Deps &
  ConsumerDeps & {
    /** A queue message's body, checked; null for anything but work for a provider or an event for the customer. */
    readForProvider(body: unknown): OutboxMessage | null;
  };

export async function consumeOutbox(deps: OutboxDeps, messages: readonly QueueMessage[]): Promise<void> {
  const read = messages.map((message) => ({ message, work: deps.readForProvider(message.body) }));
  await Promise.all([
    consumeAlerts(
      deps,
      read.filter(({ work }) => work === null).map(({ message }) => message),
    ),
    ...read.map(({ message, work }) => (work === null ? null : tell(deps, message, work))),
  ]);
}

/** What the queue gave up: an outage of our own, mostly. */
export async function keepOutboxDeadLetter(
  deps: OutboxDeps,
  messages: readonly QueueMessage[],
): Promise<void> {
  const read = messages.map((message) => ({ message, work: deps.readForProvider(message.body) }));
  await Promise.all([
    keepDeadLetters(
      deps,
      read.filter(({ work }) => work === null).map(({ message }) => message),
    ),
    ...read.map(({ message, work }) =>
      work === null ? null : keepDeadLetter(deps, message, queueOf(work), "the queue gave it up"),
    ),
  ]);
}

async function tell(deps: OutboxDeps, message: QueueMessage, work: OutboxMessage): Promise<void> {
  // One that breaks something must not take the rest of its batch along.
  const telling =
    work.kind === "event"
      ? tellBackend(deps, work.event)
      : work.kind === "resend"
        ? resendUndelivered(deps, work)
        : sendFeedback(deps, work);
  const outcome = await telling.catch(
    (error: unknown): FeedbackSent => ({
      kind: "again",
      cause: error instanceof Error ? error.name : "unknown",
      retryable: true,
    }),
  );
  if (outcome.kind === "delivered") return message.ack();
  const { cause, retryable } = outcome;
  const dead = !retryable || message.attempts >= MOST_ATTEMPTS;
  const whom = work.kind === "event" ? "customer" : "provider";
  deps.log(dead ? `${whom}_not_told` : `${whom}_told_later`, {
    ...(work.kind === "event" ? { type: work.event.type } : { kind: work.kind }),
    ...("provider" in work ? { provider: work.provider } : {}),
    attempts: message.attempts,
    cause,
  });
  if (dead) return keepDeadLetter(deps, message, queueOf(work), cause);
  const delaySeconds =
    work.kind === "event"
      ? // A little apart, so that what failed together does not come back together.
        Math.ceil((CUSTOMER_WAITS[message.attempts - 1] ?? 0) * (1 + deps.random() / 10))
      : retryDelaySeconds(message.attempts, null, deps.random);
  message.retry({ delaySeconds });
}

const queueOf = (work: OutboxMessage) => (work.kind === "event" ? CUSTOMER_QUEUE : PROVIDERS_QUEUE);

async function tellBackend({ customer }: OutboxDeps, event: CustomerEvent): Promise<FeedbackSent> {
  // A backend that was taken out of the settings since has nothing to hear.
  if (customer === null) return { kind: "delivered" };
  const told = await customer.tell(event);
  return told.kind === "told" ? { kind: "delivered" } : { ...told, kind: "again" };
}
