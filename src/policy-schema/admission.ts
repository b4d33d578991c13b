/** Who is let through to a message: numbers, countries, limits, CAPTCHA, sources, what counts as risk. */
import { z } from "zod";
import { isRange } from "../domain/admission/address.ts";
import { LOOKUP_SOURCES } from "../domain/admission/insight.ts";
import { RISK_RULES } from "../domain/admission/verdict.ts";
import { NUMBER_TYPES } from "../domain/kernel/phone.ts";
import { channel, country, DAY, HOUR, limitRules, seconds } from "./shapes.ts";

export const numbers = z
  .strictObject({
    refuse_types: z
      .array(z.enum(NUMBER_TYPES))
      .default([
        "premium_rate",
        "shared_cost",
        "toll_free",
        "personal",
        "pager",
        "uan",
        "voicemail",
        "voip",
        "satellite",
        "global_service",
        "unknown",
      ]),
  })
  .prefault({});

export const countries = z.strictObject({
  allow: z.array(country).min(1),
  deny: z.array(country).default([]),
});

export const limits = z
  .strictObject({
    // Three texts and the call that may follow them fit into one session.
    number: limitRules.default([
      { max: 1, window_seconds: 60 },
      { max: 4, window_seconds: 600 },
      { max: 10, window_seconds: 86_400 },
    ]),
    ip: limitRules.default([
      { max: 10, window_seconds: 3600 },
      { max: 50, window_seconds: 86_400 },
    ]),
    numbers_per_ip: limitRules.default([
      { max: 10, window_seconds: 3600 },
      { max: 30, window_seconds: 86_400 },
    ]),
    device: limitRules.default([{ max: 10, window_seconds: 3600 }]),
    user: limitRules.default([{ max: 10, window_seconds: 3600 }]),
    service_per_minute: z.int().min(1).default(600),
    wrong_codes_per_ip: limitRules.default([{ max: 30, window_seconds: 3600 }]),
  })
  .prefault({});

export const challenge = z.enum(["always", "emergency", "never"]).default("always");

export const captcha = z.strictObject({
  provider: z.enum(["turnstile", "hcaptcha", "recaptcha"]).default("turnstile"),
  site_key: z.string().min(1),
  fresh_site_key: z.string().min(1).optional(),
  hostnames: z.array(z.string().min(1)).min(1),
  action: z
    .string()
    .regex(/^[\w-]{1,32}$/)
    .default("send"),
  min_score: z.number().min(0).max(1).default(0.5),
  on_outage: z.enum(["refuse", "allow_clean"]).default("allow_clean"),
  demand: z
    .strictObject({
      channels: z.array(channel).default(["voice"]),
      from_unverified: z.int().min(1).nullable().default(null),
    })
    .prefault({}),
});

const range = z.string().refine(isRange, { error: "must be an address or a CIDR range" });
const network = z.int().positive();

export const source = z
  .strictObject({
    block_ips: z.array(range).default([]),
    block_networks: z.array(network).default([]),
    block_countries: z.array(z.string().regex(/^[A-Z][A-Z0-9]$/)).default([]),
    challenge_ips: z.array(range).default([]),
    challenge_networks: z.array(network).default([]),
    challenge_countries: z.array(z.string().regex(/^[A-Z][A-Z0-9]$/)).default([]),
  })
  .prefault({});

export const riskPolicy = z.strictObject({
  record_only: z.array(z.enum(RISK_RULES)).default([]),
  record_all: z.boolean().default(false),
  many_numbers: z.int().min(1).default(5),
  many_numbers_challenged: z.int().min(1).default(1),
  decoy: z.boolean().default(false),
});

export const risk = riskPolicy.prefault({});

export const failures = z
  .strictObject({
    free: z.int().min(1).max(20).default(5),
    wait_seconds: z.array(seconds(1, HOUR)).min(1).default([30, 120, 600, 1800]),
    ceiling: z.int().min(5).max(100).default(100),
    memory_seconds: seconds(HOUR, 30 * DAY).default(DAY),
  })
  .prefault({});

export const lookup = z
  .strictObject({
    provider: z.enum(LOOKUP_SOURCES).default("none"),
    // Errs high: what the packages cost that are asked for stands in the source's price list.
    cost_micros: z.int().min(0).default(40_000),
    // Two hundredths of what messages may cost in a day by default.
    day_cap_micros: z.int().min(0).default(2_000_000),
    timeout_ms: z.int().min(100).max(3000).default(800),
    memory_seconds: seconds(60, 90 * DAY).default(30 * DAY),
    max_pumping_risk: z.number().gt(0).max(100).default(75),
    // Hours; Vonage looks back 2400 at most.
    sim_swap_hours: z.int().min(1).max(2400).default(72),
  })
  .prefault({});
