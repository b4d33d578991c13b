/**
 * The wire, once: these schemas validate requests, type the answers and make `/openapi.json`. Field names are
 * `snake_case`; durations are whole seconds with the unit in the name.
 */
import * as z from "zod";
import { CHANNELS } from "../domain/kernel/channel.ts";
import { typedCode } from "../domain/kernel/typed-text.ts";
import { clientFacts } from "./authenticate.ts";

/** Text that every store and log can hold: no control characters, no half of a surrogate pair. */
export const text = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => value.isWellFormed() && !/\p{Cc}/u.test(value), {
      error: "must not hold control characters or lone surrogates",
    });

/** Text as somebody typed or pasted it, with marks, tabs and line ends; its reader brings it to one form. */
const typedText = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((value) => value.isWellFormed() && !/[^\P{Cc}\t\r\n]/u.test(value), {
      error: "must not hold control characters or lone surrogates",
    });

export const channel = z.enum(CHANNELS).meta({ description: "How the code travels", example: "sms" });
const sessionToken = text(4096).meta({ description: "The sealed token of a verification, from the send" });
export const reference = text(128).meta({
  description:
    "The caller's own reference, a transfer id for example; a code asked for with one verifies only with it",
  example: "transfer-17",
});
export const correlationId = z.string().meta({
  description: "Names this verification in every answer, log line, message and proof",
  example: "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
});
const seconds = (description: string, example: number) => z.int().min(0).meta({ description, example });

export const locale = z
  .string()
  .regex(/^[A-Za-z]{2,8}([-_][A-Za-z0-9]{1,8}){0,4}$/, "must be a BCP 47 language tag");

export const sendBody = z
  .strictObject({
    phone: typedText(120).optional().meta({
      description: "E.164, or national with `region`; as the person typed it",
      example: "+919876543210",
    }),
    region: z
      .string()
      .regex(/^[A-Za-z]{2}$/, "must be an ISO 3166-1 alpha-2 code")
      .transform((code) => code.toUpperCase())
      .optional()
      .meta({ description: "Country of a national number", example: "IN" }),
    flow: text(32).default("default").meta({ description: "What the code is for", example: "signup" }),
    channel: channel.default("sms"),
    captcha_token: text(8192).optional().meta({ description: "CAPTCHA token, solved for the action `send`" }),
    device_token: text(4096).optional().meta({
      description: "What the last verification on this device gave it: known devices are asked for less",
    }),
    device_id: text(128).optional(),
    user_id: text(128).optional(),
    reference: reference.optional(),
    locale: locale.optional().meta({ example: "en-IN" }),
    client: clientFacts.optional(),
    session: sessionToken
      .optional()
      .meta({ description: "Resend: the session whose code is to go out again" }),
  })
  .refine((body) => body.phone !== undefined || body.session !== undefined, {
    path: ["phone"],
    error: "is required, unless `session` asks for a resend",
  })
  .meta({ id: "SendRequest" });

export const idempotencyKey = text(255).optional().meta({
  description:
    "A repeated send with the same key is the same verification: one message, one bill. Use a UUID",
});

export const idempotencyKeyForVerify = text(255).optional().meta({
  description:
    "For two minutes the same code under the same key has the same answer, the proof's `jti` included, and counts once",
});

const nextChannel = z.object({
  channel,
  available_in_seconds: seconds("Until this channel may be asked for", 60),
});

export const sendAnswer = z
  .object({
    session: sessionToken,
    correlation_id: correlationId,
    channel,
    masked_phone: z.string().meta({ example: "+91••••••••10" }),
    code_length: z.int().meta({ example: 6 }),
    expires_in_seconds: seconds("How long the code lives", 180),
    resend_in_seconds: seconds(
      "Until a resend is possible; null when this session sends no more",
      60,
    ).nullable(),
    attempts_left: z.int().meta({ example: 5 }),
    next_channels: z.array(nextChannel),
  })
  .meta({ id: "SendAnswer" });

