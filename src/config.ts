/**
 * What the operator set, checked once: the raw environment goes in, a typed configuration or the list of its faults
 * comes out. Faults name the setting and what is wrong with it, never its value, because values can be secrets.
 */
import { z } from "zod";
import type { Policy } from "./domain/policy.ts";

const seconds = (min: number, max: number) => z.int().min(min).max(max);
const limitRules = z
  .array(z.strictObject({ max: z.int().min(1), window_seconds: seconds(1, 30 * 86_400) }))
  .min(1);
const country = z.string().regex(/^([A-Z]{2}|\*)$/, "must be an ISO 3166-1 alpha-2 code in capitals, or *");
const channel = z.enum(["sms", "voice", "whatsapp"]);
const numberType = z.enum([
  "mobile",
  "fixed_line",
  "fixed_line_or_mobile",
  "voip",
  "premium_rate",
  "shared_cost",
  "toll_free",
  "personal",
  "pager",
  "uan",
  "voicemail",
  "satellite",
  "global_service",
  "unknown",
]);
const rising = (curve: readonly (readonly [number, number])[]) =>
  curve.every(([age, share], i) => age > (curve[i - 1]?.[0] ?? -1) && share >= (curve[i - 1]?.[1] ?? 0));

/** Every default is in the README's policy chapter with the reason for its number. */
const policySchema = z.strictObject({
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
  resend: z.strictObject({ wait_seconds: z.array(seconds(1, 599)).default([60, 120, 240]) }).prefault({}),
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
  countries: z.strictObject({ allow: z.array(country).min(1), deny: z.array(country).default([]) }),
  limits: z
    .strictObject({
      number: limitRules.default([
        { max: 1, window_seconds: 60 },
        { max: 3, window_seconds: 600 },
        { max: 10, window_seconds: 86_400 },
      ]),
      ip: limitRules.default([
        { max: 10, window_seconds: 3600 },
        { max: 50, window_seconds: 86_400 },
      ]),
      service: limitRules.default([{ max: 600, window_seconds: 60 }]),
      wrong_codes_per_ip: limitRules.default([{ max: 30, window_seconds: 3600 }]),
    })
    .prefault({}),
  challenge: z.strictObject({
    mode: z.enum(["always", "emergency", "never"]).default("always"),
    hostnames: z.array(z.string().min(1)).min(1),
    action: z
      .string()
      .regex(/^[\w-]{1,32}$/)
      .default("send"),
    site_key: z.string().min(1),
    on_outage: z.enum(["refuse", "allow_clean"]).default("allow_clean"),
  }),
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
  }),
  delivery: z.strictObject({
    provider: z.enum(["sandbox", "twilio"]),
    channels: z.array(channel).min(1).default(["sms"]),
    timeout_ms: z.int().min(500).max(10_000).default(8000),
  }),
  monitor: z
    .strictObject({
      window_minutes: z.int().min(5).max(60).default(15),
      min_sends: z.int().min(5).default(30),
      alarm_ratio: z.number().gt(0).lt(1).default(0.3),
      clear_after_minutes: z.int().min(1).default(15),
      flag_seconds: seconds(60, 86_400).default(3600),
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
    })
    .prefault({}),
  cors: z.strictObject({ origins: z.array(z.string().min(1)).default([]) }).prefault({}),
  flows: z
    .record(
      z.string().regex(/^[a-z][a-z0-9_]{0,31}$/),
      z.strictObject({ audience: z.string().min(1).optional() }),
    )
    .default({ default: {}, signup: {}, login: {}, recovery: {}, payment: {} }),
});

/** One key of a ring: its id travels with what it made, so that old keys go on verifying while a new one signs. */
export interface RingKey {
  id: string;
  secret: Uint8Array<ArrayBuffer>;
}

/** `id:base64url` entries separated by commas; the first one makes, all of them check. */
const keyring = z.string().transform((text, context): RingKey[] => {
  const keys = text.split(",").map((entry) => {
    const [id = "", encoded = ""] = entry.trim().split(":");
    return { id, secret: decodeBase64url(encoded) };
  });
  for (const { id, secret } of keys) {
    if (!/^[\w-]{1,32}$/.test(id)) context.addIssue("every key needs an id: `id:base64url`");
    else if (secret.length < 32) context.addIssue(`key ${id} must be at least 32 bytes of base64url`);
  }
  if (new Set(keys.map(({ id }) => id)).size < keys.length) context.addIssue("two keys have the same id");
  return keys;
});

