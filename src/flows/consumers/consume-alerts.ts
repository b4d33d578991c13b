import { retryDelaySeconds } from "../../domain/kernel/retry.ts";
import { ALERTS_QUEUE, type Alert, type AlertMessage, incidentOfAlert } from "../../domain/monitor/alert.ts";
import type { Deps } from "../../ports/deps.ts";
import type { AlertChannelPort } from "../../ports/monitor.ts";
import type { RecordsPort } from "../../ports/records.ts";
import { GIVEN_UP_BY_QUEUE, keepDeadLetter, MOST_ATTEMPTS, type QueueMessage } from "./settle-message.ts";

/** The ports that the consumer of the alerts' queue uses. */
export type AlertConsumerDeps = Pick<Deps, "random" | "log" | "nowMs"> & {
  records: Pick<RecordsPort, "bury" | "incident">;
  /** The channels that are set up. */
  alertChannels: readonly AlertChannelPort[];
  alertQueue: {
    /** Checks the body of a queue message; null for anything but an alert. */
    read(body: unknown): AlertMessage | null;
  };
};

export type AlertDeliveryResult =
  | { kind: "delivered" }
  | { kind: "superseded" }
  | { kind: "retry"; afterSeconds: number; cause: string }
  | { kind: "dead"; cause: string };

/**
 * Delivers a batch of alerts, each to one channel: tried until the channel takes it, with longer and longer waits, and kept
 * as a dead letter, which an operator can replay, when it never will.
 */
export async function consumeAlerts(
  deps: AlertConsumerDeps,
  messages: readonly QueueMessage[],
): Promise<void> {
  await Promise.all(messages.map((message) => settleAlert(deps, message)));
}

/** Keeps what the queue of the alerts gave up. */
export async function keepAlertDeadLetters(
  deps: AlertConsumerDeps,
  messages: readonly QueueMessage[],
): Promise<void> {
  await Promise.all(messages.map((message) => keepAlert(deps, message, GIVEN_UP_BY_QUEUE)));
}

/**
 * Delivers an alert to one channel. A beginning that comes late is left out when its incident is over: told after the end, it
 * would stand open in the channel for ever.
 *
 * @param attempts including this one
 */
export async function deliverAlert(
  { alertChannels, random, records }: Pick<AlertConsumerDeps, "alertChannels" | "random" | "records">,
  { alert, channel }: AlertMessage,
  attempts: number,
): Promise<AlertDeliveryResult> {
  const port = alertChannels.find(({ name }) => name === channel);
  if (!port) return { kind: "dead", cause: `${channel} is not set up` };
  if (attempts > 1 && (await isOver(records, alert))) return { kind: "superseded" };
  const result = await port.tell(alert);
  if (result.kind === "told") return { kind: "delivered" };
  const { cause, retryable, retryAfterSeconds } = result;
  if (!retryable) return { kind: "dead", cause };
  if (attempts >= MOST_ATTEMPTS) return { kind: "dead", cause: `${cause}, ${attempts} times` };
  return { kind: "retry", cause, afterSeconds: retryDelaySeconds(attempts, retryAfterSeconds, random) };
}

/** Where the records do not answer, an alert too many is better than one too few. */
async function isOver(records: AlertConsumerDeps["records"], alert: Alert): Promise<boolean> {
  const id = incidentOfAlert(alert);
  if (id === null || alert.phase === "resolve") return false;
  const incident = await records.incident(id);
  return incident !== null && !("kind" in incident) && incident.closedAtMs !== null;
}

async function settleAlert(deps: AlertConsumerDeps, message: QueueMessage): Promise<void> {
  const read = deps.alertQueue.read(message.body);
  const delivery: AlertDeliveryResult = read
    ? await deliverAlert(deps, read, message.attempts)
    : { kind: "dead", cause: "not an alert" };
  deps.log(`alert_${delivery.kind}`, {
    alert_id: read?.alert.id ?? null,
    channel: read?.channel ?? null,
    attempts: message.attempts,
    cause: "cause" in delivery ? delivery.cause : null,
  });
  if (delivery.kind === "delivered" || delivery.kind === "superseded") return message.ack();
  if (delivery.kind === "retry") return message.retry({ delaySeconds: delivery.afterSeconds });
  await keepAlert(deps, message, delivery.cause);
}

function keepAlert(deps: AlertConsumerDeps, message: QueueMessage, cause: string): Promise<void> {
  const read = deps.alertQueue.read(message.body);
  // The queue may deliver a message twice; it is one letter all the same.
  const id = read ? `${read.alert.id}:${read.channel}` : message.id;
  return keepDeadLetter(deps, message, { id, atMs: deps.nowMs(), queue: ALERTS_QUEUE, cause });
}