export const verifyBody = z
  .strictObject({
    session: sessionToken,
    code: typedText(120)
      .transform((typed) => typedCode(typed) ?? "")
      .refine((code) => /^[0-9]{4,10}$/.test(code), { error: "must be 4 to 10 digits" })
      .meta({
        description:
          "The code as the person typed it: `123456`, `123 456`, `G-123456`, in any script's digits",
        example: "123456",
      }),
    reference: reference.optional(),
    client: clientFacts.optional(),
  })
  .meta({ id: "VerifyRequest" });

export const verifyAnswer = z
  .object({
    status: z.literal("verified"),
    device_token: z.string().meta({ description: "For the client to keep, and to bring to its next send" }),
    proof: z.string().meta({ description: "Signed JWT; check it offline with /.well-known/jwks.json" }),
    phone: z.string().meta({ example: "+919876543210" }),
    correlation_id: correlationId,
  })
  .meta({ id: "VerifyAnswer" });

export const sessionAnswer = z
  .object({
    status: z.enum(["pending", "verified", "locked"]),
    delivery: z
      .enum(["sending", "accepted", "refused", "unknown", "delivered", "undelivered"])
      .meta({ description: "What the provider said of the last message" }),
    correlation_id: correlationId,
    channel,
    sends: z.int(),
    attempts_left: z.int(),
    expires_in_seconds: seconds("How long the code lives", 120),
    resend_in_seconds: seconds(
      "Until a resend is possible; null when this session sends no more",
      0,
    ).nullable(),
  })
  .meta({ id: "SessionAnswer" });

export const PROBLEM_CODES = [
  "invalid_request",
  "unauthorized",
  "flow_refused",
  "number_invalid",
  "number_type_refused",
  "country_not_served",
  "number_unreachable",
  "number_opted_out",
  "challenge_required",
  "challenge_failed",
  "step_up_required",
  "too_many_requests",
  "idempotency_conflict",
  "in_progress",
  "sending_paused",
  "proof_unavailable",
  "delivery_failed",
  "session_gone",
  "code_incorrect",
  "too_many_attempts",
  "not_found",
  "method_not_allowed",
  "body_too_large",
  "unsupported_media_type",
  "misconfigured",
  "internal_error",
] as const;

export const problem = z
  .object({
    type: z.string().meta({ example: "/problems/too_many_requests" }),
    title: z.string(),
    status: z.int(),
    code: z.enum(PROBLEM_CODES),
    correlation_id: correlationId,
    retry_after: seconds("When to come back", 60).optional(),
    errors: z.array(z.object({ field: z.string(), reason: z.string() })).optional(),
    attempts_left: z.int().optional(),
    retry_in_seconds: seconds("Until the next code is looked at", 2).optional(),
    channels: z
      .array(channel)
      .optional()
      .meta({ description: "Channels that this number may still be asked by; perhaps none" }),
    challenge: z
      .object({
        provider: z.enum(["turnstile", "hcaptcha", "recaptcha"]),
        site_key: z.string(),
        action: z.string(),
        fresh: z.boolean().meta({ description: "Only a token solved after this answer will do" }),
      })
      .optional()
      .meta({ description: "What the client needs to render the challenge" }),
    step_up: z
      .object({ factors: z.array(z.string()) })
      .optional()
      .meta({
        description: "Channels or factors that will do instead of a message",
        example: { factors: ["passkey"] },
      }),
  })
  .meta({ id: "Problem", description: "RFC 9457 problem" });

/** As a client writes it: what has a default may be left out. */
export type SendRequest = z.input<typeof sendBody>;
export type VerifyRequest = z.input<typeof verifyBody>;
export type SendAnswer = z.infer<typeof sendAnswer>;
export type VerifyAnswer = z.infer<typeof verifyAnswer>;
export type SessionAnswer = z.infer<typeof sessionAnswer>;
export type Problem = z.infer<typeof problem>;
export type ProblemCode = (typeof PROBLEM_CODES)[number];