/** JSON array of private P-256 JWKs with `kid`; the first one signs. */
const proofKeys = z
  .string()
  .transform((text, context): unknown => {
    try {
      return JSON.parse(text);
    } catch {
      context.addIssue("is not JSON");
      return z.NEVER;
    }
  })
  .pipe(
    z
      .array(
        z.object({
          kid: z.string().min(1),
          kty: z.literal("EC"),
          crv: z.literal("P-256"),
          x: z.string(),
          y: z.string(),
          d: z.string(),
        }),
      )
      .min(1),
  );

export type ProofKey = z.infer<typeof proofKeys>[number];

const ENVIRONMENTS = ["development", "staging", "production"] as const;

const rawSchema = z.object({
  ENVIRONMENT: z.enum(ENVIRONMENTS),
  POLICY: policySchema,
  UPSTASH_REDIS_REST_URL: z.url(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  TURNSTILE_SECRET_KEY: z.string().min(1),
  TURNSTILE_SITEVERIFY_URL: z.url().default("https://challenges.cloudflare.com/turnstile/v0/siteverify"),
  SESSION_KEYS: keyring,
  PEPPER_KEYS: keyring,
  ENCRYPTION_KEYS: keyring,
  PROOF_KEYS: proofKeys,
  SANDBOX_URL: z.url().optional(),
  TWILIO_API_URL: z.url().default("https://api.twilio.com"),
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/, "must be AC and 32 hexadecimal digits")
    .optional(),
  TWILIO_AUTH_TOKEN: z.string().min(1).optional(),
  TWILIO_MESSAGING_SERVICE_SID: z
    .string()
    .regex(/^MG[0-9a-f]{32}$/, "must be MG and 32 hexadecimal digits")
    .optional(),
});

/** The published Turnstile test secrets pass or fail everybody. */
const TURNSTILE_TEST_SECRET = /^[123]x0+A+$/;

/** Rules between settings: what a provider needs, and what must never reach people outside. */
const configSchema = rawSchema.superRefine((raw, context) => {
  const fault = (setting: string, message: string) =>
    context.addIssue({ code: "custom", path: [setting], message });
  const { provider } = raw.POLICY.delivery;
  if (provider === "sandbox" && raw.SANDBOX_URL === undefined) {
    fault("SANDBOX_URL", "is missing; POLICY.delivery.provider is sandbox");
  }
  if (provider === "twilio") {
    for (const name of ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_MESSAGING_SERVICE_SID"] as const) {
      if (raw[name] === undefined) fault(name, "is missing; POLICY.delivery.provider is twilio");
    }
  }
  if (raw.ENVIRONMENT !== "production") return;
  if (provider === "sandbox") fault("POLICY.delivery.provider", "must be a real provider in production");
  if (raw.POLICY.challenge.mode === "never")
    fault("POLICY.challenge.mode", "must not be never in production");
  if (TURNSTILE_TEST_SECRET.test(raw.TURNSTILE_SECRET_KEY)) {
    fault("TURNSTILE_SECRET_KEY", "is a published test secret, which lets everybody through");
  }
  if (!raw.POLICY.proof.issuer.startsWith("https://")) fault("POLICY.proof.issuer", "must be https");
});

export type Config = z.infer<typeof configSchema>;
export type Checked<T> = { ok: true; value: T } | { ok: false; faults: string[] };

/** Checks a policy document alone; scripts use it before they start or deploy anything. */
export function parsePolicy(input: unknown): Checked<Policy> {
  return checked<Policy>(policySchema.safeParse(input), "POLICY");
}

/** Checks the whole environment. */
export function parseConfig(env: unknown): Checked<Config> {
  return checked(configSchema.safeParse(env), "");
}

function checked<T>(result: z.ZodSafeParseResult<T>, root: string): Checked<T> {
  if (result.success) return { ok: true, value: result.data };
  const faults = result.error.issues.map((issue) => {
    const path = [root, ...issue.path.map(String)].filter((part) => part !== "").join(".");
    return `${path}: ${wording(issue)}`;
  });
  return { ok: false, faults };
}

function wording(issue: z.core.$ZodIssue): string {
  if (issue.code === "unrecognized_keys") return `does not know ${issue.keys.join(", ")}`;
  const missing = issue.code === "invalid_type" && issue.message.includes("received undefined");
  return missing ? "is missing" : issue.message;
}

function decodeBase64url(text: string): Uint8Array<ArrayBuffer> {
  try {
    const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
    return Uint8Array.from(binary, (char) => char.charCodeAt(0));
  } catch {
    return new Uint8Array();
  }
}
