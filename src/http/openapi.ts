import { z } from "zod";
import { createDocument } from "zod-openapi";
import {
  idempotencyKey,
  problem,
  sendAnswer,
  sendBody,
  sessionAnswer,
  verifyAnswer,
  verifyBody,
} from "./contract.ts";

const json = (schema: z.ZodType) => ({ "application/json": { schema } });
const failure = (description: string) => ({
  description,
  content: { "application/problem+json": { schema: problem } },
});

/** The API document, made from the schemas that validate. */
export function openApiDocument(issuer: string) {
  return createDocument({
    openapi: "3.1.0",
    info: {
      title: "Tollgate",
      version: "1",
      description: "Phone-number verification by one-time code, at the edge.",
    },
    servers: [{ url: issuer }],
    paths: {
      "/v1/send": {
        post: {
          operationId: "send",
          summary: "Send a code, or send the code of a session again",
          security: [{}, { apiKey: [] }],
          requestParams: { header: z.object({ "Idempotency-Key": idempotencyKey }) },
          requestBody: { required: true, content: json(sendBody) },
          responses: {
            "202": { description: "The message is on its way", content: json(sendAnswer) },
            "400": failure("invalid_request"),
            "401": failure("unauthorized"),
            "403": failure("challenge_required, challenge_failed, step_up_required"),
            "410": failure("session_gone (resend)"),
            "413": failure("body_too_large"),
            "415": failure("unsupported_media_type"),
            "422": failure("number_invalid, number_type_refused, country_not_served, idempotency_conflict"),
            "429": failure("too_many_requests, too_many_attempts"),
            "502": failure("delivery_failed"),
            "503": failure("sending_paused"),
          },
        },
      },
      "/v1/verify": {
        post: {
          operationId: "verify",
          summary: "Prove the number with the code",
          security: [{}, { apiKey: [] }],
          requestBody: { required: true, content: json(verifyBody) },
          responses: {
            "200": { description: "Verified; the proof is signed", content: json(verifyAnswer) },
            "400": failure("invalid_request"),
            "401": failure("unauthorized"),
            "410": failure("session_gone"),
            "413": failure("body_too_large"),
            "415": failure("unsupported_media_type"),
            "422": failure("code_incorrect"),
            "429": failure("too_many_attempts"),
          },
        },
      },
      "/v1/session": {
        get: {
          operationId: "session",
          summary: "The state of a session and of its delivery",
          security: [{ session: [] }],
          responses: {
            "200": { description: "The session", content: json(sessionAnswer) },
            "400": failure("invalid_request"),
            "410": failure("session_gone"),
          },
        },
      },
      "/.well-known/jwks.json": {
        get: {
          operationId: "jwks",
          summary: "Public keys of the proofs (RFC 7517)",
          responses: {
            "200": { description: "The key set", content: json(z.object({ keys: z.array(z.object()) })) },
          },
        },
      },
      "/healthz": {
        get: {
          operationId: "health",
          summary: "Configured and running",
          responses: { "200": { description: "Fine", content: json(z.object({ status: z.literal("ok") })) } },
        },
      },
    },
    components: {
      securitySchemes: {
        apiKey: { type: "http", scheme: "bearer", description: "Of a server caller" },
        session: { type: "http", scheme: "bearer", description: "The session token" },
      },
    },
  });
}
