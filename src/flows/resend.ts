/**
 * Sends the code of a session once more: token, posture, admission, session, delivery, answer. The number comes from
 * the session's token and never from the request; the code stays the same while it is good.
 */
import { drawCode } from "../domain/code.ts";
import { parsePhone } from "../domain/phone.ts";
import type { Refusal } from "../domain/reasons.ts";
import type { Channel } from "../domain/session.ts";
import type { Caller, Deps } from "../ports.ts";
import { admit, challengeWanted } from "./admit.ts";
import { dispatch } from "./dispatch.ts";
import { currentPosture } from "./posture.ts";
import { type Sent, sentAnswer } from "./send.ts";

export interface ResendRequest {
  session: string;
  /** Must be the session's own number where a client repeats it. */
  phone: string | undefined;
  region: string | undefined;
  channel: Channel;
  captchaToken: string | undefined;
}

export async function resend(deps: Deps, request: ResendRequest, caller: Caller): Promise<Sent | Refusal> {
  const { policy, control, sessions, tokens, vault, nowMs } = deps;
  const claims = await tokens.open(request.session);
  if (!claims) return { kind: "session_gone", cause: "token refused" };
  if (request.phone !== undefined && !isSamePhone(request.phone, request.region, claims.phone)) {
    return {
      kind: "invalid_request",
      errors: [{ field: "phone", reason: "is not the number of this session" }],
    };
  }
  const posture = await currentPosture(control, nowMs());
  if (posture === "shutdown") return { kind: "sending_paused", cause: "shutdown", retryAfterSeconds: 300 };
  const challenged = challengeWanted(deps, posture);
  if (challenged && request.captchaToken === undefined) return { kind: "challenge_required" };

  const admitted = await admit(deps, {
    posture,
    caller,
    phone: claims.phone,
    captchaToken: challenged ? (request.captchaToken ?? null) : null,
    retryKey: vault.newId(),
    claim: null,
  });
  if (admitted.kind === "replay") return { kind: "idempotency_conflict" };
  if (admitted.kind !== "admitted") return admitted;

  const { sessionId, correlationId, keyId } = claims;
  const freshCode = drawCode(policy.code.length, vault.randomBytes);
  const [digest, sealed] = await Promise.all([
    vault.digestCode(keyId, sessionId, freshCode),
    vault.sealCode(sessionId, freshCode),
  ]);
  const begun = await sessions.resend(sessionId, request.channel, { digest, sealed }, policy);
  if (begun.kind !== "send") {
    admitted.giveBack();
    if (begun.kind === "gone") return { kind: "session_gone", cause: begun.cause };
    const { retryAfterSeconds } = begun;
    return begun.kind === "locked"
      ? { kind: "too_many_attempts", attemptsLeft: 0, retryAfterSeconds }
      : { kind: "too_many_requests", cause: "resend too soon", retryAfterSeconds };
  }
  const failure = await dispatch(deps, {
    sessionId,
    correlationId,
    sendIndex: begun.sendIndex,
    to: claims.phone,
    code: await vault.unsealCode(sessionId, begun.code.sealed),
    channel: request.channel,
  });
  if (failure) {
    admitted.giveBack();
    return failure;
  }
  return sentAnswer(deps, request.session, claims.phone, begun.view);
}

function isSamePhone(text: string, region: string | undefined, e164: string): boolean {
  const phone = parsePhone(text, region);
  return "e164" in phone && phone.e164 === e164;
}
