/**
 * The session: the life of one verification, its rules and its opening. Its transitions are beside it (`resend.ts`,
 * `attempt.ts`, `settle.ts`, `end.ts`). None of them knows about time, storage or digits: the session object passes in the
 * stored state and the time, and stores the result without a pause in between, which makes a code single-use and counts every
 * attempt under any parallelism.
 */

import type { Reservation } from "../admission/reservation.ts";
import type { DeliveryPolicy } from "../delivery/delivery.policy.ts";
import type { Channel } from "../kernel/channel.ts";
import type { CustomerSubject } from "./customer-event.ts";
import type { AttemptPolicy, CodePolicy, ResendPolicy } from "./session.policy.ts";

export interface SessionRules {
  code: CodePolicy;
  attempts: AttemptPolicy;
  resend: ResendPolicy;
  delivery: Pick<DeliveryPolicy, "channels" | "voice_after_messages">;
}

/** The state of one message as far as the provider reported it; the last two come from its receipt. */
export type SendStatus = "sending" | "accepted" | "refused" | "unknown" | "delivered" | "undelivered";

/** A delivery receipt for the ledger, as its session keeps it until its end; it names nobody. */
export interface CarriedReceipt {
  /** When it was heard. */
  atMs: number;
  provider: string;
  messageId: string;
  /** ISO 3166-1 alpha-2, of the number. */
  country: string;
  /** The provider's own code; null where it gave none. */
  code: string | null;
}

/** One message of a session. */
export interface SendRecord {
  channel: Channel;
  atMs: number;
  status: SendStatus;
  provider: string | null;
  messageId: string | null;
  /** AS number of the network that asked for it. */
  asn: number | null;
  /** The message's reservation, until the code comes back; null when it was released. */
  hold: Reservation | null;
  /** Parts of a long text that were delivered, by their message ids; absent where one receipt speaks for the whole. */
  deliveredParts?: readonly string[];
  /** Its delivery, which goes to the ledger together with the session's end; absent where the ledger was told at once. */
  carried?: CarriedReceipt;
  /** The code's expiry before this message: a message that never left must not lengthen the code's life. */
  codeExpiredAtMs: number;
}

/** A code as the session keeps it: a digest to compare with and a sealed copy for the resend, never the digits. */
export interface KeptCode {
  digest: string;
  sealed: string;
}

/** The result of an attempt, as far as its answer needs it. */
export type KeptResult =
  | { kind: "verified"; channel: Channel }
  | { kind: "incorrect"; attemptsLeft: number; retryInSeconds: number };

/** An attempt under an idempotency key, as the session keeps it. */
export interface KeptAttempt {
  /** Keyed hash of the idempotency key. */
  key: string;
  /** Digest of the code that was offered under it. */
  digest: string;
  atMs: number;
  result: KeptResult;
  /** The id that the proof of a right code has. */
  proofId: string;
  /** True once it was asked for again: the first answer may be lost, and everything that was to follow from it. */
  isRepeated?: boolean;
}

/** The customer's part of a session, for events that happen without a request. */
export interface SessionCustomer {
  subject: CustomerSubject;
  /** True where the backend wants an event when the session expires. */
  hearsExpiry: boolean;
}

/** A session as the session object stores it. */
export interface SessionState {
  correlationId: string;
  createdAtMs: number;
  endsAtMs: number;
  code: KeptCode;
  codeExpiresAtMs: number;
  attempts: number;
  attemptNotBeforeMs: number;
  sends: SendRecord[];
  status: "open" | "verified" | "closed";
  /** The number can only be called. */
  landline: boolean;
  /** Absent or null where no backend receives events. */
  customer?: SessionCustomer | null;
  /** Nobody will say whether its code was typed; absent where somebody does. */
  unreported?: true;
  /** The latest attempt under an idempotency key; absent before the first. */
  keptAttempt?: KeptAttempt;
}

/** The parameters of a new session. */
export interface OpenCommand {
  correlationId: string;
  channel: Channel;
  code: KeptCode;
  /** null for a decoy, which reserves nothing. */
  hold: Reservation | null;
  asn: number | null;
  landline: boolean;
  customer?: SessionCustomer | null;
  /** Nobody will say whether its code was typed: no silence of it means anything. */
  unreported?: boolean;
}

/** Opens a session with its first message marked as being sent, before any message leaves. */
export function openSession(command: OpenCommand, rules: SessionRules, nowMs: number): SessionState {
  const endsAtMs = nowMs + rules.code.session_seconds * 1000;
  return {
    correlationId: command.correlationId,
    createdAtMs: nowMs,
    endsAtMs,
    code: command.code,
    codeExpiresAtMs: Math.min(nowMs + rules.code.ttl_seconds * 1000, endsAtMs),
    attempts: 0,
    attemptNotBeforeMs: nowMs,
    sends: [newSendRecord(command, nowMs, nowMs)],
    status: "open",
    landline: command.landline,
    customer: command.customer ?? null,
    ...(command.unreported && { unreported: true as const }),
  };
}

/** The record of a message, written before the message leaves. */
export const newSendRecord = (
  { channel, hold, asn }: Pick<SendRecord, "channel" | "hold" | "asn">,
  codeExpiredAtMs: number,
  atMs: number,
): SendRecord => ({
  channel,
  atMs,
  status: "sending",
  provider: null,
  messageId: null,
  asn,
  hold,
  codeExpiredAtMs,
});

/** The messages that left or may have left: all that were not refused. */
export const messagesThatMayHaveLeft = ({ sends }: SessionState): SendRecord[] =>
  sends.filter(({ status }) => status !== "refused");

/** True for a session that is verified, closed or expired. */
export function isSessionOver(state: SessionState, nowMs: number): boolean {
  return state.status !== "open" || nowMs >= state.endsAtMs;
}

/** The reason in words why a session is over, for the log. */
export function sessionEndCause(state: SessionState): string {
  return state.status === "open" ? "session expired" : `session ${state.status}`;
}
