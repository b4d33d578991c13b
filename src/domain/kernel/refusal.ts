import type { Channel } from "./channel.ts";

/**
 * Every way Tollgate says no, as one closed union; `http/problems.ts` maps each to the wire. The `cause` of a refusal is for
 * the operator's log only: on the wire a limit, a budget and a ban look alike, so that an attacker learns nothing from being
 * stopped.
 */
export type Refusal =
  | { kind: "invalid_request"; errors: FieldError[] }
  /** `errors` names the region where that is no country. */
  | { kind: "number_invalid"; errors?: FieldError[] }
  | { kind: "number_type_refused"; numberType: string }
  | { kind: "country_not_served"; country: string }
  /** A provider knows that the number gets nothing by this channel; `channels` may do instead. */
  | { kind: "number_unreachable"; channels: readonly Channel[] }
  /** The person wants no messages by this channel; `channels` may do instead. */
  | { kind: "number_opted_out"; channels: readonly Channel[] }
  | { kind: "unauthorized"; cause: string }
  /** The key is good, and not for this flow: said to callers of doors for servers alone. */
  | { kind: "flow_refused"; flow: string }
  /** `fresh`: the budgets want one that was solved after this answer. */
  | { kind: "challenge_required"; fresh: boolean; factors: readonly string[] }
  | { kind: "challenge_failed"; cause: string }
  /** Another channel or factor will do instead of a message. */
  | { kind: "step_up_required"; factors: readonly string[] }
  | { kind: "too_many_requests"; cause: string; retryAfterSeconds: number }
  | { kind: "idempotency_conflict" }
  /** An earlier try of the very same request has not ended: nothing is refused yet. */
  | { kind: "in_progress"; cause: string; retryAfterSeconds: number }
  | { kind: "sending_paused"; cause: string; retryAfterSeconds: number }
  /** The code was right, and its proof could not be signed just now. */
  | { kind: "proof_unavailable"; cause: string; retryAfterSeconds: number }
  | { kind: "delivery_failed"; cause: string; retryAfterSeconds: number }
  | { kind: "session_gone"; cause: string }
  | { kind: "code_incorrect"; attemptsLeft: number; retryInSeconds: number }
  | { kind: "too_many_attempts"; attemptsLeft: number; retryAfterSeconds: number };

/** One field of a request that cannot be accepted, named as the client wrote it. */
export interface FieldError {
  field: string;
  reason: string;
}
