import * as z from "zod";
import { createDocument } from "zod-openapi";
import {
  idempotencyKey,
  idempotencyKeyForVerify,
  sendAnswer,
  sendBody,
  sessionAnswer,
  verifyAnswer,
  verifyBody,
} from "./contract.ts";
import {
  KEY_SET,
  OUTCOMES_ANSWER,
  OUTCOMES_REQUESTS,
  SEND_ANSWER,
  SEND_REQUESTS,
  SESSION_ANSWER,
  VERIFY_ANSWER,
  VERIFY_REQUESTS,
} from "./docs/examples.ts";
import { gatewayPaths } from "./docs/gateway-paths.ts";
import { failures, json } from "./docs/operations.ts";
import { PROBLEM_EXAMPLES } from "./docs/problem-examples.ts";
import { PROBLEM_GUIDES } from "./docs/problem-guide.ts";
import { outcomesAnswer, outcomesBody } from "./outcomes.ts";

const DESCRIPTION = `Phone-number verification by one-time code, at the edge.

1. \`POST /v1/send\` sends a code and answers with a \`session\`, a sealed token.
2. \`POST /v1/verify\` takes the session and the code, and answers with a \`proof\`, a signed JWT.
3. Your backend checks the proof offline with the keys at \`/.well-known/jwks.json\`, and accepts each \`jti\` once.

Browsers and apps call without credentials and bring a CAPTCHA token where one is asked for. Servers call with an API key and
state their end user in \`client\`.

Systems that make their codes themselves have them delivered by \`POST /v1/deliver\`. Clients of Twilio Verify v2 and Vonage Verify v2
work as they are, with this service as their base URL: their own API documents hold, under \`/v2\`.

Failures are problems (RFC 9457) with a stable \`code\`. [What each means and what to do](/problems). This document itself is at [/openapi.json](/openapi.json).`;

/** The API document, made from the schemas that validate. */
export function openApiDocument(issuer: string) {
  return createDocument({
    openapi: "3.1.0",
    info: { title: "Tollgate", version: "1", description: DESCRIPTION },
    servers: [{ url: issuer }],
    tags: [
      { name: "Verification", description: "For browsers, apps and servers" },
      { name: "Gateway", description: "For servers that make and check their codes themselves" },
      { name: "Service", description: "Its keys and its health" },
    ],
    paths: {
      "/v1/send": {
        post: {
          operationId: "send",
          tags: ["Verification"],
          summary: "Send a code, or send the code of a session again",
          description:
            "With `phone` it begins a verification. With `session` it sends that session's code again, to the same number; wait until `resend_in_seconds` of the last answer is over.",
          security: [{}, { apiKey: [] }],
          requestParams: { header: z.object({ "Idempotency-Key": idempotencyKey }) },
          requestBody: {
            required: true,
            content: { "application/json": { schema: sendBody, examples: SEND_REQUESTS } },
          },
          responses: {
            "202": { description: "The message is on its way", content: json(sendAnswer, SEND_ANSWER) },
            ...failures(
              "invalid_request",
              "unauthorized",
              "challenge_required",
              "challenge_failed",
              "step_up_required",
              "session_gone",
              "body_too_large",
              "unsupported_media_type",
              "number_invalid",
              "number_type_refused",
              "country_not_served",
              "number_unreachable",
              "number_opted_out",
              "idempotency_conflict",
              "in_progress",
              "too_many_requests",
              "too_many_attempts",
              "internal_error",
              "misconfigured",
              "delivery_failed",
              "sending_paused",
            ),
          },
        },
      },
      "/v1/verify": {
        post: {
          operationId: "verify",
          tags: ["Verification"],
          summary: "Prove the number with the code",
          description:
            "Each call is an attempt and is counted before the code is looked at. A right code is used up: the session is over. A send with a `reference` is verified with the same `reference`.",
          security: [{}, { apiKey: [] }],
          requestParams: { header: z.object({ "Idempotency-Key": idempotencyKeyForVerify }) },
          requestBody: {
            required: true,
            content: { "application/json": { schema: verifyBody, examples: VERIFY_REQUESTS } },
          },
          responses: {
            "200": {
              description: "Verified; the proof is signed",
              content: json(verifyAnswer, VERIFY_ANSWER),
            },
            ...failures(
              "invalid_request",
              "unauthorized",
              "session_gone",
              "body_too_large",
              "unsupported_media_type",
              "code_incorrect",
              "idempotency_conflict",
              "too_many_attempts",
              "internal_error",
              "misconfigured",
              "proof_unavailable",
              "sending_paused",
            ),
          },
        },
      },
      "/v1/session": {
        get: {
          operationId: "session",
          tags: ["Verification"],
          summary: "The state of a session and of its delivery",
          description: "For a page that was reloaded. It counts as no attempt.",
          security: [{ session: [] }],
          responses: {
            "200": { description: "The session", content: json(sessionAnswer, SESSION_ANSWER) },
            ...failures("invalid_request", "session_gone", "internal_error", "misconfigured"),
          },
        },
      },
      "/v1/outcomes": {
        post: {
          operationId: "outcomes",
          tags: ["Verification"],
          summary: "Report what became of people who were verified",
          description:
            "For servers. A report is counted once for each proof and type, however often it is repeated.",
          security: [{ apiKey: [] }],
          requestBody: {
            required: true,
            content: { "application/json": { schema: outcomesBody, examples: OUTCOMES_REQUESTS } },
          },
          responses: {
            "202": { description: "Counted", content: json(outcomesAnswer, OUTCOMES_ANSWER) },
            ...failures(
              "invalid_request",
              "unauthorized",
              "body_too_large",
              "unsupported_media_type",
              "too_many_requests",
              "internal_error",
              "misconfigured",
              "sending_paused",
            ),
          },
        },
      },
      ...gatewayPaths,
      "/.well-known/jwks.json": {
        get: {
          operationId: "jwks",
          tags: ["Service"],
          summary: "Public keys of the proofs (RFC 7517)",
          description:
            "Keep them for some minutes, and read them again when a proof names a key you do not have.",
          responses: {
            "200": {
              description: "The key set",
              content: json(z.object({ keys: z.array(z.looseObject({ kid: z.string() })) }), KEY_SET),
            },
            ...failures("internal_error", "misconfigured"),
          },
        },
      },
      "/healthz": {
        get: {
          operationId: "health",
          tags: ["Service"],
          summary: "Configured and running",
          description: "Says nothing of the stores and providers behind the service.",
          responses: {
            "200": {
              description: "Fine",
              content: json(z.object({ status: z.literal("ok"), environment: z.string() }), {
                status: "ok",
                environment: "production",
              }),
            },
            ...failures("misconfigured"),
          },
        },
      },
    },
    components: {
      examples: Object.fromEntries(
        Object.values(PROBLEM_EXAMPLES).map((value) => [
          value.code,
          { summary: value.code, description: PROBLEM_GUIDES[value.code].happened, value },
        ]),
      ),
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "Of a server caller" },
        session: { type: "http", scheme: "bearer", description: "The session token" },
      },
    },
  });
}
