/**
 * The ledger's events: everything that happened to a verification or to the service, without numbers and addresses. An event's
 * id is made of its kind and its subject, so that an event that is published twice is one row.
 */
import type { Channel } from "../kernel/channel.ts";

/**
 * The kinds of events.
 * - `requested`: let through, its session is open and its message is about to leave; carries the verdict
 * - `refused`, `challenged`: not let through (a bounded sample: {@link SAMPLES_PER_MINUTE}), or refused by the provider
 * - `sent`: left, or may have left; carries its cost, and later its receipt and whether it was verified
 * - `delivered`, `undelivered`: the provider's final receipt of it
 * - `attempt_failed`, `locked`, `verified`, `expired`: the results of the session
 * - `feedback`: the provider was told about its conversion
 * - `posture`, `operator_action`: changes by the monitor and by operators
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

/** One event on its way to the ledger; fields that do not apply are null. */
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
  /** AS number of the requesting network. */
  asn: number | null;
  /** The /24 or /48 of the requesting address. */
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
  /** Problem code of a refusal, error code of a receipt, the posture, or the operator's action. */
  code: string | null;
  /** `<key id>.<nonce>.<ciphertext>`; of `sent` only. */
  sealedNumber: string | null;
  /** The address in the same form; of `sent`, `refused` and `challenged`. */
  sealedAddress: string | null;
}

/** The fields of an event to which none of them applies. */
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

/** An event as the ledger stores it. */
export interface LedgerRow extends LedgerEvent {
  /** Of `sent`: its session was verified. */
  verified: boolean;
}

/** The dimensions that volumes can be grouped by. */
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

/** The messages of one subject in a window. */
export interface Volume {
  subject: string;
  firstAtMs: number;
  lastAtMs: number;
  sent: number;
  delivered: number;
  undelivered: number;
  /** Messages whose session was verified. */
  verified: number;
  /** Price of the messages without DLT fees; the fees are in `dltMicros`. */
  costMicros: number;
  dltMicros: number;
  /** Sampled, see {@link SAMPLES_PER_MINUTE}: a lower bound. Exact counts are in the refusals. */
  refused: number;
}

/** The exact number of refused requests of one subject in one minute. */
export interface RefusalCount {
  /** Start of the minute. */
  atMs: number;
  dimension: "all" | "code" | "country" | "flow" | "network";
  subject: string;
  count: number;
}

/** The name of the ledger's queue among the dead letters. */
export const LEDGER_QUEUE = "ledger";

/** Rows of refused requests that one minute keeps in the whole service; all further ones are in the counts only. */
export const SAMPLES_PER_MINUTE = 120;
