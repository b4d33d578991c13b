/**
 * What the operator set, checked once: the raw environment goes in, a typed configuration or the list of its faults
 * comes out. Faults name the setting and what is wrong with it, never its value, because values can be secrets.
 */
import * as z from "zod";
import { parseOperatorTokens } from "../domain/access/operator.ts";
import { parseNetworkList } from "../domain/admission/source.ts";
import type { PriceRow } from "../domain/delivery/money.ts";
import { parsePriceTable } from "../domain/delivery/price-table.ts";
import { isCountry } from "../domain/kernel/country.ts";
import type { Policy } from "../domain/policy.ts";
import { policySchema } from "../domain/policy.ts";
import { compatFaults } from "./compat-faults.ts";
import { hookSettings } from "./hook-settings.ts";
import { joinKeyringParts, ringOf } from "./keyrings.ts";
import { type KmsSigningKey, parseKmsKeys } from "./kms-keys.ts";
import {
  listOf,
  providerSettings,
  requiredLookupSettings,
  requiredProviderSettings,
  WHSEC,
} from "./provider-settings.ts";

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

/** JSON array of private P-256 JWKs with `kid`; the first one that may signs. */
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
          /** A later key is published first, and signs from this time (ms) on; absent: at once. */
          signs_from_ms: z.int().min(0).optional(),
        }),
      )
      .min(1),
  );

export type ProofKey = z.infer<typeof proofKeys>[number];

/** For what tells people or carries a secret in its path; plain http is for this machine. */
const confidentialUrl = z
  .url()
  .refine((url) => url.startsWith("https://") || /^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(url), {
    error: "must be https",
  });

const kmsKeys = z.string().transform((text, context): KmsSigningKey[] => {
  const keys = parseKmsKeys(text);
  if (keys !== null) return keys;
  context.addIssue("must be different ARNs like arn:aws:kms:REGION:ACCOUNT:key/ID separated by commas");
  return z.NEVER;
});

/** What the signer of proofs needs. */
const SIGNER_SETTINGS = {
  keys: ["PROOF_KEYS"],
  aws_kms: ["PROOF_KMS_KEYS", "PROOF_KMS_ACCESS_KEY_ID", "PROOF_KMS_SECRET_ACCESS_KEY"],
} as const;

/** What a channel for alerts needs. */
const CHANNEL_SETTINGS = {
  slack: ["SLACK_WEBHOOK_URL"],
  pagerduty: ["PAGERDUTY_ROUTING_KEY"],
  webhook: ["ALERT_WEBHOOK_URL", "ALERT_WEBHOOK_SECRET"],
} as const;

const ENVIRONMENTS = ["development", "staging", "production"] as const;

const rawSchema = z.object({
  ENVIRONMENT: z.enum(ENVIRONMENTS),
  POLICY: policySchema,
  UPSTASH_REDIS_REST_URL: z.url(),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  CAPTCHA_SECRET_KEY: z.string().min(1),
  /** Secret of the widget for demanded challenges (POLICY.captcha.fresh_site_key). */
  CAPTCHA_FRESH_SECRET_KEY: z.string().min(1).optional(),
  CAPTCHA_SITEVERIFY_URL: z.url().optional(),
  SESSION_KEYS: keyring,
  PEPPER_KEYS: keyring,
  ENCRYPTION_KEYS: keyring,
  /** With `proof.signer` `aws_kms` they sign nothing, and are still published. */
  PROOF_KEYS: proofKeys.optional(),
  /** ARNs of asymmetric keys in KMS separated by commas: the first signs, all are published. */
  PROOF_KMS_KEYS: kmsKeys.optional(),
  PROOF_KMS_ACCESS_KEY_ID: z.string().min(1).optional(),
  PROOF_KMS_SECRET_ACCESS_KEY: z.string().min(1).optional(),
  PROOF_KMS_URL: confidentialUrl.optional(),
  ...providerSettings,
  ...hookSettings,
  SLACK_WEBHOOK_URL: confidentialUrl.optional(),
  PAGERDUTY_API_URL: confidentialUrl.default("https://events.pagerduty.com"),
  PAGERDUTY_ROUTING_KEY: z.string().min(1).optional(),
  ALERT_WEBHOOK_URL: confidentialUrl.optional(),
  ALERT_WEBHOOK_SECRET: z.string().regex(WHSEC, "must be whsec_ and the base64 of 24 to 64 bytes").optional(),
  /** The customer's backend, which hears of `policy.events.types`. */
  EVENTS_WEBHOOK_URL: confidentialUrl.optional(),
  /** `whsec_...` secrets separated by commas: all sign, the first one also makes the hashes of numbers. */
  EVENTS_WEBHOOK_SECRET: listOf("whsec_... secrets", (secret) => WHSEC.test(secret)).optional(),
  /** `name:role:hash` entries separated by commas; see `npm run ops -- token create`. */
  ADMIN_TOKENS: z
    .string()
    .transform((text, context) => {
      const read = parseOperatorTokens(text);
      if (read.ok) return read.tokens;
      for (const fault of read.faults) context.addIssue(fault);
      return z.NEVER;
    })
    .default([]),
  ACCESS_TEAM_DOMAIN: z
    .string()
    .regex(/^[a-z0-9-]+\.cloudflareaccess\.com$/, "must be <team>.cloudflareaccess.com")
    .optional(),
  ACCESS_AUDIENCE: z.string().min(1).optional(),
  ACCESS_OPERATORS: z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((entry) => entry.trim())
        .filter((entry) => entry !== ""),
    )
    .default([]),
});

