import type { Deadline, Refusal } from "../client.ts";
import type { Words } from "./words/words.ts";

/** Why a person is stopped: what the service said, or what is seen here before it is asked. */
export type Trouble =
  | Refusal
  | { kind: "number_missing" | "code_incomplete" | "expired" | "challenge_unavailable" };

export interface Explained {
  text: string;
  /** When trying again may help. */
  retry: Deadline | null;
}

/** Puts a trouble into words a person understands. The service's own words are for logs and are not used. */
export function explain(trouble: Trouble, words: Words): Explained {
  const retry = "retry" in trouble && !trouble.retry.isOver() && !endsSession(trouble) ? trouble.retry : null;
  return { text: sentence(trouble, words), retry };
}

/** Whether nothing is left of a session but to ask for a new code. */
export function endsSession(trouble: Trouble): boolean {
  return trouble.kind === "session_gone" || ("attemptsLeft" in trouble && trouble.attemptsLeft === 0);
}

/** Whether it is the number itself that will not do. */
export const isOfNumber = ({ kind }: Trouble): boolean => /^(number|country)_/.test(kind);

const UNSETTLED: readonly string[] = [
  "aborted",
  "challenge_failed",
  "challenge_required",
  "challenge_unavailable",
  "in_progress",
  "internal_error",
  "misconfigured",
  "proof_unavailable",
  "sending_paused",
  "too_many_requests",
  "unreachable",
  "unreadable",
] satisfies Trouble["kind"][];

/** Whether the same request is to be made again under the same idempotency key, because its answer is still to come. */
export const isUnsettled = ({ kind }: { kind: string }): boolean => UNSETTLED.includes(kind);

function sentence(trouble: Trouble, words: Words): string {
  const { kind } = trouble;
  switch (kind) {
    case "code_incorrect":
    case "too_many_attempts":
      return trouble.attemptsLeft === 0 ? words.locked : words[kind];
    case "invalid_request":
      return trouble.errors.some(({ field }) => field === "phone") ? words.number_invalid : words.broken;
    // A demand after a demand: the token that the first one got was not good enough.
    case "challenge_required":
    case "challenge_unavailable":
      return words.challenge_failed;
    case "number_unreachable":
      return words.number_type_refused;
    case "expired":
      return words.session_gone;
    default:
      return kind in words ? words[kind as keyof Words] : words.broken;
  }
}
