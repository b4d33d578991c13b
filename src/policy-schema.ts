/**
 * The policy's shape: every limit, window, price, list and threshold an operator decides, with its default and its bounds.
 * Unknown keys and impossible values are refused by name. Every default is in the README's policy chapter with its reason.
 */
import { z } from "zod";
import { isRange } from "./domain/admission/address.ts";
import { LOOKUPS } from "./domain/admission/insight.ts";
import { RULES } from "./domain/admission/verdict.ts";
import { CUSTOMER_EVENT_TYPES } from "./domain/customer-event.ts";
import { PROVIDERS } from "./domain/delivery/routing.ts";
import { NUMBER_TYPES } from "./domain/phone.ts";
import { ALERT_CHANNELS, OWNER_ROLES } from "./domain/watch/alert.ts";

const seconds = (min: number, max: number) => z.int().min(min).max(max);
const limitRules = z
  .array(z.strictObject({ max: z.int().min(1), window_seconds: seconds(1, 30 * 86_400) }))
  .min(1);
const country = z.string().regex(/^([A-Z]{2}|\*)$/, "must be an ISO 3166-1 alpha-2 code in capitals, or *");
const name = z.string().regex(/^[a-z][a-z0-9_]{0,31}$/, "must be lower-case letters, digits and _");
const channel = z.enum(["sms", "voice", "whatsapp"]);
const numberType = z.enum(NUMBER_TYPES);
const rising = (curve: readonly (readonly [number, number])[]) =>
  curve.every(([age, share], i) => age > (curve[i - 1]?.[0] ?? -1) && share >= (curve[i - 1]?.[1] ?? 0));

const budget = (base: number, gain: number) =>
  z
    .strictObject({ base: z.number().min(0).default(base), gain: z.number().min(0).max(5).default(gain) })
    .prefault({});
const range = z.string().refine(isRange, { error: "must be an address or a CIDR range" });
const network = z.int().positive();
const riskPolicy = z.strictObject({
  record_only: z.array(z.enum(RULES)).default([]),
  record_all: z.boolean().default(false),
  many_numbers: z.int().min(1).default(5),
  many_numbers_challenged: z.int().min(1).default(1),
  decoy: z.boolean().default(false),
});
const countryPolicy = z.strictObject({ allow: z.array(country).min(1), deny: z.array(country).default([]) });
const caps = z.strictObject({
  hour_micros: z.int().positive(),
  day_micros: z.int().positive(),
  month_micros: z.int().positive(),
});
const HOUR = 3600;
const DAY = 24 * HOUR;
const postureRules = (defaults: {
  challenge?: "as_usual" | "always";
  limit_factor?: number;
  unknown_ranges?: "as_usual" | "challenge" | "stop";
}) =>
  z
    .strictObject({
      challenge: z.enum(["as_usual", "always"]).default(defaults.challenge ?? "as_usual"),
      fresh_challenge: z.boolean().default(false),
      limit_factor: z
        .number()
        .gt(0)
        .max(1)
        .default(defaults.limit_factor ?? 1),
      unknown_ranges: z
        .enum(["as_usual", "challenge", "stop"])
        .default(defaults.unknown_ranges ?? "as_usual"),
    })
    .prefault({});

