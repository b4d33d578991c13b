/** The gateway in the API document. */
import * as z from "zod";
import type { ZodOpenApiPathsObject } from "zod-openapi";
import { idempotencyKey } from "../contract.ts";
import { deliverAnswer, deliverBody, deliverVerifiedAnswer, deliverVerifiedBody } from "../deliver.ts";
import {
  DELIVER_ANSWER,
  DELIVER_REQUESTS,
  DELIVER_VERIFIED_ANSWER,
  DELIVER_VERIFIED_REQUESTS,
} from "./examples.ts";
import { failures, json } from "./operations.ts";

export const gatewayPaths: ZodOpenApiPathsObject = {
  "/v1/deliver": {
    post: {
      operationId: "deliver",
      tags: ["Gateway"],
      summary: "Deliver a code that your own system made",
      description:
        "The number, limits, budgets and routes are judged as for a send; the code is delivered as it is. The same code for the same number within ten minutes is the same delivery.",
      security: [{ apiKey: [] }],
      requestParams: { header: z.object({ "Idempotency-Key": idempotencyKey }) },
      requestBody: {
        required: true,
        content: { "application/json": { schema: deliverBody, examples: DELIVER_REQUESTS } },
      },
      responses: {
        "202": { description: "The message is on its way", content: json(deliverAnswer, DELIVER_ANSWER) },
        ...failures(
          "invalid_request",
          "unauthorized",
          "flow_refused",
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
          "internal_error",
          "misconfigured",
          "delivery_failed",
          "sending_paused",
        ),
      },
    },
  },
  "/v1/deliver/verified": {
    post: {
      operationId: "deliverVerified",
      tags: ["Gateway"],
      summary: "Say that a delivered code was typed",
      description:
        "Without this news a delivery counts as unanswered. Name it by its `correlation_id`, or by its number and code.",
      security: [{ apiKey: [] }],
      requestBody: {
        required: true,
        content: { "application/json": { schema: deliverVerifiedBody, examples: DELIVER_VERIFIED_REQUESTS } },
      },
      responses: {
        "200": { description: "Known", content: json(deliverVerifiedAnswer, DELIVER_VERIFIED_ANSWER) },
        ...failures(
          "invalid_request",
          "unauthorized",
          "flow_refused",
          "session_gone",
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
};
