/**
 * The ledger's events: what happened to one verification, or to the service, in words that hold no number and no address.
 * An event's id says what happened to what, so that an event that is told twice is one row.
 */
import type { Channel } from "../kernel/channel.ts";

/**
 * - `requested`: let through, its session is open and its message about to leave; carries the verdict
 * - `refused`, `challenged`: not let through (a bounded sample: {@link SAMPLES_PER_MINUTE}), or refused by the provider
 * - `sent`: left, or may have left; carries its cost, and later its receipt and whether it was verified
 * - `delivered`, `undelivered`: the provider's final word on it
 * - `attempt_failed`, `locked`, `verified`, `expired`: what the session came to
 * - `feedback`: the provider heard whether it converted
 * - `posture`, `operator_action`: what the service and its people did
 */
export const EVENT_KINDS = [
  "requested",
  "refused",
  "challenged",
  "sent",
  "delivered",
  "undelivered",
  "attempt_failed",
  "locked",
  "verified",
  "expired",
  "feedback",
  "posture",
  "operator_action",
] as const;
export type EventKind = (typeof EVENT_KINDS)[number];

/** One event, as it travels; what an event has nothing to say about is null. */
export interface LedgerEvent {
  id: string;
  kind: EventKind;
  atMs: number;
  correlationId: string | null;
  sessionId: string | null;
  flow: string | null;
  /** ISO 3166-1 alpha-2, of the number. */
  country: string | null;
  /** The number without its last 7 digits. */
  prefix: string | null;
  /** The number without its last 4 digits. */
  block: string | null;
  /** Network of whoever asked. */
  asn: number | null;
  /** The /24 or /48 of whoever asked. */
  subnet: string | null;
  addressTag: string | null;
  numberTag: string | null;
  userTag: string | null;
  /** Id of the key that made the tags. */
  tagKeyId: string | null;
  provider: string | null;
  channel: Channel | null;
  messageId: string | null;
  /** Price without the DLT fee, in millionths of the price table's currency. */
  costMicros: number | null;
  dltMicros: number | null;
  /** The verdict: allow, challenge, step_up, deny. */
  action: string | null;
  /** Names of the verdict's reasons, separated by spaces. */
  reasons: string | null;
  /** Of `sent`: accepted or unknown, later delivered or undelivered. */
  receipt: string | null;
  /** Problem code of a refusal, error code of a receipt, posture, or what an operator did. */
  code: string | null;
  /** `<key id>.<nonce>.<ciphertext>`; of `sent` only. */
  sealedNumber: string | null;
  /** The same, of the address; of `sent`, `refused` and `challenged`. */
  sealedAddress: string | null;
}

/** What an event says of itself that has nothing to say. */
export const EMPTY_EVENT_DETAILS: Omit<LedgerEvent, "id" | "kind" | "atMs"> = {
  correlationId: null,
  sessionId: null,
  flow: null,
  country: null,
  prefix: null,
  block: null,
  asn: null,
  subnet: null,
  addressTag: null,
  numberTag: null,
  userTag: null,
  tagKeyId: null,
  provider: null,
  channel: null,
  messageId: null,
  costMicros: null,
  dltMicros: null,
  action: null,
  reasons: null,
  receipt: null,
  code: null,
  sealedNumber: null,
  sealedAddress: null,
};

/** An event as it is kept. */
export interface LedgerRow extends LedgerEvent {
  /** Of `sent`: its verification came. */
  verified: boolean;
}

/** What volumes can be told apart by. */
export const VOLUME_DIMENSIONS = [
  "provider",
  "country",
  "prefix",
  "block",
  "network",
  "subnet",
  "address",
  "user",
  "flow",
  "channel",
] as const;
export type VolumeDimension = (typeof VOLUME_DIMENSIONS)[number];

/** What one subject came to in a window. */
export interface Volume {
  subject: string;
  firstAtMs: number;
  lastAtMs: number;
  sent: number;
  delivered: number;
  undelivered: number;
  /** Messages whose verification came. */
  verified: number;
  /** Messages' price without DLT fees, and the DLT fees. */
  costMicros: number;
  dltMicros: number;
  /** Sampled, see {@link SAMPLES_PER_MINUTE}: a lower bound. Exact counts are in the refusals. */
  refused: number;
}

/** How many requests were refused in a window, exactly. */
export interface RefusalCount {
  /** Start of the minute. */
  atMs: number;
  dimension: "all" | "code" | "country" | "flow" | "network";
  subject: string;
  count: number;
}

/** The queue's name among the dead letters. */
export const LEDGER_QUEUE = "ledger";

/** Rows of refused requests one minute keeps in the whole service; what comes after is in the counts alone. */
export const SAMPLES_PER_MINUTE = 120;
