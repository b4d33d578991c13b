/**
 * The one map from a reason to the wire (RFC 9457). What the operator may know (causes, types, limits) stays in the log:
 * suspicion looks like an ordinary limit, and unknown, expired and used sessions look alike.
 */
import type { Context } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { CaptchaPolicy } from "../domain/admission/captcha.policy.ts";
import type { Refusal } from "../domain/kernel/refusal.ts";
import type { Problem, ProblemCode } from "./contract.ts";

type Extension = Omit<Problem, "type" | "title" | "status" | "code" | "correlation_id">;

export interface ProblemWire {
  status: ContentfulStatusCode;
  code: ProblemCode;
  title: string;
  extension: Extension;
}

/** What a client has to know of the CAPTCHA. */
type Renderable = Pick<CaptchaPolicy, "provider" | "site_key" | "fresh_site_key" | "action">;

/** Causes are for the log alone. */
export function refusalToWire(refusal: Refusal, captcha: Renderable): ProblemWire {
  switch (refusal.kind) {
    case "invalid_request":
      return problemWire(400, refusal.kind, "The request cannot be read", { errors: refusal.errors });
    case "unauthorized":
      return problemWire(401, refusal.kind, "This key opens nothing here");
    case "flow_refused":
      return problemWire(403, refusal.kind, "This key is not for this flow");
    case "number_invalid":
      return problemWire(
        422,
        refusal.kind,
        "This is not a phone number that exists",
        refusal.errors && { errors: refusal.errors },
      );
    case "number_type_refused":
      return problemWire(422, refusal.kind, "This kind of number cannot get a code");
    case "country_not_served":
      return problemWire(422, refusal.kind, "Numbers of this country are not served");
    case "number_unreachable":
      return problemWire(422, refusal.kind, "This number gets no messages by this channel", {
        channels: [...refusal.channels],
      });
    case "number_opted_out":
      return problemWire(422, refusal.kind, "The owner of this number asked for no more messages", {
        channels: [...refusal.channels],
      });
    case "challenge_required":
      return problemWire(403, refusal.kind, "Solve the challenge and send its token", {
        challenge: renderable(captcha, refusal.fresh),
        ...(refusal.factors.length > 0 ? { step_up: { factors: [...refusal.factors] } } : {}),
      });
    case "challenge_failed":
      return problemWire(403, refusal.kind, "The challenge was not passed; solve a new one", {
        challenge: renderable(captcha, false),
      });
    case "step_up_required":
      return problemWire(403, refusal.kind, "Use another way to prove who you are", {
        step_up: { factors: [...refusal.factors] },
      });
    case "too_many_requests":
      return problemWire(429, refusal.kind, "Too many requests", { retry_after: refusal.retryAfterSeconds });
    case "idempotency_conflict":
      return problemWire(422, refusal.kind, "This idempotency key belongs to another request");
    case "in_progress":
      return problemWire(409, refusal.kind, "The first try of this request has not ended; repeat it", {
        retry_after: refusal.retryAfterSeconds,
      });
    case "sending_paused":
      return problemWire(503, refusal.kind, "No codes are sent at the moment", {
        retry_after: refusal.retryAfterSeconds,
      });
    case "proof_unavailable":
      return problemWire(503, refusal.kind, "The code was right; its proof cannot be signed just now", {
        retry_after: refusal.retryAfterSeconds,
      });
    case "delivery_failed":
      return problemWire(502, refusal.kind, "The message could not be handed over", {
        retry_after: refusal.retryAfterSeconds,
      });
    case "session_gone":
      return problemWire(410, refusal.kind, "This session is over; ask for a new code");
    case "code_incorrect":
      return problemWire(422, refusal.kind, "The code is not right", {
        attempts_left: refusal.attemptsLeft,
        retry_in_seconds: refusal.retryInSeconds,
      });
    case "too_many_attempts":
      return problemWire(429, refusal.kind, "Too many attempts", {
        attempts_left: refusal.attemptsLeft,
        retry_after: refusal.retryAfterSeconds,
      });
  }
}

export function problemWire(
  status: ContentfulStatusCode,
  code: ProblemCode,
  title: string,
  extension: Extension = {},
): ProblemWire {
  return { status, code, title, extension };
}

/** Answers a problem. */
export function answerProblem(
  c: Context,
  { status, code, title, extension }: ProblemWire,
  correlationId: string,
) {
  const body: Problem = {
    type: `/problems/${code}`,
    title,
    status,
    code,
    correlation_id: correlationId,
    ...extension,
  };
  // RFC 9110 section 15.5.2: a 401 says how to authenticate.
  if (status === 401) c.header("WWW-Authenticate", 'Bearer error="invalid_token"');
  if (extension.retry_after !== undefined) c.header("Retry-After", String(extension.retry_after));
  return c.body(JSON.stringify(body), status, { "content-type": "application/problem+json" });
}

function renderable(captcha: Renderable, fresh: boolean): NonNullable<Problem["challenge"]> {
  const { provider, site_key, fresh_site_key, action } = captcha;
  return { provider, site_key: (fresh ? fresh_site_key : undefined) ?? site_key, action, fresh };
}
