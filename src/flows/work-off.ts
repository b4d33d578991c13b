/**
 * Work that goes on behind answers, as its queue hands it over: alerts for people (notify.ts), feedback and questions for
 * providers (tell-provider.ts). Each message is settled by itself; what can never be done lies among the dead letters.
 */
import type { Deps, OutboxMessage } from "../ports.ts";
import {
  buryLetters,
  layToRest,
  type NotifyDeps,
  notifyAll,
  type QueueMessage,
  waitSeconds,
} from "./notify.ts";
import { tellProvider } from "./tell-provider.ts";

/** The queue's name in the records, for what goes to providers. */
export const PROVIDERS_QUEUE = "providers";

/** After that many failed attempts, within about half an hour, nobody waits for it any more. */
const MOST_ATTEMPTS = 8;

export type WorkDeps = Deps &
  NotifyDeps & {
    /** A queue message's body, checked; null for anything but work for a provider. */
    readForProvider(body: unknown): OutboxMessage | null;
  };

export async function workOff(deps: WorkDeps, messages: readonly QueueMessage[]): Promise<void> {
  const read = messages.map((message) => ({ message, work: deps.readForProvider(message.body) }));
  await Promise.all([
    notifyAll(
      deps,
      read.filter(({ work }) => work === null).map(({ message }) => message),
    ),
    ...read.map(({ message, work }) => (work === null ? null : tell(deps, message, work))),
  ]);
}

/** What the queue gave up: an outage of our own, mostly. */
export async function bury(deps: WorkDeps, messages: readonly QueueMessage[]): Promise<void> {
  const ofProviders = messages.filter(({ body }) => deps.readForProvider(body) !== null);
  await Promise.all([
    buryLetters(
      deps,
      messages.filter((message) => !ofProviders.includes(message)),
    ),
    ...ofProviders.map((message) => layToRest(deps, message, PROVIDERS_QUEUE, "the queue gave it up")),
  ]);
}

async function tell(deps: WorkDeps, message: QueueMessage, work: OutboxMessage): Promise<void> {
  const outcome = await tellProvider(deps, work);
  if (outcome.kind === "delivered") return message.ack();
  const { cause, retryable } = outcome;
  const dead = !retryable || message.attempts >= MOST_ATTEMPTS;
  deps.log(dead ? "provider_not_told" : "provider_told_later", {
    provider: work.provider,
    kind: work.kind,
    attempts: message.attempts,
    cause,
  });
  if (dead) await layToRest(deps, message, PROVIDERS_QUEUE, cause);
  else message.retry({ delaySeconds: waitSeconds(message.attempts, null, deps.random) });
}
