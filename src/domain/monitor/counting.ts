/**
 * The counter entries of each event. Every event of a verification is counted in the minute in which its message left (or was
 * asked for, when none left), so that a verification counts for the message that it verifies.
 */

import type { Channel } from "../kernel/channel.ts";
import type { Phone } from "../kernel/phone.ts";
import {
  DELIVERY_ATTEMPT_TIME,
  DELIVERY_TIME,
  type HistogramDefinition,
  histogramEntries,
  VERIFY_TIME,
} from "./histogram.ts";
import type { CounterEntry, Dimension, Metric } from "./tally.ts";

/** The destination and the origin of a message, as far as they are known when something is counted. */
export interface CountingPlace {
  phone: Phone;
  channel: Channel;
  flow: string;
  provider: string | null;
  /** AS number of the requesting network. */
  asn: number | null;
}

/** The subject of the dimension `route`: a provider's way to a country by a channel. */
const routeSubject = (route: { provider: string; channel: Channel; country: string }): string =>
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

const addTime = (
  dimension: Dimension,
  subject: string,
  histogram: HistogramDefinition,
  time: number,
): CounterEntry[] =>
  histogramEntries(histogram, time).map(([metric, amount]) => add(dimension, subject, metric, amount));

/**
 * Counts a message that left.
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

/** Counts the money of a message whose verification nobody reports: no silence about it is evidence. */
export const countUnreported = (place: CountingPlace, costMicros: number): CounterEntry[] =>
  subjectsOf(place).map(([dimension, subject]) => add(dimension, subject, "micros", costMicros));

/**
 * Counts a verified session, once for each of its messages.
 *
 * @param afterSeconds from its last message to the right code; null for its earlier messages
 */
export function countVerified(place: CountingPlace, afterSeconds: number | null): CounterEntry[] {
  const subjects = subjectsOf(place).map(([dimension, subject]) => add(dimension, subject, "verified"));
  if (afterSeconds === null) return subjects;
  return [...subjects, ...addTime("overall", ALL, VERIFY_TIME, afterSeconds)];
}

/**
 * Counts a verified probe.
 *
 * @param key of the banned subject, see `probeKey`
 */
export function countVerifiedProbe(key: string): CounterEntry {
  const space = key.indexOf(" ");
  return add(key.slice(0, space) as Dimension, key.slice(space + 1), "probe_verified");
}

/** Counts an attempt with a wrong code. */
export function countWrongCode(country: string, flow: string): CounterEntry[] {
  return [
    add("overall", ALL, "wrong_codes"),
    add("country", country, "wrong_codes"),
    add("flow", flow, "wrong_codes"),
  ];
}

/** Counts a receipt, or a refusal by the provider. */
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
 * A message that a provider took for fraud, in an answer or a receipt: evidence against its range.
 *
 * @param place `block` is the number's range; null where a receipt does not know it
 */
export function countFraudVerdict(place: {
  country: string;
  block: string | null;
  provider: string;
}): CounterEntry[] {
  const { country, block, provider } = place;
  return [
    add("overall", ALL, "fraud"),
    add("country", country, "fraud"),
    ...(block === null ? [] : [add("block", block, "fraud")]),
    add("provider", provider, "fraud"),
  ];
}

/**
 * Counts the time a provider took to answer a delivery attempt, or was waited for.
 *
 * @param tookMs of refusals and silence as well: a provider that dies slowly shows in them
 */
export const countDeliveryAttemptTime = (provider: string, tookMs: number): CounterEntry[] =>
  addTime("provider", provider, DELIVERY_ATTEMPT_TIME, tookMs);

/**
 * Counts the time a message took to arrive. A call is not counted: its receipt comes when it ends.
 *
 * @param times of the delivery attempt; of the arrival as the provider states it, which is believed where it can be true, since
 *   clocks and time zones go wrong; and of the receipt, which is later where a provider must be polled
 */
export function countDeliveryTime(
  { provider, channel }: { provider: string; channel: Channel },
  { handedOverMs, statedMs, heardMs }: { handedOverMs: number; statedMs: number | null; heardMs: number },
): CounterEntry[] {
  if (channel === "voice") return [];
  // Some state whole seconds: a delivery within the second of its attempt is stamped before it.
  const canBe = statedMs !== null && handedOverMs < statedMs + 1000 && statedMs <= heardMs;
  const deliveredMs = canBe ? Math.max(statedMs, handedOverMs) : heardMs;
  return addTime("provider", provider, DELIVERY_TIME, deliveredMs - handedOverMs);
}

/** The destination and the origin of a refused request, as far as they are known. */
export interface RefusalPlace {
  country: string | null;
  flow: string | null;
  asn: number | null;
}

/**
 * Counts a request that was refused before a message left. Only by country, flow and network: requests that cost a stranger
 * nothing must not decide which subjects the counters have room for.
 *
 * @param turnedAway a budget was used up, which is where an attack ends
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

/** Counts a fresh challenge that was demanded or passed. */
export function countChallenge(country: string, what: "challenged" | "passed"): CounterEntry[] {
  return [add("overall", ALL, what), add("country", country, what)];
}

/**
 * Counts an address that asked for more distinct numbers than people do; only those are counted, or honest ones would take
 * their room.
 *
 * @param addressTag keyed hash of the address
 */
export function countAddressWithManyNumbers(addressTag: string, distinctNumbers: number): CounterEntry[] {
  return [
    add("address", addressTag, "sent"),
    { dimension: "address", subject: addressTag, metric: "numbers", how: { peak: distinctNumbers } },
  ];
}

/** Counts an outcome that the customer's backend reported: a sign-up, a payment. */
export function countOutcome(type: string): CounterEntry[] {
  return [add("overall", ALL, `outcome:${type}`)];
}
