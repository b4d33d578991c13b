/** Providers, the messages they take, the receipts they send, and the records of the routes to them. */
import type { Judgement, RefusalJudgement } from "../domain/delivery/judgement.ts";
import type { RouteRecord } from "../domain/delivery/routing.ts";
import type { Channel } from "../domain/kernel/channel.ts";
import type { CounterUpdate } from "../domain/monitor/tally.ts";
import type { Unavailable, WriteResult } from "./result.ts";

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
  /** The sentence a voice says once, digits apart: a provider that calls repeats it by its own means. */
  spoken: string;
  /** BCP 47 tag of the body and of what is spoken. */
  locale: string;
  /** The text's registration in India; null where it has none. */
  dlt: { entityId: string; templateId: string } | null;
  channel: Channel;
  /** How long the code in it lives: a message still queued after that is worthless. */
  ttlSeconds: number;
  correlationId: string;
  /** One per message of a session; a provider that offers idempotency gets it. */
  idempotencyKey: string;
}

/** A provider's answer to one message. Only what its documentation calls a refusal is one; all else is unknown. */
export type DeliveryResult =
  /**
   * `costMicros`: the price as the provider stated it, in the price table's currency; null where it said none.
   * `otherPartIds`: ids of the further parts of a long text, where each part gets a receipt of its own.
   */
  | { kind: "accepted"; messageId: string; costMicros: number | null; otherPartIds?: readonly string[] }
  /** The provider says that it did not take the message; `judgement` is why, and decides what follows. */
  | { kind: "refused"; cause: string; judgement: RefusalJudgement }
  /**
   * It may have left, so it must not be sent again without a decision: no answer in time, an answer that does not say "not
   * accepted", or a connection that was lost, whether before or after the request was read.
   */
  | { kind: "unknown"; cause: string; connectionLost: boolean };

/** A provider's word on the fate of a message; `sent` is on its way, the other two are final. */
export interface Receipt {
  messageId: string;
  status: "sent" | "delivered" | "undelivered";
  /** The provider's own error code, for the operator; never text that could repeat a number. */
  errorCode: string | null;
  costMicros: number | null;
  /** When it happened by the provider's clock; null where it does not say. */
  atMs: number | null;
  /** Why it was not delivered; absent where it was, and in what was kept before receipts were judged. */
  judgement?: Judgement | undefined;
  /** The reference that the message was sent with, where the provider repeats it: the answer may have got lost. */
  reference?: string | undefined;
}

/** A webhook call as it arrived. */
export interface IncomingHook {
  method: string;
  /** As the provider called it, with its query: signatures cover it. */
  url: string;
  headers: Headers;
  body: Uint8Array;
}

/** A webhook call as its provider's adapter understood it. */
export type HookReading =
  | { kind: "receipts"; receipts: Receipt[] }
  /** The person wrote STOP (`optedIn` false), or START, to the number the messages come from. `from`: E.164. */
  | { kind: "consent"; from: string; channel: Channel; optedIn: boolean }
  /** Genuine, and nothing to us (an inbound message, a state that says nothing). */
  | { kind: "ignored" }
  /** No signature, a wrong one, one too old, or bytes that are no receipt. */
  | { kind: "forged"; cause: string };

/** A provider's answer to feedback; `deaf`: it takes none about this channel. */
export type FeedbackResult =
  | { kind: "told" }
  | { kind: "deaf" }
  | { kind: "failed"; cause: string; retryable: boolean };

/**
 * A provider of messages. Each has a file of its own, which checks its own settings and knows its vendor's ways of failing. It
 * keeps refused and unknown apart with care: a refused message may go out by another route, an unknown one must not.
 */
export interface ProviderPort {
  readonly name: string;
  readonly channels: readonly Channel[];
  /** ISO codes it serves; null for all. */
  readonly countries: readonly string[] | null;
  send(message: OutgoingMessage): Promise<DeliveryResult>;
  /** Reads a delivery receipt that came by webhook, checking its signature. */
  readReceipt?(hook: IncomingHook, nowMs: number): Promise<HookReading>;
  /** Asks about the fate of a message, for providers without webhooks; null while it is not final. */
  poll?(messageId: string): Promise<Receipt | null | Unavailable>;
  /** Tells the provider whether its message was verified. */
  feedback?(messageId: string, channel: Channel, verified: boolean, atMs: number): Promise<FeedbackResult>;
}

/** The session and the place a message belongs to, for its receipt; it holds no number and no address. */
export interface MessageOwner {
  sessionId: string;
  sendIndex: number;
  correlationId: string;
  country: string;
  channel: Channel;
  /** Minute (since 1970) in which it left. */
  minute: number;
  /** When its provider was asked; null in records that are older than this field. */
  handedOverMs: number | null;
  /** The session's token, sealed, where an undelivered message is sent again by itself; null where it is not. */
  session: string | null;
  /** Keyed hash of the number, and its range, for what a receipt says of them; absent in what was kept before this was. */
  numberTag?: string | undefined;
  block?: string | undefined;
  /** Parts that must all be delivered; absent for one. */
  parts?: number | undefined;
}

/** A message and the names its receipts may come under. */
export interface MessageBinding {
  provider: string;
  owner: MessageOwner;
  /** The ids of its parts; none where the provider did not answer. */
  messageIds: readonly string[];
  /**
   * The reference it was sent with, where the provider did not answer: a receipt may still repeat it. Of two such messages of a
   * session by one provider the later one is found.
   */
  reference: string | null;
}

/** The owners of providers' message ids, for as long as receipts come. */
export interface MessageOwnersPort {
  /**
   * Remembers whose message it is, and counts it, in one command.
   *
   * @returns the receipts that came before the provider's answer, in the order of the ids
   */
  bind(
    binding: MessageBinding,
    updates: readonly CounterUpdate[],
  ): Promise<{ kind: "bound"; early: Receipt[] } | Unavailable>;
  /** Finds it by its id, else by its reference. A receipt for nobody is kept for a while: its answer may be on its way. */
  claim(provider: string, receipt: Receipt): Promise<MessageOwner | null | Unavailable>;
}

/** The records of the routes: the monitor's measurements, and the results of this place's last delivery attempts. */
export interface RouteRecordsPort {
  records(): Promise<ReadonlyMap<string, RouteRecord>>;
  /** Takes in the result of an attempt; it counts here at once, and elsewhere with the monitor's next measurements. */
  heard(key: string, failed: boolean): void;
  /** Writes the monitor's measurements for all places. */
  write(records: ReadonlyMap<string, RouteRecord>): Promise<WriteResult>;
}