export const policySchema = z.strictObject({
  code: z
    .strictObject({
      length: z.int().min(4).max(10).default(6),
      ttl_seconds: seconds(60, 600).default(180),
      session_seconds: seconds(60, 600).default(600),
    })
    .refine((code) => code.session_seconds >= code.ttl_seconds, {
      path: ["session_seconds"],
      error: "must not be shorter than ttl_seconds",
    })
    .prefault({}),
  attempts: z
    .strictObject({
      max: z.int().min(3).max(5).default(5),
      wait_seconds: z.array(seconds(0, 300)).min(1).default([0, 2, 5, 10]),
    })
    .prefault({}),
  resend: z
    .strictObject({
      wait_seconds: z.array(seconds(1, 599)).default([60, 120, 240]),
      undelivered_wait_seconds: seconds(1, 599).default(60),
    })
    .prefault({}),
  numbers: z
    .strictObject({
      refuse_types: z
        .array(numberType)
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
    .prefault({}),
  countries: countryPolicy,
  limits: z
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
    .prefault({}),
  challenge: z.enum(["always", "emergency", "never"]).default("always"),
  captcha: z.strictObject({
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
  }),
  source: z
    .strictObject({
      block_ips: z.array(range).default([]),
      block_networks: z.array(network).default([]),
      block_countries: z.array(z.string().regex(/^[A-Z][A-Z0-9]$/)).default([]),
      challenge_ips: z.array(range).default([]),
      challenge_networks: z.array(network).default([]),
      challenge_countries: z.array(z.string().regex(/^[A-Z][A-Z0-9]$/)).default([]),
    })
    .prefault({}),
  exposure: z
    .strictObject({
      window_seconds: seconds(HOUR, 7 * DAY).default(DAY),
      // One person who asks three times and gives up.
      block: budget(3, 0.5),
      // That person and half of another.
      prefix: budget(5, 0.5),
      // Bears strangers of whom 68 in 100 answer, 1 / (1 + gain). What more they answer is the slack an attack finds.
      country: budget(5, 0.46),
      // A network has hundreds of addresses: twice what one may have.
      network: budget(10, 0.5),
      // A household, or an office in the minute before its first codes are typed.
      address: budget(5, 0.7),
      // Two countries' worth: forty at once are no more than this.
      unknown: budget(10, 0.5),
      // Travellers and VPNs are 3 in 100: room for a few abroad beside what an attack through `unknown` takes.
      odd: budget(20, 0.5),
      // One traveller who asks three times.
      odd_country: budget(3, 0.5),
      // Six countries' worth: a second line behind theirs.
      overall: budget(30, 0.5),
      // Of ten thousand numbers thirty strangers a day are a campaign; of a bought range they are all an attacker gets.
      block_density: z.int().min(1).default(30),
      slow_start: z
        .strictObject({ start: z.number().min(0).default(10), factor: z.number().min(1).default(2) })
        .prefault({}),
      reference_price_micros: z.int().positive().default(60_000),
      max_weight: z.number().min(1).max(100).default(3),
      history_verified: z.int().min(1).default(5),
      // With ten to a hundred strangers a day, two to three standard deviations are 4 to 20 units: 5 to 15 with the base.
      seasoned: z
        .strictObject({ verified_per_unit: z.int().min(1).default(20), most: z.int().min(0).default(10) })
        .prefault({}),
      // Three answers today, or twenty ever so that a thin day does not close a carrier's address to its strangers.
      proven: z
        .strictObject({
          verified: z.int().min(1).default(3),
          verified_ever: z.int().min(1).default(20),
          country: budget(10, 0.7),
          overall: budget(30, 0.7),
        })
        .prefault({}),
      // People and bots draw lots for it: larger leaks more, smaller loses whoever asks only once. See the lab's sweep.
      challenged: z
        .strictObject({
          window_seconds: seconds(300, 7 * DAY).default(1200),
          block: budget(2, 1),
          country: budget(4, 1),
          overall: budget(6, 1),
        })
        .prefault({}),
      // A minute is when people ask again. Larger serves no more of them, and leaks more to bots that come back too.
      returned: z
        .strictObject({
          after_seconds: seconds(30, 600).default(60),
          window_seconds: seconds(300, 7 * DAY).default(1200),
          country: budget(6, 1),
          overall: budget(8, 1),
        })
        .prefault({}),
      // Four codes a day nobody answers, and the second purse's two for its block: a bombed victim costs six.
      known: z
        .strictObject({
          window_seconds: seconds(HOUR, 7 * DAY).default(DAY),
          number: budget(4, 0),
          device: budget(4, 0.5),
          block: budget(10, 0.7),
          country: budget(20, 0.7),
          overall: budget(60, 0.7),
        })
        .prefault({}),
    })
    .prefault({}),
  groups: z
    .record(
      name,
      z.strictObject({
        countries: z.array(country).min(1),
        exposure: z
          .strictObject({
            block: budget(3, 0.5).optional(),
            prefix: budget(5, 0.5).optional(),
            country: budget(5, 0.5).optional(),
          })
          .transform(({ block, prefix, country }) => ({
            ...(block && { block }),
            ...(prefix && { prefix }),
            ...(country && { country }),
          }))
          .prefault({}),
        number_limits: limitRules.optional(),
      }),
    )
    .default({}),
  risk: riskPolicy.prefault({}),
  failures: z
    .strictObject({
      free: z.int().min(1).max(20).default(5),
      wait_seconds: z.array(seconds(1, HOUR)).min(1).default([30, 120, 600, 1800]),
      ceiling: z.int().min(5).max(100).default(100),
      memory_seconds: seconds(HOUR, 30 * DAY).default(DAY),
    })
    .prefault({}),
  lookup: z
    .strictObject({
      provider: z.enum(LOOKUPS).default("none"),
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
    .prefault({}),
  money: z
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
    .prefault({}),
  proof: z.strictObject({
    issuer: z.url(),
    audience: z.string().min(1),
    ttl_seconds: seconds(30, 900).default(300),
  }),
  message: z.strictObject({
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
  }),
  delivery: z.strictObject({
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
  }),
  monitor: z
    .strictObject({
      window_minutes: z.int().min(5).max(60).default(15),
      min_sends: z.int().min(5).default(30),
      alarm_ratio: z.number().gt(0).lt(1).default(0.3),
      // Once alarmed, it takes this much to be healthy again.
      clear_ratio: z.number().gt(0).lt(1).default(0.4),
      clear_after_minutes: z.int().min(1).default(15),
      flag_seconds: seconds(60, 86_400).default(3600),
      late_after_minutes: z.int().min(2).max(60).default(5),
      answer_curve: z
        .array(z.tuple([z.number().min(0), z.number().min(0).max(1)]))
        .min(2)
        .refine(rising, { error: "ages and shares must rise" })
        .default([
          [5, 0],
          [15, 0.35],
          [30, 0.65],
          [60, 0.85],
          [120, 0.95],
          [180, 1],
        ]),
      collapse: z
        .strictObject({
          history_sent: z.int().min(10).default(50),
          to_share: z.number().gt(0).lt(0.8).default(0.05),
          false_alarm: z.number().gt(0).max(0.01).default(0.0008),
        })
        .prefault({}),
      volume: z
        .strictObject({ factor: z.number().min(1.2).default(2), min_sent: z.int().min(10).default(60) })
        .prefault({}),
      new_destination: z.strictObject({ min_sent: z.int().min(1).default(3) }).prefault({}),
      sources: z
        .strictObject({
          numbers_per_address: z.int().min(2).default(8),
          numbers_per_network: z.int().min(10).default(100),
        })
        .prefault({}),
      dense: z
        .strictObject({
          min_sent: z.int().min(3).default(5),
          false_alarm: z.number().gt(0).max(0.01).default(0.000001),
        })
        .prefault({}),
      turned_away: z
        .strictObject({ min: z.int().min(5).default(60), factor: z.number().min(1).default(4) })
        .prefault({}),
      spend: z.strictObject({ hour_factor: z.number().min(1).default(3) }).prefault({}),
      outcomes: z
        .strictObject({
          window_minutes: z.int().min(60).max(1440).default(240),
          min_outcomes: z.int().min(10).default(50),
          spend_factor: z.number().min(1).default(1.5),
          false_alarm: z.number().gt(0).max(0.01).default(0.0001),
        })
        .prefault({}),
      delivery: z
        .strictObject({
          min_sent: z.int().min(5).default(20),
          failing_share: z.number().gt(0).max(1).default(0.3),
        })
        .prefault({}),
      blocks: z
        .strictObject({
          first_seconds: seconds(300, DAY).default(HOUR),
          factor: z.number().min(1).max(24).default(4),
          longest_seconds: seconds(HOUR, 30 * DAY).default(7 * DAY),
          probe_seconds: seconds(60, DAY).default(900),
          most: z.int().min(1).max(500).default(200),
        })
        .prefault({}),
    })
    .prefault({}),
  postures: z
    .strictObject({
      elevated: postureRules({ challenge: "always" }),
      emergency: postureRules({ challenge: "always", limit_factor: 0.5, unknown_ranges: "stop" }),
    })
    .prefault({}),
  alerts: z
    .strictObject({
      owners: z
        .array(
          z.strictObject({
            role: z.enum(OWNER_ROLES),
            name: z.string().min(1).max(80),
            channels: z.array(z.enum(ALERT_CHANNELS)),
            from: z.iso.datetime({ offset: true }).optional(),
            until: z.iso.datetime({ offset: true }).optional(),
          }),
        )
        .superRefine((owners, context) => {
          for (const role of OWNER_ROLES) {
            const permanent = owners.some((owner) => owner.role === role && !owner.from && !owner.until);
            if (!permanent) context.addIssue(`nobody owns ${role}: name an owner without dates`);
          }
        }),
      repeat_minutes: z.int().min(5).default(60),
      max_per_hour: z.int().min(1).default(20),
      runbook_url: z.string().min(1).default("https://github.com/your-team/tollgate#runbook"),
    })
    .prefault({ owners: [] }),
  retention: z
    .strictObject({
      number_days: z.int().min(1).max(400).default(30),
      ip_days: z.int().min(1).max(400).default(30),
      events_days: z.int().min(1).max(3650).default(400),
    })
    .refine(({ number_days, ip_days, events_days }) => Math.max(number_days, ip_days) <= events_days, {
      error: "numbers and addresses must not outlive their events",
    })
    .prefault({}),
  keys: z.strictObject({ rotate_days: z.int().min(1).max(3650).default(90) }).prefault({}),
  // Told where EVENTS_WEBHOOK_URL is set. That a message left, the answer has said, and that it arrived asks nothing of a
  // backend: two of the three events of an honest verification, each a queue's write, read and delete, and a call.
  events: z
    .strictObject({
      types: z
        .array(z.enum(CUSTOMER_EVENT_TYPES))
        .default([
          "verification.undelivered",
          "verification.attempt_failed",
          "verification.locked",
          "verification.approved",
          "verification.expired",
          "fraud.suspected",
          "posture.changed",
        ]),
    })
    .prefault({}),
  // What a backend may report of people who verified; each is compared with what was spent.
  outcomes: z.array(name).max(8).default(["signup", "login", "payment"]),
  cors: z.strictObject({ origins: z.array(z.string().min(1)).default([]) }).prefault({}),
  flows: z
    .record(
      name,
      z.strictObject({
        audience: z.string().min(1).optional(),
        countries: countryPolicy.optional(),
        step_up: z.array(z.string().regex(/^[a-z][a-z0-9_]{0,31}$/)).default([]),
        risk: riskPolicy.optional(),
      }),
    )
    .default({
      default: { step_up: ["email"] },
      signup: { step_up: ["email"] },
      login: { step_up: ["passkey", "email"] },
      recovery: { step_up: ["email"] },
      payment: { step_up: ["passkey"] },
    }),
});
