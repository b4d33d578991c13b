/** Sums over messages. Money in millionths of the price table's currency. */
import type { MessageRow } from "./message-row.ts";

/** The sums of a set of messages. */
export interface MessageSums {
  sent: number;
  verified: number;
  delivered: number;
  undelivered: number;
  /** Without DLT fees. */
  messageMicros: number;
  dltMicros: number;
  /** Price and fees of unanswered messages. */
  unansweredMicros: number;
  /** The times of the first and the last message. */
  firstMs: number;
  lastMs: number;
}

export const NO_MESSAGE_SUMS: MessageSums = {
  sent: 0,
  verified: 0,
  delivered: 0,
  undelivered: 0,
  messageMicros: 0,
  dltMicros: 0,
  unansweredMicros: 0,
  firstMs: Number.POSITIVE_INFINITY,
  lastMs: Number.NEGATIVE_INFINITY,
};

/** The sums of a single message. */
export const sumsOfOne = ({
  atMs,
  verified,
  delivered,
  messageMicros,
  dltMicros,
}: MessageRow): MessageSums => ({
  sent: 1,
  verified: verified ? 1 : 0,
  delivered: delivered === true ? 1 : 0,
  undelivered: delivered === false ? 1 : 0,
  messageMicros,
  dltMicros,
  unansweredMicros: verified ? 0 : messageMicros + dltMicros,
  firstMs: atMs,
  lastMs: atMs,
});

/** The sums of two sets of messages together. */
export const addSums = (a: MessageSums, b: MessageSums): MessageSums => ({
  sent: a.sent + b.sent,
  verified: a.verified + b.verified,
  delivered: a.delivered + b.delivered,
  undelivered: a.undelivered + b.undelivered,
  messageMicros: a.messageMicros + b.messageMicros,
  dltMicros: a.dltMicros + b.dltMicros,
  unansweredMicros: a.unansweredMicros + b.unansweredMicros,
  firstMs: Math.min(a.firstMs, b.firstMs),
  lastMs: Math.max(a.lastMs, b.lastMs),
});

/** The share of verified messages; null where none was sent. */
export const ratioOf = ({ sent, verified }: Pick<MessageSums, "sent" | "verified">): number | null =>
  sent === 0 ? null : verified / sent;
