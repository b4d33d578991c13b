/**
 * The life of one verification: what a session is, by which rules it goes, and how it is opened. Its transitions lie beside
 * it (`resend.ts`, `attempt.ts`, `settle.ts`). None of them knows about time, storage or digits: the session object hands in
 * the stored state and the clock, stores what comes back, and does both without a pause in between, which is what makes a
 * code single-use and an attempt counted under any parallelism.
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

/** What became of one message, as far as the provider told us; the last two by its receipt. */
export type SendStatus = "sending" | "accepted" | "refused" | "unknown" | "delivered" | "undelivered";

export interface SendRecord {
  channel: Channel;
  atMs: number;
  status: SendStatus;
  provider: string | null;
  messageId: string | null;
  /** Network of whoever asked for it. */
  asn: number | null;
  /** What the message took from the budgets, until the code comes back; null when it was given back. */
  hold: Reservation | null;
  /** How long the code was good for before this message: a message that never left must not lengthen its life. */
  codeExpiredAtMs: number;
}

/** A code as the session keeps it: a digest to compare with and a sealed copy for the resend, never the digits. */
export interface KeptCode {
  digest: string;
  sealed: string;
}

/** What a session keeps for events to the customer's backend that nobody brings a token for. */
export interface SessionCustomer {
  subject: CustomerSubject;
  /** Whether its end is told. */
  hearsExpiry: boolean;
}

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
  /** Absent or null where no backend hears of it. */
  customer?: SessionCustomer | null;
}

export interface OpenCommand {
  correlationId: string;
  channel: Channel;
  code: KeptCode;
  /** null for a decoy, which takes nothing. */
  hold: Reservation | null;
  asn: number | null;
  landline: boolean;
  customer?: SessionCustomer | null;
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
  };
}

/** A message as it is written down before it leaves. */
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

/** The messages that left, or may have. */
export const messagesThatMayHaveLeft = ({ sends }: SessionState): SendRecord[] =>
  sends.filter(({ status }) => status !== "refused");

export function isSessionOver(state: SessionState, nowMs: number): boolean {
  return state.status !== "open" || nowMs >= state.endsAtMs;
}

export function sessionEndCause(state: SessionState): string {
  return state.status === "open" ? "session expired" : `session ${state.status}`;
}
