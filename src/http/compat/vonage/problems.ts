/** The one map from a reason to Vonage's problem documents (https://developer.vonage.com/api-errors). */
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Refusal } from "../../../domain/kernel/refusal.ts";

/** A problem as Vonage's clients know it. */
export interface VonageProblem {
  status: ContentfulStatusCode;
  title: string;
  /** The last part of its type. */
  name: string;
  detail: string;
  retryAfterSeconds?: number | undefined;
  more?: Record<string, unknown>;
}

const problem = (
  status: ContentfulStatusCode,
  title: string,
  name: string,
  detail: string,
): VonageProblem => ({ status, title, name, detail });

export const UNAUTHORIZED = problem(
  401,
  "Unauthorized",
  "unauthorized",
  "You did not provide correct credentials.",
);
export const NOT_FOUND = problem(
  404,
  "Not Found",
  "not-found",
  "Request was not found or it has been verified already.",
);
export const INVALID_CODE = problem(
  400,
  "Invalid Code",
  "invalid-code",
  "The code you provided does not match the expected value.",
);
const LOCKED = problem(
  410,
  "Invalid Code",
  "expired",
  "An incorrect code has been provided too many times. Workflow terminated.",
);
const RATE_LIMITED = problem(429, "Rate Limit Hit", "throttled", "Please wait, then retry your request");
export const BROKEN = problem(
  500,
  "Internal error",
  "internal-error",
  "There was an error processing your request in the Platform.",
);
export const TRY_LATER = problem(
  409,
  "Conflict",
  "conflict",
  "The operation cannot be performed at this time. Please try again later.",
);

/** A number that is verified already: the request in progress is named. */
export const conflictWith = (requestId: string): VonageProblem => ({
  ...problem(409, "Conflict", "concurrent", "Concurrent verifications to the same number are not allowed"),
  more: { request_id: requestId },
});

export const invalidParams = (parameters: readonly { name: string; reason: string }[]): VonageProblem => ({
  ...problem(422, "Invalid params", "invalid-params", "The value of one or more parameters is invalid."),
  more: { invalid_parameters: parameters },
});

const badNumber = (reason: string) => invalidParams([{ name: "workflow.0.to", reason }]);
const blocked = () => problem(403, "Forbidden", "forbidden", "The request was blocked for this number.");
const unavailable = () =>
  problem(503, "Service unavailable", "internal-error", "No messages are sent at the moment.");

type Problems = { [Kind in Refusal["kind"]]: (refusal: Extract<Refusal, { kind: Kind }>) => VonageProblem };

const PROBLEMS: Problems = {
  invalid_request: ({ errors }) =>
    invalidParams(errors.map(({ field, reason }) => ({ name: field, reason }))),
  unauthorized: () => UNAUTHORIZED,
  flow_refused: () =>
    problem(403, "Forbidden", "forbidden", "Your account does not have permission to do this."),
  number_invalid: () => badNumber("is not a phone number"),
  number_type_refused: () => badNumber("is not a number that can be verified"),
  country_not_served: () => badNumber("is of a country that is not served"),
  number_unreachable: () => badNumber("gets no messages by this channel"),
  number_opted_out: () => badNumber("asked for no more messages"),
  challenge_required: blocked,
  challenge_failed: blocked,
  step_up_required: blocked,
  too_many_requests: () => RATE_LIMITED,
  idempotency_conflict: () => TRY_LATER,
  in_progress: () => TRY_LATER,
  sending_paused: unavailable,
  delivery_failed: unavailable,
  session_gone: () => NOT_FOUND,
  code_incorrect: ({ attemptsLeft }) => (attemptsLeft === 0 ? LOCKED : INVALID_CODE),
  // The code was right; see the check.
  proof_unavailable: unavailable,
  too_many_attempts: ({ attemptsLeft }) => (attemptsLeft === 0 ? LOCKED : RATE_LIMITED),
};

export function vonageProblem<Kind extends Refusal["kind"]>(
  refusal: Extract<Refusal, { kind: Kind }>,
): VonageProblem {
  const made = (PROBLEMS[refusal.kind as Kind] as (of: typeof refusal) => VonageProblem)(refusal);
  return "retryAfterSeconds" in refusal ? { ...made, retryAfterSeconds: refusal.retryAfterSeconds } : made;
}
