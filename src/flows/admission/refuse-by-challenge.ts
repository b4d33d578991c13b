/** The rules of CAPTCHA tokens: when one is wanted, how much one counts, and who must bring a fresh one. */
import { UNIT_HUNDREDTHS } from "../../domain/admission/exposure.ts";
import type { Signals } from "../../domain/admission/signals.ts";
import type { Posture } from "../../domain/kernel/posture.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { Caller, ChallengeResult } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Recalled } from "../../ports/people.ts";
import type { EffectiveControl } from "../control/read-effective-control.ts";
import type { AdmissionRequest } from "./request.ts";

/** True when this policy, or the posture, wants a CAPTCHA token from this caller at all. */
export function captchaWanted(
  { policy }: Pick<Deps, "policy">,
  { rules }: EffectiveControl,
  caller: Caller,
): boolean {
  if (caller.server?.skipCaptcha) return false;
  return policy.challenge === "always" || rules?.challenge === "always";
}

/**
 * Refuses callers whose token failed, and everybody while no token can be checked; only an outage of the issuer's lets
 * others pass, in the normal posture and where the policy says so.
 *
 * @param answer null where no token was brought
 * @returns null where the request may go on
 */
export function refuseByChallenge(
  answer: ChallengeResult | null,
  posture: Posture,
  onOutage: "refuse" | "allow_clean",
): Refusal | null {
  if (answer === null || answer.kind === "passed") return null;
  if (answer.kind === "failed") return { kind: "challenge_failed", cause: answer.cause };
  if (answer.kind === "misconfigured") {
    return { kind: "sending_paused", cause: answer.cause, retryAfterSeconds: 300 };
  }
  const clean = posture === "normal" && onOutage === "allow_clean";
  return clean ? null : { kind: "sending_paused", cause: "challenge unavailable", retryAfterSeconds: 30 };
}

/** True for a token that nobody could check: whoever brought it has done nothing wrong. */
export const isOurFault = ({ kind }: Refusal): boolean => kind === "sending_paused";

/**
 * Grades a token: it is fresh when it was solved after we demanded it, or comes from the widget that only demands use. There
 * is no slack for clocks: it would let one token, sent twice under one idempotency key, count as two.
 */
export function gradeChallengeAnswer(
  answer: ChallengeResult | null,
  { askedAtMs }: Recalled,
  ownWidget: boolean,
): Signals["challenge"] {
  if (answer?.kind !== "passed") return "none";
  if (ownWidget) return answer.grade;
  if (askedAtMs === null || answer.solvedAtMs === null) return "ordinary";
  return answer.solvedAtMs >= askedAtMs ? "fresh" : "ordinary";
}

/** Names what demands a fresh challenge of this caller, whatever the budgets say: the posture, the policy, or nothing. */
export function challengeDemandedBy(
  { policy }: Pick<Deps, "policy">,
  { control, channel, caller }: AdmissionRequest,
  { proven }: Signals["readings"],
): Signals["challengeDemanded"] {
  if (caller.server?.skipCaptcha) return null;
  const { channels, from_unverified } = policy.captcha.demand;
  if (control.rules?.fresh_challenge) return "posture";
  const unverified = proven.find(({ level }) => level.name === "address")?.unverified ?? 0;
  const many = from_unverified !== null && unverified >= from_unverified * UNIT_HUNDREDTHS;
  return many || channels.includes(channel) ? "policy" : null;
}
