/** The ways messages travel: providers, channels, and how a route is chosen and left. */
import * as z from "zod";
import { channel, countryCode, type PolicyOf, seconds } from "../kernel/shapes.policy.ts";
import { DAY_SECONDS, HOUR_SECONDS } from "../kernel/time.ts";

const providerName = z.enum([
  "sandbox",
  "sandbox_b",
  "sandbox_c",
  "twilio",
  "vonage",
  "startmessaging",
  "msg91",
  "webhook",
  "telegram",
]);

export type ProviderName = z.output<typeof providerName>;

export const deliveryPolicy = z.strictObject({
  /** No default: each provider needs an account. */
  providers: z.array(providerName).min(1),
  /** SMS alone: a call costs ten times as much, and WhatsApp needs an approved template. */
  channels: z.array(channel).min(1).default(["sms"]),
  /** An undelivered message goes out again by itself, by another route. Off: it is paid for a second time. */
  resend_undelivered: z.boolean().default(false),
  /**
   * Text messages a session must have tried before a call may follow, each after its wait: a call costs ten times as much and
   * pays the owner of a premium number by the minute. A landline receives nothing else, and is called at once.
   */
  voice_after_messages: z.int().min(0).max(3).default(3),
  /** One delivery attempt as a whole, other routes included; each of them gets the time that is left. */
  timeout_ms: z.int().min(500).max(10_000).default(8000),
  /**
   * A route dearer than so many times the first one takes no failover. In India local providers cost a twentieth of the
   * others, so an operator there raises it.
   */
  failover_price_factor: z.number().min(1).max(100).default(2),
  /** Countries whose messages go by this provider while it is not resting. */
  pin: z.record(countryCode, providerName).default({}),
  /** The share of its draw that a route keeps, by provider: 1 by itself, 0.5 halves its chances. */
  weight: z.partialRecord(providerName, z.number().gt(0).max(1)).default({}),
  /** Providers that get nothing new. */
  drain: z.array(providerName).default([]),
  /** A cheaper route that converts no worse than this below the best one, by their records, goes first. */
  equal_within: z.number().gt(0).max(0.5).default(0.02),
  /**
   * Messages that a provider refused and whose room and money come back, per minute, provider and country. A provider that
   * delivers and calls it a refusal must not empty every budget: above this nothing is given back, and people are told. Of
   * honest requests few are refused: this is what 1,000 a minute with 2 % of bad numbers come to.
   */
  refunds_per_minute: z.int().min(1).default(20),
  /** How long a number that gets no message by a channel is remembered as such; 0: not at all. */
  refused_numbers: z
    .strictObject({
      /** No such number, or none that takes messages: a week, since numbers are given out anew and moved. */
      unreachable_seconds: seconds(0, 365 * DAY_SECONDS).default(7 * DAY_SECONDS),
      /** The person wrote STOP. Providers keep it until START; asking them again costs nothing, so a month. */
      opted_out_seconds: seconds(0, 365 * DAY_SECONDS).default(30 * DAY_SECONDS),
      /** A provider took it for fraud. It may err, so an hour. */
      fraud_seconds: seconds(0, 30 * DAY_SECONDS).default(HOUR_SECONDS),
    })
    .prefault({}),
  /** A failing route is left alone for a while. */
  rest: z
    .strictObject({
      /** Failures in a row after which a route rests: one or two may be chance. */
      after_failures: z.int().min(1).default(3),
      /** Length of the 1st, 2nd, ... rest; the last one repeats. */
      seconds: z.array(seconds(1, HOUR_SECONDS)).min(1).default([30, 120, 600]),
    })
    .prefault({}),
});

export type DeliveryPolicy = PolicyOf<typeof deliveryPolicy>;