/** The names of all settings, variables and secrets alike. */
export const SETTING_NAMES: readonly string[] = Object.keys(rawSchema.shape);

/** Whether a setting, or an added part of a keyring, has this name. */
export const isSettingName = (name: string): boolean => SETTING_NAMES.includes(name) || ringOf(name) !== null;

/** Rules between settings: what a provider needs, and what must never reach people outside. */
const configSchema = rawSchema.superRefine((raw, context) => {
  const fault = (setting: string, message: string) =>
    context.addIssue({ code: "custom", path: [setting], message });
  const { signer } = raw.POLICY.proof;
  for (const setting of SIGNER_SETTINGS[signer]) {
    if (raw[setting] === undefined) fault(setting, `is missing; POLICY.proof.signer is ${signer}`);
  }
  const { providers } = raw.POLICY.delivery;
  for (const name of providers.flatMap((provider) =>
    requiredProviderSettings[provider].map((setting) => ({ provider, setting })),
  )) {
    if (raw[name.setting] === undefined) {
      fault(name.setting, `is missing; POLICY.delivery.providers names ${name.provider}`);
    }
  }
  const { VONAGE_API_KEY: vonageKey, VONAGE_SIGNATURE_SECRETS: vonageSecrets } = raw;
  const signed = vonageSecrets === undefined || vonageSecrets.some(({ apiKey }) => apiKey === vonageKey);
  if (providers.includes("vonage") && vonageKey !== undefined && !signed) {
    fault("VONAGE_SIGNATURE_SECRETS", "has no secret of VONAGE_API_KEY, whose receipts would be refused");
  }
  const source = raw.POLICY.lookup.provider;
  for (const setting of requiredLookupSettings[source]) {
    if (raw[setting] === undefined) fault(setting, `is missing; POLICY.lookup.provider is ${source}`);
  }
  for (const [setting, message] of compatFaults(raw.POLICY, raw)) fault(setting, message);
  const channels = new Set(raw.POLICY.alerts.owners.flatMap((owner) => owner.channels));
  for (const channel of channels) {
    for (const setting of CHANNEL_SETTINGS[channel]) {
      if (raw[setting] === undefined) fault(setting, `is missing; an owner in POLICY.alerts uses ${channel}`);
    }
  }
  if ((raw.ACCESS_TEAM_DOMAIN === undefined) !== (raw.ACCESS_AUDIENCE === undefined)) {
    fault("ACCESS_AUDIENCE", "and ACCESS_TEAM_DOMAIN belong together");
  }
  if ((raw.EVENTS_WEBHOOK_URL === undefined) !== (raw.EVENTS_WEBHOOK_SECRET === undefined)) {
    fault("EVENTS_WEBHOOK_SECRET", "and EVENTS_WEBHOOK_URL belong together");
  }
  const { provider: captcha, fresh_site_key } = raw.POLICY.captcha;
  if (fresh_site_key === undefined && raw.CAPTCHA_FRESH_SECRET_KEY !== undefined) {
    fault("POLICY.captcha.fresh_site_key", "is missing; CAPTCHA_FRESH_SECRET_KEY is set");
  }
  // hCaptcha's secret is the account's and serves all its widgets.
  if (fresh_site_key !== undefined && captcha !== "hcaptcha" && raw.CAPTCHA_FRESH_SECRET_KEY === undefined) {
    fault("CAPTCHA_FRESH_SECRET_KEY", "is missing; POLICY.captcha.fresh_site_key is set");
  }
  if (raw.ENVIRONMENT !== "production") return;
  if (providers.some((name) => name.startsWith("sandbox"))) {
    fault("POLICY.delivery.providers", "must be real providers in production");
  }
  if (raw.POLICY.challenge === "never") fault("POLICY.challenge", "must not be never in production");
  if (!raw.POLICY.proof.issuer.startsWith("https://")) fault("POLICY.proof.issuer", "must be https");
});

export type Config = z.infer<typeof configSchema>;

/** The data files an operator may replace, read. */
export interface Tables {
  prices: readonly PriceRow[];
  /** ISO 4217, of the prices. */
  currency: string;
  /** Owners of hosting, cloud and VPN networks by ASN. */
  hosting: ReadonlyMap<number, string>;
}

export type Checked<T> = { ok: true; value: T } | { ok: false; faults: string[] };

/** Checks a policy document alone; scripts use it before they start or deploy anything. */
export function parsePolicy(input: unknown): Checked<Policy> {
  return checked<Policy>(policySchema.safeParse(input), "POLICY");
}

/** Checks the whole environment. */
export function parseConfig(env: unknown): Checked<Config> {
  return checked(configSchema.safeParse(joinKeyringParts(env)), "");
}

/** Reads the data files; every fault is named by file and line. */
export function parseTables(texts: { prices: string; hosting: string }): Checked<Tables> {
  const prices = parsePriceTable(texts.prices, isCountry);
  const hosting = parseNetworkList(texts.hosting);
  if (prices.ok && hosting.ok)
    return {
      ok: true,
      value: { prices: prices.rows, currency: prices.currency, hosting: hosting.networks },
    };
  const named = (file: string, faults: string[]) => faults.map((fault) => `${file}: ${fault}`);
  return {
    ok: false,
    faults: [
      ...(prices.ok ? [] : named("src/data/prices.csv", prices.faults)),
      ...(hosting.ok ? [] : named("src/data/hosting-asns.csv", hosting.faults)),
    ],
  };
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
  if (issue.code === "invalid_key") return issue.issues.map(({ message }) => message).join("; ");
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
