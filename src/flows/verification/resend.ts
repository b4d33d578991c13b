/**
 * Sends the code of a session once more: token, posture, admission, reservation together with the session, delivery,
 * answer. The number comes from the session's token and never from the request; the code stays the same while it is good.
 */
import { mayUseFlow } from "../../domain/access/api-key.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import { parsePhone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import { drawCode } from "../../domain/session/code.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OpenedToken } from "../../ports/session.ts";
import { admit } from "../admission/admit.ts";
import { captchaWanted } from "../admission/judge-challenge.ts";
import { recognise } from "../admission/recognise.ts";
import { readEffectiveControl, refusePaused, refuseShutdown } from "../control/read-effective-control.ts";
import { deliver } from "../delivery/deliver.ts";
import { recordRefusal } from "../publish/record-refusal.ts";
import { answerSent, type SentAnswer } from "./answer-sent.ts";

export interface ResendInput {
  session: string;
  /** Must be the session's own number where a client repeats it. */
  phone: string | undefined;
  region: string | undefined;
  channel: Channel;
  captchaToken: string | undefined;
  deviceToken: string | undefined;
  deviceId: string | undefined;
}

export async function resend(
  deps: Deps,
  request: ResendInput,
  caller: Caller,
): Promise<SentAnswer | Refusal> {
  const claims = await deps.tokens.open(request.session);
  if (!claims) return { kind: "session_gone", cause: "token refused" };
  const outcome = await resendOnce(deps, request, caller, claims);
  if (outcome.kind !== "sent") {
    const { phone, flow, correlationId } = claims;
    recordRefusal(deps, outcome, { phone, region: undefined, flow }, caller, correlationId);
  }
  return outcome;
}

async function resendOnce(
  deps: Deps,
  request: ResendInput,
  caller: Caller,
  claims: OpenedToken,
): Promise<SentAnswer | Refusal> {
  const { policy, sessions, vault } = deps;
  const { sessionId, correlationId, keyId } = claims;
  if (caller.server && !mayUseFlow(caller.server, claims.flow)) {
    return { kind: "unauthorized", cause: `key ${caller.server.keyId} may not use this flow`, correlationId };
  }
  if (request.phone !== undefined && !isSamePhone(request.phone, request.region, claims.phone)) {
    const errors = [{ field: "phone", reason: "is not the number of this session" }];
    return { kind: "invalid_request", errors, correlationId };
  }
  const standing = await readEffectiveControl(deps);
  const shutDown = refuseShutdown(standing);
  if (shutDown) return { ...shutDown, correlationId };
  if (request.captchaToken === undefined && captchaWanted(deps, standing, caller)) {
    return { kind: "challenge_required", fresh: false, factors: [], correlationId };
  }
  const phone = parsePhone(claims.phone, undefined);
  if ("kind" in phone) return { ...phone, correlationId };
  const paused = refusePaused(standing, { country: phone.country, flow: claims.flow }, deps.nowMs());
  if (paused) return { ...paused, correlationId };

  const { numberTag, olderNumberTags, ownDevice } = await recognise(deps, claims.phone, request.deviceToken);
  const admitted = await admit(deps, {
    correlationId,
    standing,
    caller,
    phone,
    numberTag,
    olderNumberTags,
    flow: claims.flow,
    locale: claims.locale,
    channel: request.channel,
    captchaToken: request.captchaToken ?? null,
    device: ownDevice,
    userTag: null,
    claimedDeviceId: request.deviceId ?? null,
    failureTags: claims.failureTags,
    retryKey: vault.newId(),
    claim: null,
  });
  if (admitted.kind === "replay") return { kind: "idempotency_conflict", correlationId };
  if (admitted.kind === "decoy") {
    const observed = { turnedAway: false, entries: admitted.observed };
    return { kind: "too_many_requests", cause: "risk", retryAfterSeconds: 60, correlationId, observed };
  }
  if (admitted.kind !== "admitted") return { ...admitted, correlationId };

  const freshCode = drawCode(policy.code.length, vault.randomBytes);
  const [digest, sealed] = await Promise.all([
    vault.digestCode(keyId, sessionId, freshCode),
    vault.sealCode(sessionId, freshCode),
  ]);
  const { channel } = request;
  const delivered = await deliver(deps, admitted, {
    sessionId,
    session: request.session,
    correlationId,
    phone,
    flow: claims.flow,
    locale: claims.locale,
    reference: claims.reference,
    source: caller,
    numberTag,
    // What wrong codes are counted under is the number and, where a server named one, the user.
    userTag: claims.failureTags[1] ?? null,
    channel,
    async begin() {
      const command = { channel, fresh: { digest, sealed }, hold: admitted.hold, asn: caller.asn };
      const begun = await sessions.resend(sessionId, command, policy);
      switch (begun.kind) {
        case "send":
          return {
            view: begun.view,
            sendIndex: begun.sendIndex,
            code: await vault.unsealCode(sessionId, begun.code.sealed),
            tried: begun.tried,
          };
        case "gone":
          return { kind: "session_gone", cause: begun.cause };
        case "locked":
          return { kind: "too_many_attempts", attemptsLeft: 0, retryAfterSeconds: begun.retryAfterSeconds };
        case "wait":
          return { ...begun, kind: "too_many_requests", cause: "resend too soon" };
      }
    },
  });
  return delivered.kind === "delivered"
    ? answerSent(deps, request.session, claims.phone, delivered.view, admitted.own)
    : { ...delivered, correlationId };
}

function isSamePhone(text: string, region: string | undefined, e164: string): boolean {
  const phone = parsePhone(text, region);
  return "e164" in phone && phone.e164 === e164;
}
