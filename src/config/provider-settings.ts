/** The providers' settings: names, shapes, and which of them each provider in `POLICY.delivery.providers` needs. */
import * as z from "zod";
import type { LookupPolicy } from "../domain/admission/lookup.policy.ts";
import type { ProviderName } from "../domain/delivery/delivery.policy.ts";
import { CHANNELS, type Channel } from "../domain/kernel/channel.ts";
import { countryFault } from "../domain/kernel/country.ts";

const text = z.string().min(1);
/** A secret of Standard Webhooks: 24 to 64 bytes in base64. */
export const WHSEC = /^whsec_(?:[A-Za-z0-9+/]{4}){8,20}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
export const listOf = (what: string, fits: (entry: string) => boolean) =>
  z
    .string()
    .transform((all) => all.split(",").map((entry) => entry.trim()))
    .refine((entries) => entries.every(fits), { error: `must be ${what} separated by commas` });

/** JSON like `{"en": "..."}`: something by language; the first one serves all other languages. */
const byLanguage = z
  .string()
  .transform((json, context): unknown => {
    try {
      return JSON.parse(json);
    } catch {
      context.addIssue('must be JSON like {"en": "..."}');
      return z.NEVER;
    }
  })
  .pipe(
    z
      .record(z.string(), text)
      .refine((texts) => Object.keys(texts).length > 0, { error: "needs at least one language" }),
  );

/** `apiKey:secret`, as many as there are accounts or secrets being exchanged. */
const signatureSecrets = listOf("apiKey:secret pairs", (entry) => /^[^:]+:.+$/.test(entry)).transform(
  (entries) =>
    entries.map((entry) => {
      const at = entry.indexOf(":");
      return { apiKey: entry.slice(0, at), secret: entry.slice(at + 1) };
    }),
);

/** A list of which every entry is one of these names. */
const someOf = <const T extends string>(names: readonly [T, ...T[]], byItself: readonly [T, ...T[]]) =>
  z
    .string()
    .transform((all) => all.split(",").map((entry) => entry.trim()))
    .pipe(z.tuple([z.enum(names)], z.enum(names)))
    .default([...byItself] as [T, ...T[]]);

