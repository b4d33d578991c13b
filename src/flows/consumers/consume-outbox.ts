import { retryDelaySeconds } from "../../domain/kernel/retry.ts";
import type { LedgerEvent } from "../../domain/ledger/event.ts";
import type { CustomerEvent } from "../../domain/session/customer-event.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OutboxMessage } from "../../ports/outbox.ts";
import { type QueuedWorkResult, sendFeedback } from "../delivery/send-feedback.ts";
import { CUSTOMER_QUEUE } from "../publish/notify-customer.ts";
import { resendUndelivered } from "../verification/resend-undelivered.ts";
import { type AlertConsumerDeps, consumeAlerts, keepAlertDeadLetters } from "./consume-alerts.ts";
import { GIVEN_UP_BY_QUEUE, keepDeadLetter, MOST_ATTEMPTS, type QueueMessage } from "./settle-message.ts";

/** The queue's name in the records, for work for providers. */
const PROVIDERS_QUEUE = "providers";

/**
 * Waits (s) between attempts to notify the customer's backend, over about a day; as the specification advises.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
const CUSTOMER_WAITS_SECONDS = [5, 300, 1800, 7200, 18_000, 36_000, 36_000];

export type OutboxConsumerDeps = Deps &
  AlertConsumerDeps & {
    /** Checks the body of a queue message; null for anything but work for a provider or an event for the customer. */
    readForProvider(body: unknown): OutboxMessage | null;
  };

/**
 * Does the work that was put off until after an answer: alerts for people, feedback and questions for providers, events for
 * the customer's backend, automatic resends. Each message is settled by itself; one that can never be done becomes a dead letter.
 */
export async function consumeOutbox(
  deps: OutboxConsumerDeps,
  messages: readonly QueueMessage[],
): Promise<void> {
  const { alerts, work } = sortMessages(deps, messages);
  const [events] = await Promise.all([
    Promise.all(work.map((one) => settleWork(deps, one.message, one.work))),
    consumeAlerts(deps, alerts),
  ]);
  await recordFeedback(
    deps,
    events.filter((event) => event !== undefined),
  );
}

/** Writes feedback that providers took: behind a queue already, it needs no message of another. */
async function recordFeedback(
  { ledger, events }: Pick<OutboxConsumerDeps, "ledger" | "events">,
  feedback: readonly LedgerEvent[],
): Promise<void> {
  if (feedback.length === 0) return;
  const written = await ledger.write(feedback);
  if (written.kind !== "done") await events.put(feedback);
}

/** Keeps what the outbox's queue gave up, which mostly is an outage of ours. */
export async function keepOutboxDeadLetters(
  deps: OutboxConsumerDeps,
  messages: readonly QueueMessage[],
): Promise<void> {
  const { alerts, work } = sortMessages(deps, messages);
  await Promise.all([
    keepAlertDeadLetters(deps, alerts),
    ...work.map((one) => keepWork(deps, one.message, one.work, GIVEN_UP_BY_QUEUE)),
  ]);
}

/** Alerts share the queue; a body that is no work counts among them, whose consumer checks it. */
function sortMessages(
  { readForProvider }: OutboxConsumerDeps,
  messages: readonly QueueMessage[],
): { alerts: QueueMessage[]; work: { message: QueueMessage; work: OutboxMessage }[] } {
  const read = messages.map((message) => ({ message, work: readForProvider(message.body) }));
  return {
    alerts: read.filter(({ work }) => work === null).map(({ message }) => message),
    work: read.flatMap(({ message, work }) => (work === null ? [] : [{ message, work }])),
  };
}

async function settleWork(
  deps: OutboxConsumerDeps,
  message: QueueMessage,
  work: OutboxMessage,
): Promise<LedgerEvent | undefined> {
  // An error in one message must not fail the rest of its batch.
  const result = await doWork(deps, work).catch(
    (error: unknown): QueuedWorkResult => ({
      kind: "again",
      cause: error instanceof Error ? error.name : "unknown",
      retryable: true,
    }),
  );
  if (result.kind === "delivered") {
    message.ack();
    return result.event;
  }
  const { cause, retryable } = result;
  const dead = !retryable || message.attempts >= MOST_ATTEMPTS;
  const receiver = work.kind === "event" ? "customer" : "provider";
  deps.log(dead ? `${receiver}_not_told` : `${receiver}_told_later`, {
    ...(work.kind === "event" ? { type: work.event.type } : { kind: work.kind }),
    ...("provider" in work ? { provider: work.provider } : {}),
    attempts: message.attempts,
    cause,
  });
  if (dead) await keepWork(deps, message, work, cause);
  else message.retry({ delaySeconds: workDelaySeconds(deps, message, work) });
  return undefined;
}

function doWork(deps: OutboxConsumerDeps, work: OutboxMessage): Promise<QueuedWorkResult> {
  if (work.kind === "event") return notifyBackend(deps, work.event);
  return work.kind === "resend" ? resendUndelivered(deps, work) : sendFeedback(deps, work);
}

async function notifyBackend(
  { customer }: OutboxConsumerDeps,
  event: CustomerEvent,
): Promise<QueuedWorkResult> {
  // The backend may have been removed from the settings since.
  if (customer === null) return { kind: "delivered" };
  const told = await customer.tell(event);
  return told.kind === "told" ? { kind: "delivered" } : { ...told, kind: "again" };
}

function workDelaySeconds(
  { random }: OutboxConsumerDeps,
  { attempts }: QueueMessage,
  work: OutboxMessage,
): number {
  if (work.kind !== "event") return retryDelaySeconds(attempts, null, random);
  // A little apart, so that messages that failed together do not come back together.
  return Math.ceil((CUSTOMER_WAITS_SECONDS[attempts - 1] ?? 0) * (1 + random() / 10));
}

function keepWork(
  deps: OutboxConsumerDeps,
  message: QueueMessage,
  work: OutboxMessage,
  cause: string,
): Promise<void> {
  const queue = work.kind === "event" ? CUSTOMER_QUEUE : PROVIDERS_QUEUE;
  return keepDeadLetter(deps, message, { id: message.id, atMs: deps.nowMs(), queue, cause });
}
