/** The end of a session whose code was not typed: the facts for its providers, the ledger and the customer's backend. */
import type { Channel } from "../kernel/channel.ts";
import { type CustomerEvent, customerEvent } from "./customer-event.ts";
import type { SessionState } from "./session.ts";

/** A message whose provider has a name for it. */
export interface UnansweredMessage {
  provider: string;
  messageId: string;
  channel: Channel;
}

/** The expiry of a session that a message had left for. */
export interface ExpiredSession {
  correlationId: string;
  /** Of the last message that left. */
  provider: string | null;
  channel: Channel;
  messageId: string | null;
}

/** The messages whose providers hear that they did not convert; none for a verified session, or one that nobody reports of. */
export function unansweredMessages({ status, sends, unreported }: SessionState): UnansweredMessage[] {
  if (status === "verified" || unreported) return [];
  return sends.flatMap(({ provider, messageId, channel }) =>
    provider === null || messageId === null ? [] : [{ provider, messageId, channel }],
  );
}

/** The expiry for the ledger; null for a verified session, one that nobody reports of, and one that no message left for. */
export function expiredSession(state: SessionState): ExpiredSession | null {
  return state.status === "verified" || state.unreported ? null : endOf(state);
}

/**
 * A verification that the ledger may have missed: its answer was asked for again, so that the first one, and everything that was
 * to follow from it, may be lost. null for all others.
 */
export function doubtfulVerification(state: SessionState): (ExpiredSession & { atMs: number }) | null {
  const { status, keptAttempt } = state;
  const end = endOf(state);
  const isDoubtful =
    status === "verified" && keptAttempt?.isRepeated && keptAttempt.result.kind === "verified";
  return isDoubtful && end !== null ? { ...end, atMs: keptAttempt.atMs } : null;
}

/** The last message that left. */
function endOf({ correlationId, sends }: SessionState): ExpiredSession | null {
  const last = sends.findLast(({ provider, status }) => provider !== null && status !== "refused");
  if (last === undefined) return null;
  const { provider, channel, messageId } = last;
  return { correlationId, provider, channel, messageId };
}

/** The expiry as an event, where the customer's backend wants it. A session that was locked has expired, too. */
export function expiryEvent(state: SessionState): CustomerEvent | null {
  const { correlationId, customer, attempts, endsAtMs: atMs } = state;
  const expiry = expiredSession(state);
  if (!customer?.hearsExpiry || expiry === null) return null;
  const { subject } = customer;
  const facts = { channel: expiry.channel, wrong_codes: attempts };
  return customerEvent({
    type: "verification.expired",
    of: correlationId,
    atMs,
    correlationId,
    subject,
    facts,
  });
}
