/**
 * What the watch counts for each event. Every event of a verification becomes entries in the minute in which its message
 * left (or in which it was asked for, when none did), so that an answer is booked to the message it answers.
 */

import type { Channel } from "../kernel/channel.ts";
import type { Phone } from "../kernel/phone.ts";
import {
  DELIVERY_ATTEMPT_TIME,
  DELIVERY_TIME,
  type Histogram,
  timeMetrics,
  VERIFY_TIME,
} from "./histogram.ts";
import type { CounterEntry, Dimension, Metric } from "./tally.ts";

/** Where a message goes and comes from, as far as it is known when something is counted. */
export interface CountingPlace {
  phone: Phone;
  channel: Channel;
  flow: string;
  provider: string | null;
  /** AS number of whoever asked. */
  asn: number | null;
}

/** A provider's way to a country by a channel. */
export const routeSubject = (route: { provider: string; channel: Channel; country: string }): string =>
  `${route.provider}/${route.channel}/${route.country}`;

const ALL: CounterEntry["subject"] = "all";

/** The subjects a message belongs to; `hundred` is the number without its last two digits. */
function subjectsOf({ phone, channel, flow, provider, asn }: CountingPlace): [Dimension, string][] {
  return [
    ["overall", ALL],
    ["country", phone.country],
    ["prefix", phone.prefix],
    ["block", phone.block],
    ["channel", channel],
    ["flow", flow],
    ...(provider === null
      ? []
      : ([
          ["provider", provider],
          ["route", routeSubject({ provider, channel, country: phone.country })],
        ] as [Dimension, string][])),
    ...(asn === null ? [] : [["network", `AS${asn}`] as [Dimension, string]]),
  ];
}

const add = (dimension: Dimension, subject: string, metric: Metric, amount = 1): CounterEntry => ({
  dimension,
  subject,
  metric,
  how: { add: amount },
});

const addTime = (dimension: Dimension, subject: string, histogram: Histogram, time: number): CounterEntry[] =>
  timeMetrics(histogram, time).map(([metric, amount]) => add(dimension, subject, metric, amount));

/**
 * A message that left.
 *
 * @param numberTag keyed hash of the number
 */
export function countSent(place: CountingPlace, costMicros: number, numberTag: string): CounterEntry[] {
  const subjects = subjectsOf(place);
  return [
    ...subjects.flatMap(([dimension, subject]) => [
      add(dimension, subject, "sent"),
      add(dimension, subject, "micros", costMicros),
    ]),
    add("hundred", place.phone.e164.slice(0, -2), "sent"),
    ...(place.asn === null
      ? []
      : [
          {
            dimension: "network" as const,
            subject: `AS${place.asn}`,
            metric: "numbers" as const,
            how: { distinct: numberTag },
          },
        ]),
  ];
}

/**
 * A session that was verified, booked once for each of its messages.
 *
 * @param afterSeconds from its last message to the right code; null for its earlier messages
 */
export function countVerified(place: CountingPlace, afterSeconds: number | null): CounterEntry[] {
  const subjects = subjectsOf(place).map(([dimension, subject]) => add(dimension, subject, "verified"));
  if (afterSeconds === null) return subjects;
  return [...subjects, ...addTime("overall", ALL, VERIFY_TIME, afterSeconds)];
}

/** A probe's code came back. @param key of the subject whose block had let it through, see `probeKey` (block.ts) */
export function countProbe(key: string): CounterEntry {
  const space = key.indexOf(" ");
  return add(key.slice(0, space) as Dimension, key.slice(space + 1), "probe_verified");
}

export function countWrongCode(country: string, flow: string): CounterEntry[] {
  return [
    add("overall", ALL, "wrong_codes"),
    add("country", country, "wrong_codes"),
    add("flow", flow, "wrong_codes"),
  ];
}

/** A receipt, or a refusal by the provider. */
export function countDeliveryFate(
  { country, provider, channel }: { country: string; provider: string; channel: Channel },
  fate: "delivered" | "undelivered" | "rejected",
): CounterEntry[] {
  return [
    add("overall", ALL, fate),
    add("country", country, fate),
    add("provider", provider, fate),
    add("route", routeSubject({ provider, channel, country }), fate),
    add("channel", channel, fate),
  ];
}

/**
 * How long a provider took to answer a hand-over, or was waited for.
 *
 * @param tookMs of refusals and silence as well: a provider that dies slowly shows in them
 */
export const countDeliveryAttempt = (provider: string, tookMs: number): CounterEntry[] =>
  addTime("provider", provider, DELIVERY_ATTEMPT_TIME, tookMs);

/**
 * How long a message took to arrive. Of a call nothing is counted: its receipt comes when it ends.
 *
 * @param times when it was handed over; when the provider says it arrived, which is believed where it can be true: clocks and
 *   time zones go wrong; and when that was heard, later where a provider must be asked
 */
export function countDelivery(
  { provider, channel }: { provider: string; channel: Channel },
  { handedOverMs, statedMs, heardMs }: { handedOverMs: number; statedMs: number | null; heardMs: number },
): CounterEntry[] {
  if (channel === "voice") return [];
  // Some state whole seconds: what was delivered within the second of its hand-over is stamped before it.
  const canBe = statedMs !== null && handedOverMs < statedMs + 1000 && statedMs <= heardMs;
  const deliveredMs = canBe ? Math.max(statedMs, handedOverMs) : heardMs;
  return addTime("provider", provider, DELIVERY_TIME, deliveredMs - handedOverMs);
}

/** What is known of a request that got no message. */
export interface RefusalPlace {
  country: string | null;
  flow: string | null;
  asn: number | null;
}

/**
 * A request that was refused before anything left. By country, flow and network only: what a stranger may ask for without
 * paying must not decide what the watch can tell apart.
 *
 * @param turnedAway a budget was used up: what an attack runs into
 */
export function countRefused(
  { country, flow, asn }: RefusalPlace,
  code: string,
  turnedAway: boolean,
): CounterEntry[] {
  const subjects: [Dimension, string][] = [
    ["overall", ALL],
    ...(country === null ? [] : [["country", country] as [Dimension, string]]),
    ...(flow === null ? [] : [["flow", flow] as [Dimension, string]]),
    ...(asn === null ? [] : [["network", `AS${asn}`] as [Dimension, string]]),
  ];
  return [
    ...subjects.map(([dimension, subject]) => add(dimension, subject, "refused")),
    add("overall", ALL, `refused:${code}`),
    ...(turnedAway ? subjects.map(([dimension, subject]) => add(dimension, subject, "turned_away")) : []),
  ];
}

export function countChallenge(country: string, what: "challenged" | "passed"): CounterEntry[] {
  return [add("overall", ALL, what), add("country", country, what)];
}

/**
 * An address that asked for more distinct numbers than people do; only those are told apart, or honest ones would crowd
 * them out.
 *
 * @param addressTag keyed hash of the address
 */
export function countAddress(addressTag: string, distinctNumbers: number): CounterEntry[] {
  return [
    add("address", addressTag, "sent"),
    { dimension: "address", subject: addressTag, metric: "numbers", how: { peak: distinctNumbers } },
  ];
}

/** An outcome the customer's backend reported: a sign-up, a payment. */
export function countOutcome(type: string): CounterEntry[] {
  return [add("overall", ALL, `outcome:${type}`)];
}