export const providerSettings = {
  SANDBOX_URL: z.url().optional(),
  /** What the inbox signs receipts with. */
  SANDBOX_RECEIPT_SECRET: z.string().regex(WHSEC, "must be whsec_ and base64").optional(),

  TWILIO_API_URL: z.url().default("https://api.twilio.com"),
  TWILIO_ACCOUNT_SID: z
    .string()
    .regex(/^AC[0-9a-f]{32}$/, "must be AC and 32 hexadecimal digits")
    .optional(),
  TWILIO_AUTH_TOKEN: text.optional(),
  TWILIO_SECOND_AUTH_TOKEN: text.optional(),
  /** With it requests are made, in place of the main token, which goes on checking receipts. */
  TWILIO_API_KEY: z
    .string()
    .regex(/^SK[0-9a-f]{32}$/, "must be SK and 32 hexadecimal digits")
    .optional(),
  TWILIO_API_KEY_SECRET: text.optional(),
  TWILIO_MESSAGING_SERVICE_SID: z
    .string()
    .regex(/^MG[0-9a-f]{32}$/, "must be MG and 32 hexadecimal digits")
    .optional(),
  TWILIO_CALL_FROM: z
    .string()
    .regex(/^\+[1-9]\d{6,14}$/, "must be an E.164 number")
    .optional(),
  TWILIO_CONTENT_SIDS: byLanguage.optional(),

  TWILIO_LOOKUP_URL: z.url().default("https://lookups.twilio.com"),
  /** `sim_swap` needs the carriers' approval, country by country. */
  TWILIO_LOOKUP_FIELDS: someOf(
    ["line_type_intelligence", "sms_pumping_risk", "sim_swap"],
    ["line_type_intelligence", "sms_pumping_risk"],
  ),

  VONAGE_INSIGHTS_URL: z.url().default("https://api-eu.vonage.com"),
  VONAGE_INSIGHTS: someOf(
    ["sim_swap", "current_carrier", "original_carrier", "reachability", "roaming"],
    ["current_carrier", "sim_swap"],
  ),
  VONAGE_NUMBER_INSIGHT: z.enum(["basic", "standard", "advanced"]).default("standard"),

  VONAGE_API_URL: z.url().default("https://api.nexmo.com"),
  VONAGE_SMS_URL: z.url().default("https://rest.nexmo.com"),
  VONAGE_API: z.enum(["messages", "sms"]).default("messages"),
  VONAGE_API_KEY: z
    .string()
    .regex(/^[0-9a-z]{8}$/, "must be 8 lower-case letters and digits")
    .optional(),
  VONAGE_API_SECRET: text.optional(),
  VONAGE_APPLICATION_ID: z.uuid().optional(),
  VONAGE_PRIVATE_KEY: z
    .string()
    // A secret on one line has its line ends written out.
    .transform((pem) => pem.replaceAll("\\n", "\n"))
    .refine((pem) => pem.startsWith("-----BEGIN PRIVATE KEY-----"), {
      error: "must be a PKCS #8 PEM (BEGIN PRIVATE KEY)",
    })
    .optional(),
  VONAGE_SIGNATURE_SECRETS: signatureSecrets.optional(),
  VONAGE_SMS_SIGNATURE: z.enum(["md5hash", "md5", "sha1", "sha256", "sha512"]).default("sha256"),
  VONAGE_FROM: text.optional(),
  VONAGE_CALL_FROM: z
    .string()
    .regex(/^\+[1-9]\d{6,14}$/, "must be an E.164 number")
    .optional(),

  VONAGE_WHATSAPP_FROM: text.optional(),
  VONAGE_WHATSAPP_TEMPLATE: text.optional(),
  VONAGE_WHATSAPP_LANGUAGES: listOf("languages such as en_US", (tag) =>
    /^[a-z]{2,3}(_[A-Z]{2})?$/.test(tag),
  ).default(["en"]),

  STARTMESSAGING_API_URL: z.url().default("https://api.startmessaging.com"),
  STARTMESSAGING_API_KEY: text.optional(),
  STARTMESSAGING_TEMPLATE_IDS: byLanguage.optional(),

  MSG91_API_URL: z.url().default("https://control.msg91.com/api/v5"),
  MSG91_AUTH_KEY: text.optional(),
  MSG91_SERVICE: z.enum(["flow", "otp"]).default("flow"),
  MSG91_TEMPLATE_IDS: byLanguage.optional(),
  MSG91_CODE_VARIABLE: z
    .string()
    .regex(/^\w{1,32}$/)
    .default("otp"),
  MSG91_RECEIPT_KEYS: listOf("keys of 20 characters or more", (key) => key.length >= 20).optional(),

  TELEGRAM_GATEWAY_URL: z.url().default("https://gatewayapi.telegram.org"),
  TELEGRAM_GATEWAY_TOKEN: text.optional(),
  TELEGRAM_GATEWAY_SECOND_TOKEN: text.optional(),
  TELEGRAM_GATEWAY_SENDER: z
    .string()
    .regex(/^\w{5,32}$/, "must be a channel's username without @")
    .optional(),

  WEBHOOK_PROVIDER_URL: z
    .url()
    .refine((url) => url.startsWith("https://") || /^http:\/\/(localhost|127\.0\.0\.1)[:/]/.test(url), {
      error: "must be https",
    })
    .optional(),
  WEBHOOK_PROVIDER_SECRETS: listOf("whsec_... secrets", (secret) => WHSEC.test(secret)).optional(),
  WEBHOOK_PROVIDER_CHANNELS: listOf("sms, voice, whatsapp or telegram", (name) =>
    CHANNELS.some((channel) => channel === name),
  )
    .transform((names) => names as Channel[])
    .default(["sms"]),
  WEBHOOK_PROVIDER_COUNTRIES: listOf(
    "ISO 3166-1 alpha-2 codes (GB, not UK)",
    (code) => countryFault(code) === null,
  ).optional(),
};

export const requiredProviderSettings: Readonly<
  Record<ProviderName, readonly (keyof typeof providerSettings)[]>
> = {
  sandbox: ["SANDBOX_URL"],
  sandbox_b: ["SANDBOX_URL"],
  sandbox_c: ["SANDBOX_URL"],
  twilio: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN", "TWILIO_MESSAGING_SERVICE_SID"],
  vonage: [
    "VONAGE_API_KEY",
    "VONAGE_API_SECRET",
    "VONAGE_APPLICATION_ID",
    "VONAGE_PRIVATE_KEY",
    "VONAGE_SIGNATURE_SECRETS",
    "VONAGE_FROM",
  ],
  startmessaging: ["STARTMESSAGING_API_KEY"],
  msg91: ["MSG91_AUTH_KEY", "MSG91_TEMPLATE_IDS"],
  webhook: ["WEBHOOK_PROVIDER_URL", "WEBHOOK_PROVIDER_SECRETS"],
  telegram: ["TELEGRAM_GATEWAY_TOKEN"],
};

/** What the source in `POLICY.lookup.provider` needs. */
export const requiredLookupSettings: Readonly<
  Record<LookupPolicy["provider"], readonly (keyof typeof providerSettings)[]>
> = {
  none: [],
  twilio: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"],
  vonage_number_insight: ["VONAGE_API_KEY", "VONAGE_API_SECRET"],
  vonage_identity_insights: ["VONAGE_APPLICATION_ID", "VONAGE_PRIVATE_KEY"],
};
