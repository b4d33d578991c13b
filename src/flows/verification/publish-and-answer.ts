import type { Channel } from "../../domain/kernel/channel.ts";
import { maskPhone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { Deps } from "../../ports/deps.ts";
import { type ExpectNeeds, expectReceipt } from "../delivery/expect-receipt.ts";
import type { BearerSession, RequestSummary, SendFact } from "../publish/facts.ts";
import { type PublishNeeds, publish } from "../publish/publish.ts";

/** The answer to whoever asked for a message that is on its way. */
export interface SentAnswer {
  kind: "sent";
  /** The session's token. */
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

/** A refusal as it is answered, with the verification it belongs to, where there already is one. */
export type RefusedAnswer = Refusal & { correlationId?: string };

export type PublishAndAnswerNeeds = PublishNeeds & ExpectNeeds;

/**
 * Publishes the one fact of a send or a resend behind the answer, expects the receipt of a message that left, and answers.
 *
 * @throws the error that broke the send off, once its fact is published
 */
export function publishAndAnswer(
  deps: PublishAndAnswerNeeds,
  request: RequestSummary,
  fact: SendFact,
): SentAnswer | RefusedAnswer {
  const { correlationId } = request;
  publish(deps, request, fact);
  switch (fact.kind) {
    case "refused":
      return { ...fact.refusal, correlationId };
    case "delivered":
      deps.defer(expectReceipt(deps, request, fact), correlationId);
      return fact.failure ? { ...fact.failure, correlationId } : sentAnswer(deps, fact.session);
    case "decoy_sent":
    case "replayed":
      return sentAnswer(deps, fact.session);
    case "broken":
      throw fact.error;
  }
}

function sentAnswer(
  { policy }: Pick<Deps, "policy">,
  { token, phone, view, ownLimits }: BearerSession,
): SentAnswer {
  const tightest = ownLimits.toSorted((a, b) => a.remaining - b.remaining)[0];
  return {
    kind: "sent",
    session: token,
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
