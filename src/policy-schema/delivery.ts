/** Messages on their way: what they may cost, what they say, who takes them. */
import { z } from "zod";
import { PROVIDERS } from "../domain/delivery/routing.ts";
import { channel, HOUR, name, seconds } from "./shapes.ts";

const caps = z.strictObject({
  hour_micros: z.int().positive(),
  day_micros: z.int().positive(),
  month_micros: z.int().positive(),
});

export const money = z
  .strictObject({
    currency: z
      .string()
      .regex(/^[A-Z]{3}$/)
      .default("USD"),
    caps: caps.prefault({ hour_micros: 20_000_000, day_micros: 100_000_000, month_micros: 1_500_000_000 }),
    country_caps: z.record(z.string().regex(/^[A-Z]{2}$/), caps).default({}),
    alert_shares: z.array(z.number().gt(0).max(1)).default([0.5, 0.8, 1]),
    // What a day is planned to cost; null when there is no plan.
    plan_day_micros: z.int().positive().nullable().default(null),
  })
  .prefault({});

export const message = z.strictObject({
  brand: z.string().min(1).max(40),
  origin_host: z
    .string()
    .regex(/^([a-z0-9-]+(\.[a-z0-9-]+)*)?$/, "must be a host name, without scheme or port")
    .default(""),
  templates: z
    .record(
      name,
      z.record(
        z.string(),
        z.strictObject({
          text: z.string().min(1).max(600).optional(),
          spoken: z.string().min(1).max(600).optional(),
        }),
      ),
    )
    .default({}),
  default_locale: z.string().default("en"),
  app_hash: z
    .string()
    .regex(/^[A-Za-z0-9+/]{11}$/)
    .optional(),
  warn_line: z.boolean().default(false),
  dlt: z
    .strictObject({
      entity_id: z.string().regex(/^\d{15,20}$/),
      template_ids: z.record(name, z.record(z.string(), z.string().regex(/^\d{15,20}$/))),
    })
    .optional(),
});

export const delivery = z.strictObject({
  providers: z.array(z.enum(PROVIDERS)).min(1),
  channels: z.array(channel).min(1).default(["sms"]),
  resend_undelivered: z.boolean().default(false),
  voice_after_messages: z.int().min(0).max(3).default(3),
  // The whole hand-over, other routes included; each of them gets what is left.
  timeout_ms: z.int().min(500).max(10_000).default(8000),
  // A dearer route than so many times the first one takes no failover. India's local providers cost a twentieth of others.
  failover_price_factor: z.number().min(1).max(100).default(2),
  pin: z.record(z.string().regex(/^[A-Z]{2}$/), z.enum(PROVIDERS)).default({}),
  weight: z.partialRecord(z.enum(PROVIDERS), z.number().gt(0).max(1)).default({}),
  drain: z.array(z.enum(PROVIDERS)).default([]),
  equal_within: z.number().gt(0).max(0.5).default(0.02),
  rest: z
    .strictObject({
      after_failures: z.int().min(1).default(3),
      seconds: z.array(seconds(1, HOUR)).min(1).default([30, 120, 600]),
    })
    .prefault({}),
});
