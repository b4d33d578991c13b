/** Work for others that goes on behind an answer: for providers, and for the customer's backend. */
import type { Channel } from "../domain/kernel/channel.ts";
import type { CustomerEvent } from "../domain/session/customer-event.ts";
import type { WriteResult } from "./result.ts";

/** Work for a provider that goes on behind an answer. */
export type ProviderWork =
  | {
      kind: "feedback";
      /** null in messages that are older than this field. */
      correlationId: string | null;
      provider: string;
      messageId: string;
      channel: Channel;
      verified: boolean;
      atMs: number;
    }
  /** Asks a provider without webhooks about the fate of a message. */
  | { kind: "poll"; provider: string; messageId: string; tries: number };

/** The customer's backend. */
export interface CustomerPort {
  /** Where events go and how many secrets sign them, without anything secret. */
  readonly settings: { host: string; secrets: number };
  hashPhone(e164: string): Promise<string>;
  tell(
    event: CustomerEvent,
  ): Promise<
    { kind: "told" } | { kind: "failed"; cause: string; retryable: boolean; retryAfterSeconds: number | null }
  >;
}

/** Work for others that goes on behind an answer, with retries, until it is done or buried. */
export type OutboxMessage =
  | ProviderWork
  | { kind: "event"; event: CustomerEvent }
  /** Sends an undelivered message's code again by another route. `session` is a token sealed to the name `of`. */
  | { kind: "resend"; of: string; session: string; correlationId: string };

/** The queue of such work. */
export interface OutboxPort {
  /** @param delaySeconds before its first try */
  put(messages: readonly OutboxMessage[], delaySeconds?: number): Promise<WriteResult>;
}
