/** The one map from a reason to Twilio's error codes (https://www.twilio.com/docs/api/errors). */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Refusal } from "../../../domain/kernel/refusal.ts";

/** An error as Twilio's clients know it. */
export interface TwilioError {
  status: ContentfulStatusCode;
  code: number;
  message: string;
  retryAfterSeconds?: number | undefined;
}

const error = (status: ContentfulStatusCode, code: number, message: string): TwilioError => ({
  status,
  code,
  message,
});

export const NOT_FOUND = error(404, 20404, "The requested resource was not found");
export const BROKEN = error(500, 20500, "Internal server error");

/** Where the vendor says "try again": a check is never a fault of the server's. */
export const TRY_AGAIN = error(429, 20429, "Too many requests");

export const invalidParameter = (what: string): TwilioError =>
  error(400, 60200, `Invalid parameter: ${what}`);

type Errors = { [Kind in Refusal["kind"]]: (refusal: Extract<Refusal, { kind: Kind }>) => TwilioError };

const ERRORS: Errors = {
  invalid_request: ({ errors }) =>
    invalidParameter(errors.map(({ field, reason }) => `${field} ${reason}`).join("; ")),
  unauthorized: () => error(401, 20003, "Authenticate"),
  flow_refused: () => error(403, 20003, "Permission denied"),
  number_invalid: () => invalidParameter("`To` is not a phone number"),
  number_type_refused: ({ numberType }) =>
    numberType === "fixed_line"
      ? error(400, 60205, "SMS is not supported by landline phone number")
      : invalidParameter("`To` is not a number that can be verified"),
  country_not_served: () => error(403, 60605, "Verification delivery attempt blocked"),
  number_unreachable: () => error(400, 21614, "'To' number is not a valid mobile number"),
  number_opted_out: () => error(400, 21610, "Attempt to send to unsubscribed recipient"),
  challenge_required: () => error(403, 60410, "Verification delivery attempt blocked"),
  challenge_failed: () => error(403, 60410, "Verification delivery attempt blocked"),
  step_up_required: () => error(403, 60410, "Verification delivery attempt blocked"),
  too_many_requests: () => error(429, 60203, "Max send attempts reached"),
  idempotency_conflict: () => TRY_AGAIN,
  in_progress: () => TRY_AGAIN,
  sending_paused: () => error(503, 20503, "Service unavailable"),
  delivery_failed: () => error(503, 20503, "Service unavailable"),
  session_gone: () => NOT_FOUND,
  // A wrong code is an answer and no error at Twilio's; see `check`.
  code_incorrect: () => NOT_FOUND,
  // The code was right; see `check`.
  proof_unavailable: () => TRY_AGAIN,
  too_many_attempts: () => error(429, 60202, "Max check attempts reached"),
};

export function twilioError<Kind extends Refusal["kind"]>(
  refusal: Extract<Refusal, { kind: Kind }>,
): TwilioError {
  const made = (ERRORS[refusal.kind as Kind] as (of: typeof refusal) => TwilioError)(refusal);
  return "retryAfterSeconds" in refusal ? { ...made, retryAfterSeconds: refusal.retryAfterSeconds } : made;
}
