import { addressUnit } from "../domain/address.ts";
import { type LimitTake, sendLimits, tightestRefusal } from "../domain/limits.ts";
import type { Posture } from "../domain/posture.ts";
import type { Refusal } from "../domain/reasons.ts";
import type { Caller, ChallengeResult, Deps } from "../ports.ts";

export interface Admission {
  posture: Posture;
  caller: Caller;
  phone: string;
  /** To be checked; null where the policy asks for none. */
  captchaToken: string | null;
  /** UUID under which the very same request may check its token again. */
  retryKey: string;
  /** The idempotency key, already hashed, and the value that claims it for this request. */
  claim: { key: string; value: string } | null;
}

export type Admitted =
  | { kind: "admitted"; giveBack: () => void }
  /** An earlier request with the same idempotency key holds it. */
  | { kind: "replay"; value: string }
  | Refusal;

/** True when this policy, in this posture, wants a CAPTCHA from a public client. */
export function challengeWanted({ policy }: Deps, posture: Posture): boolean {
  return policy.challenge.mode === "always" || posture === "emergency";
}

/**
 * Lets a request through to the decision, or not: CAPTCHA, rate limits and the idempotency key are asked at once, in one
 * round trip to each service, and judged together afterwards. Whatever was drawn from a destination's limits is given
 * back when the request goes no further.
 */
export async function admit(deps: Deps, admission: Admission): Promise<Admitted> {
  const { policy, limits, claims, challenge, vault, log, defer } = deps;
  const { posture, caller, captchaToken, claim } = admission;
  const [number, ip] = await Promise.all([
    vault.tag("number", admission.phone),
    vault.tag("ip", addressUnit(caller.ip) ?? "unknown"),
  ]);
  const takes = sendLimits(policy.limits, posture, { number, ip });
  const [drawn, held, answer] = await Promise.all([
    limits.take(takes),
    claim ? claims.claim(claim.key, claim.value, policy.code.session_seconds) : null,
    captchaToken === null
      ? ({ kind: "passed" } satisfies ChallengeResult)
      : challenge.verify(captchaToken, caller.ip, admission.retryKey),
  ]);

  if (drawn.kind === "unavailable" || held?.kind === "unavailable") {
    const cause = drawn.kind === "unavailable" ? drawn.cause : "idempotency store silent";
    log("limits_unavailable", { cause });
    return { kind: "sending_paused", cause: "limits unavailable", retryAfterSeconds: 30 };
  }
  const taken = drawn.results.filter(({ allowed, take }) => allowed && !take.peek).map(({ take }) => take);
  const giveBack = (which: (take: LimitTake) => boolean) => defer(limits.refund(taken.filter(which)));

  if (claim && held && held.value !== claim.value) {
    giveBack(() => true);
    return { kind: "replay", value: held.value };
  }
  const undo = () => {
    giveBack((take) => take.owner !== "caller");
    if (claim) defer(claims.release(claim.key));
  };
  const refusal = tightestRefusal(drawn.results);
  if (refusal) {
    undo();
    return {
      kind: "too_many_requests",
      cause: `limit ${refusal.take.name}`,
      retryAfterSeconds: refusal.retryAfterSeconds,
    };
  }
  const failure = judgeChallenge(answer, posture, policy.challenge.on_outage);
  if (failure) {
    undo();
    return failure;
  }
  return { kind: "admitted", giveBack: undo };
}

function judgeChallenge(
  answer: ChallengeResult,
  posture: Posture,
  onOutage: "refuse" | "allow_clean",
): Refusal | null {
  if (answer.kind === "passed") return null;
  if (answer.kind === "failed") return { kind: "challenge_failed", cause: answer.cause };
  const clean = posture === "normal" && onOutage === "allow_clean";
  return clean ? null : { kind: "sending_paused", cause: "challenge unavailable", retryAfterSeconds: 30 };
}
