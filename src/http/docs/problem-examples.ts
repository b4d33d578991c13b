import type { Refusal } from "../../domain/kernel/refusal.ts";
import { MAX_BODY_BYTES } from "../bound-bodies.ts";
import type { Problem, ProblemCode } from "../contract.ts";
import { type ProblemWire, problemWire, refusalToWire } from "../problems.ts";

/** As wrangler.toml has it for development: Cloudflare's published test key. */
const CAPTCHA = { provider: "turnstile", site_key: "1x00000000000000000000AA", action: "send" } as const;

/** One of each way of saying no. */
const REASONS: { [Kind in Refusal["kind"]]: Extract<Refusal, { kind: Kind }> } = {
  invalid_request: {
    kind: "invalid_request",
    errors: [{ field: "flow", reason: "is not known; known: default, login, signup" }],
  },
  unauthorized: { kind: "unauthorized", cause: "" },
  flow_refused: { kind: "flow_refused", flow: "login" },
  number_invalid: { kind: "number_invalid" },
  number_type_refused: { kind: "number_type_refused", numberType: "premium_rate" },
  country_not_served: { kind: "country_not_served", country: "XX" },
  number_unreachable: { kind: "number_unreachable", channels: ["voice"] },
  number_opted_out: { kind: "number_opted_out", channels: ["whatsapp"] },
  challenge_required: { kind: "challenge_required", fresh: true, factors: ["passkey"] },
  challenge_failed: { kind: "challenge_failed", cause: "" },
  step_up_required: { kind: "step_up_required", factors: ["passkey"] },
  too_many_requests: { kind: "too_many_requests", cause: "", retryAfterSeconds: 60 },
  idempotency_conflict: { kind: "idempotency_conflict" },
  in_progress: { kind: "in_progress", cause: "", retryAfterSeconds: 1 },
  sending_paused: { kind: "sending_paused", cause: "", retryAfterSeconds: 300 },
  proof_unavailable: { kind: "proof_unavailable", cause: "", retryAfterSeconds: 2 },
  delivery_failed: { kind: "delivery_failed", cause: "", retryAfterSeconds: 5 },
  session_gone: { kind: "session_gone", cause: "" },
  code_incorrect: { kind: "code_incorrect", attemptsLeft: 3, retryInSeconds: 2 },
  too_many_attempts: { kind: "too_many_attempts", attemptsLeft: 0, retryAfterSeconds: 600 },
};

/** What no flow says: the wire's own problems. */
const OTHERS = {
  not_found: problemWire(404, "not_found", "There is nothing here"),
  method_not_allowed: problemWire(405, "method_not_allowed", "Not with this method"),
  body_too_large: problemWire(413, "body_too_large", `A body has at most ${MAX_BODY_BYTES} bytes`),
  unsupported_media_type: problemWire(415, "unsupported_media_type", "Send application/json"),
  misconfigured: problemWire(
    500,
    "misconfigured",
    "The service is not configured; its log names the settings",
  ),
  internal_error: problemWire(500, "internal_error", "Something broke on our side"),
} satisfies Partial<Record<ProblemCode, ProblemWire>>;

/** An example of every problem, made by the same map as the answers. */
export const PROBLEM_EXAMPLES = Object.fromEntries(
  [...Object.values(REASONS).map((reason) => refusalToWire(reason, CAPTCHA)), ...Object.values(OTHERS)].map(
    ({ code, title, status, extension }) => [
      code,
      {
        type: `/problems/${code}`,
        title,
        status,
        code,
        correlation_id: "0b8ff2b1-6a62-4b52-9c2c-0e7f0d6a4f11",
        ...extension,
      },
    ],
  ),
) as Record<keyof typeof REASONS | keyof typeof OTHERS, Problem> satisfies Record<ProblemCode, Problem>;
