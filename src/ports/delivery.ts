/** Providers, the messages they take and the receipts they send, and what is known of the routes to them. */
import type { RouteRecord } from "../domain/delivery/routing.ts";
import type { Channel } from "../domain/kernel/channel.ts";
import type { Done, Unavailable } from "./result.ts";

/** One message as the router hands it to a provider. */
export interface OutgoingMessage {
  /** E.164. */
  to: string;
  /** ISO 3166-1 alpha-2, of the number. */
  country: string;
  /** The whole text, for channels and providers that take one. */
  body: string;
  /** The digits alone, for providers that put them into a template of their own. */
  code: string;
  /** What a voice says, digits apart, once: a provider that calls repeats it by its own means. */
  spoken: string;
  /** BCP 47 tag of the body and of what is spoken. */
  locale: string;
  /** India: what the text was registered under; null where it was not. */
  dlt: { entityId: string; templateId: string } | null;
  channel: Channel;
  /** How long the code in it lives: a message still queued after that is worthless. */
  ttlSeconds: number;
  correlationId: string;
  /** One per message of a session; a provider that offers idempotency gets it. */
  idempotencyKey: string;
}

export type DeliveryResult =
  /** `costMicros`: the price as the provider stated it, in the price table's currency; null where it said none. */
  | { kind: "accepted"; messageId: string; costMicros: number | null }
  | { kind: "refused"; cause: string; retryable: boolean }
  /**
   * It may have left, so it must not be sent again without a decision: no answer in time, or the connection was lost, and
   * whether before or after the request was read cannot be told.
   */
  | { kind: "unknown"; cause: string; connectionLost: boolean };

/** What a provider says became of a message; `sent` is on its way, the other two are final. */
export interface Receipt {
  messageId: string;
  status: "sent" | "delivered" | "undelivered";
  /** The provider's own error code, for the operator; never text that could repeat a number. */
  errorCode: string | null;
  costMicros: number | null;
  /** When it happened by the provider's clock; null where it does not say. */
  atMs: number | null;
}

/** A webhook call as it arrived. */
export interface IncomingHook {
  method: string;
  /** As the provider called it, with its query: signatures cover it. */
  url: string;
  headers: Headers;
  body: Uint8Array;
}

export type ReceiptReading =
  | { kind: "receipts"; receipts: Receipt[] }
  /** Genuine, and nothing to us (an inbound message, a state that says nothing). */
  | { kind: "ignored" }
  /** No signature, a wrong one, one too old, or bytes that are no receipt. */
  | { kind: "forged"; cause: string };

/** `deaf`: it takes none of this channel. */
export type FeedbackResult =
  | { kind: "told" }
  | { kind: "deaf" }
  | { kind: "failed"; cause: string; retryable: boolean };

/**
 * A provider: one file each, which checks its own settings and knows its vendor's ways of failing. Refused and unknown are
 * told apart with care: a refused message may go out by another route, an unknown one must not.
 */
export interface ProviderPort {
  readonly name: string;
  readonly channels: readonly Channel[];
  /** ISO codes it serves; null for all. */
  readonly countries: readonly string[] | null;
  send(message: OutgoingMessage): Promise<DeliveryResult>;
  /** Reads a delivery receipt that came by webhook, checking its signature. */
  readReceipt?(hook: IncomingHook, nowMs: number): Promise<ReceiptReading>;
  /** Asks what became of a message, for providers without webhooks; null while it is not final. */
  poll?(messageId: string): Promise<Receipt | null | Unavailable>;
  /** Tells the provider whether the person typed the code. */
  feedback?(messageId: string, channel: Channel, verified: boolean, atMs: number): Promise<FeedbackResult>;
}

/** Whose message it is, as far as its receipt must know; no number and no address. */
export interface MessageOwner {
  sessionId: string;
  sendIndex: number;
  correlationId: string;
  country: string;
  channel: Channel;
  /** Minute (since 1970) in which it left. */
  minute: number;
  /** When its provider was asked; null in what was kept before this was. */
  handedOverMs: number | null;
  /** The session's token, sealed, where an undelivered message is sent again by itself; null where it is not. */
  session: string | null;
}

/** Whose message a provider's message id is, for as long as receipts come. */
export interface ReceiptsPort {
  /** Remembers it. @returns the receipt that came before the provider's answer did, if one had */
  bind(provider: string, messageId: string, owner: MessageOwner): Promise<Receipt | null | Unavailable>;
  /** Finds it. A receipt for nobody is kept for a while: its answer may be on its way. */
  claim(provider: string, receipt: Receipt): Promise<MessageOwner | null | Unavailable>;
}

/** What this place knows of the routes: what the cron measured, and how the last hand-overs here went. */
export interface RoutesPort {
  records(): Promise<ReadonlyMap<string, RouteRecord>>;
  /** A hand-over went well, or failed; here at once, and elsewhere with the cron's next word. */
  heard(key: string, failed: boolean): void;
  /** The cron's word for all places. */
  write(records: ReadonlyMap<string, RouteRecord>): Promise<Done>;
}
