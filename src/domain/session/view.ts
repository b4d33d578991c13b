import type { Channel } from "../kernel/channel.ts";
import { secondsUntil } from "../kernel/time.ts";
import type { CustomerSubject } from "./customer-event.ts";
import { LONGEST_SENDING_MS } from "./lifetimes.ts";
import { channelAtMs, nextResendAtMs } from "./next-message.ts";
import {
  isSessionOver,
  type SendRecord,
  type SendStatus,
  type SessionRules,
  type SessionState,
} from "./session.ts";
import { carriedReceipts, type TakenReceipt } from "./settle.ts";

/** A session as its client may see it, with everything the client needs to act. */
export interface SessionView {
  status: "pending" | "verified" | "locked" | "gone";
  correlationId: string;
  channel: Channel;
  delivery: SendStatus;
  sends: number;
  attemptsLeft: number;
  expiresInSeconds: number;
  /** null when no further resend will be possible in this session. */
  resendInSeconds: number | null;
  /** The channels the next message may take, and when. */
  nextChannels: { channel: Channel; availableInSeconds: number }[];
  /** Its messages, in order: when each was begun, and by which channel. */
  messages: { atMs: number; channel: Channel }[];
  /** For events to the customer's backend, never for the client. */
  customer?: CustomerSubject | null;
  /** Deliveries that the ledger may not have yet; for operators, never for the client. Absent where there are none. */
  receipts?: TakenReceipt[];
}

/** The view of a session for the holder of its token. */
export function viewSession(state: SessionState, rules: SessionRules, nowMs: number): SessionView {
  const last = state.sends.at(-1);
  const locked = state.attempts >= rules.attempts.max;
  const resendAtMs = nextResendAtMs(state, rules);
  const over = isSessionOver(state, nowMs);
  const receipts = carriedReceipts(state);
  return {
    status: state.status === "verified" ? "verified" : over ? "gone" : locked ? "locked" : "pending",
    correlationId: state.correlationId,
    customer: state.customer?.subject ?? null,
    ...(receipts.length > 0 && { receipts }),
    channel: last?.channel ?? "sms",
    delivery: last ? deliveryOf(last, nowMs) : "unknown",
    sends: state.sends.length,
    messages: state.sends.map(({ atMs, channel }) => ({ atMs, channel })),
    attemptsLeft: Math.max(0, rules.attempts.max - state.attempts),
    expiresInSeconds: over ? 0 : secondsUntil(state.codeExpiresAtMs, nowMs),
    resendInSeconds: over || locked || resendAtMs === null ? null : secondsUntil(resendAtMs, nowMs),
    nextChannels:
      over || locked
        ? []
        : rules.delivery.channels.flatMap((channel) => {
            const atMs = channelAtMs(state, channel, rules, nowMs);
            return atMs === null ? [] : [{ channel, availableInSeconds: secondsUntil(atMs, nowMs) }];
          }),
  };
}

/** Whoever handed the message over may have died meanwhile: it may have left, and nobody will say so. */
function deliveryOf({ status, atMs }: SendRecord, nowMs: number): SendStatus {
  return status === "sending" && nowMs - atMs > LONGEST_SENDING_MS ? "unknown" : status;
}
