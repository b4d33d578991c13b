import type { LimitResult } from "../../domain/admission/limits.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import { maskPhone } from "../../domain/kernel/phone.ts";
import type { SessionView } from "../../domain/session/view.ts";
import type { Deps } from "../../ports/deps.ts";

/** What a client is told of a message that is on its way. */
export interface SentAnswer {
  kind: "sent";
  session: string;
  correlationId: string;
  channel: Channel;
  maskedPhone: string;
  codeLength: number;
  expiresInSeconds: number;
  /** null when this session can send no more. */
  resendInSeconds: number | null;
  attemptsLeft: number;
  nextChannels: { channel: Channel; availableInSeconds: number }[];
  /** The tightest of the caller's own limits; null in a repeated answer. */
  ownLimit: { max: number; remaining: number } | null;
}

/** Puts into words what the client needs next. */
export function answerSent(
  { policy }: Deps,
  session: string,
  phone: string,
  view: SessionView,
  own: readonly LimitResult[] = [],
): SentAnswer {
  const tightest = own.toSorted((a, b) => a.remaining - b.remaining)[0];
  return {
    kind: "sent",
    session,
    correlationId: view.correlationId,
    channel: view.channel,
    maskedPhone: maskPhone(phone),
    codeLength: policy.code.length,
    expiresInSeconds: view.expiresInSeconds,
    resendInSeconds: view.resendInSeconds,
    attemptsLeft: view.attemptsLeft,
    nextChannels: view.nextChannels,
    ownLimit: tightest ? { max: tightest.max, remaining: tightest.remaining } : null,
  };
}
