/**
 * What a provider's word on a message means, and what follows from it. Each adapter maps its vendor's codes to these kinds
 * (`<vendor>-codes.ts`); what follows from a kind is decided here, the same for every vendor.
 */
import type { DeliveryPolicy } from "./delivery.policy.ts";

/**
 * The kinds of a provider's word on a message that it did not take, or could not deliver:
 *
 * - `transient`: not now (throttled, congested, phone switched off).
 * - `not_this_route`: our request, our account, the sender, or what carriers let through on this way.
 * - `not_this_number`: permanent for the number on this channel; another route would meet the same.
 * - `opted_out`: the person said STOP, or blocked the sender; permanent until they opt in.
 * - `fraud`: the vendor's protection took it for pumping or toll fraud.
 * - `unknown`: the vendor does not know itself; the message may have left.
 */
export const JUDGEMENTS = [
  "transient",
  "not_this_route",
  "not_this_number",
  "opted_out",
  "fraud",
  "unknown",
] as const;

/** One of the kinds. */
export type Judgement = (typeof JUDGEMENTS)[number];

/** The kinds that say for certain that a message was not taken. */
export type RefusalJudgement = Exclude<Judgement, "unknown">;

/** Reasons for which a number gets no message by a channel. */
export const NUMBER_REFUSALS = ["unreachable", "opted_out", "fraud"] as const;

/** Why a number gets no message by a channel; kept for a time that policy sets. */
export type NumberRefusal = (typeof NUMBER_REFUSALS)[number];

/** Seconds for which a refusal of each kind is remembered; 0 for not at all. */
export function refusalMemorySeconds(
  refusal: NumberRefusal,
  { refused_numbers: kept }: Pick<DeliveryPolicy, "refused_numbers">,
): number {
  return {
    unreachable: kept.unreachable_seconds,
    opted_out: kept.opted_out_seconds,
    fraud: kept.fraud_seconds,
  }[refusal];
}

/** The consequences of one kind of judgement. */
interface Consequence {
  /** As an answer to a send: another route is asked for the same message. */
  asksNextRoute: boolean;
  /** As a receipt: the code may go out once more by itself, where policy says so. */
  resends: boolean;
  /** Counts towards the route's rest: a number's fault is none of the route, or strangers could make it rest. */
  countsAgainstRoute: boolean;
  /** Kept of the number, so that no further message is paid for. */
  remembers: NumberRefusal | null;
  /** As an answer: what the message took is given back, because nothing left and nothing is billed. */
  refunds: boolean;
  /** Counts as an unanswered message of the number's range, and notifies people. */
  isEvidence: boolean;
}

const NOTHING = {
  asksNextRoute: false,
  resends: false,
  countsAgainstRoute: false,
  remembers: null,
  refunds: false,
  isEvidence: false,
} as const;

/** The consequences of each kind of judgement; the one table of them. */
export const CONSEQUENCES: Readonly<Record<Judgement, Consequence>> = {
  transient: {
    ...NOTHING,
    asksNextRoute: true,
    resends: true,
    countsAgainstRoute: true,
    refunds: true,
  },
  not_this_route: { ...NOTHING, asksNextRoute: true, countsAgainstRoute: true, refunds: true },
  not_this_number: { ...NOTHING, remembers: "unreachable", refunds: true },
  opted_out: { ...NOTHING, remembers: "opted_out", refunds: true },
  // Its room stays taken: a range that a vendor takes for pumping must not get it back by being stopped.
  fraud: { ...NOTHING, remembers: "fraud", isEvidence: true },
  unknown: { ...NOTHING, resends: true, countsAgainstRoute: true },
};
