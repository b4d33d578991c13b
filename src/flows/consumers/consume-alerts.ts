/**
 * Alerts on their way out: each queue message is one alert for one channel, tried until the channel takes it, with longer
 * and longer waits, and laid among the dead letters when it never will. From there people can send it once more.
 */
import { retryDelaySeconds } from "../../domain/kernel/retry.ts";
import { ALERTS_QUEUE, type AlertMessage } from "../../domain/monitor/alert.ts";
import type { Deps } from "../../ports/deps.ts";
import type { AlertChannelPort } from "../../ports/monitor.ts";
import type { RecordsPort } from "../../ports/records.ts";

/** What the consumer of the alerts' queue needs. */
export type ConsumerDeps = Pick<Deps, "random" | "log" | "nowMs"> & {
  records: Pick<RecordsPort, "bury">;
  /** The channels that are set up. */
  alertChannels: readonly AlertChannelPort[];
  alertQueue: {
    /** A queue message's body, checked; null for anything else. */
    read(body: unknown): AlertMessage | null;
  };
};

/** A message as the queue hands it over. */
export interface QueueMessage {
  readonly id: string;
  readonly body: unknown;
  /** This one included. */
  readonly attempts: number;
  ack(): void;
  retry(options?: { delaySeconds?: number }): void;
}

export type AlertDelivered =
  | { kind: "delivered" }
  | { kind: "retry"; afterSeconds: number; cause: string }
  | { kind: "dead"; cause: string };

/** After that many failed attempts, within about half an hour, it is history. */
export const MOST_ATTEMPTS = 8;

/**
 * Tells one channel of one alert.
 *
 * @param attempts how often it was tried, this time included
 */
export async function deliverAlert(
  { alertChannels, random }: Pick<ConsumerDeps, "alertChannels" | "random">,
  { alert, channel }: AlertMessage,
  attempts: number,
): Promise<AlertDelivered> {
  const port = alertChannels.find(({ name }) => name === channel);
  if (!port) return { kind: "dead", cause: `${channel} is not set up` };
  const result = await port.tell(alert);
  if (result.kind === "told") return { kind: "delivered" };
  const { cause, retryable, retryAfterSeconds } = result;
  if (!retryable) return { kind: "dead", cause };
  if (attempts >= MOST_ATTEMPTS) return { kind: "dead", cause: `${cause}, ${attempts} times` };
  return { kind: "retry", cause, afterSeconds: retryDelaySeconds(attempts, retryAfterSeconds, random) };
}

/** Works off a batch of the alerts' queue; every message is settled by itself. */
export async function consumeAlerts(deps: ConsumerDeps, messages: readonly QueueMessage[]): Promise<void> {
  await Promise.all(messages.map((message) => settle(deps, message)));
}

async function settle(deps: ConsumerDeps, message: QueueMessage): Promise<void> {
  const { log, alertQueue } = deps;
  const read = alertQueue.read(message.body);
  const outcome: AlertDelivered = read
    ? await deliverAlert(deps, read, message.attempts)
    : { kind: "dead", cause: "not an alert" };
  log(`alert_${outcome.kind}`, {
    alert_id: read?.alert.id ?? null,
    channel: read?.channel ?? null,
    attempts: message.attempts,
    cause: outcome.kind === "delivered" ? null : outcome.cause,
  });
  if (outcome.kind === "delivered") return message.ack();
  if (outcome.kind === "retry") return message.retry({ delaySeconds: outcome.afterSeconds });
  await keepDeadLetter(deps, message, ALERTS_QUEUE, outcome.cause);
}

/** Works off a batch of the dead-letter queue: what made the consumer fail so often that nobody could say why. */
export async function keepDeadLetters(deps: ConsumerDeps, messages: readonly QueueMessage[]): Promise<void> {
  await Promise.all(
    messages.map((message) => keepDeadLetter(deps, message, ALERTS_QUEUE, "the queue gave it up")),
  );
}

/** Writes a dead letter; the queue keeps it until that has happened. */
export async function keepDeadLetter(
  { records, alertQueue, nowMs, log }: Pick<ConsumerDeps, "records" | "alertQueue" | "nowMs" | "log">,
  message: QueueMessage,
  queue: string,
  cause: string,
): Promise<void> {
  const read = alertQueue.read(message.body);
  const buried = await records.bury({
    // The queue may hand a message over twice; it is one letter all the same.
    id: read ? `${read.alert.id}:${read.channel}` : message.id,
    atMs: nowMs(),
    queue,
    cause,
    body: JSON.stringify(message.body) ?? "null",
  });
  if (buried.kind === "done") return message.ack();
  log("dead_letter_waits", { cause: buried.cause });
  message.retry({ delaySeconds: 60 });
}
