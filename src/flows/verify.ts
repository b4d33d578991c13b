/**
 * Judges a code: token (no I/O), one call to the session object, and on success a signed proof. Counting goes on behind
 * the answer, and a silent counter never stops a verification.
 */
import { addressUnit } from "../domain/address.ts";
import { minuteOf } from "../domain/cohorts.ts";
import { wrongCodeLimit } from "../domain/limits.ts";
import type { Refusal } from "../domain/reasons.ts";
import type { Caller, Deps } from "../ports.ts";

export interface VerifyRequest {
  session: string;
  code: string;
  reference: string | undefined;
}

export interface Verified {
  kind: "verified";
  proof: string;
  phone: string;
  correlationId: string;
}

export async function verify(
  deps: Deps,
  request: VerifyRequest,
  caller: Caller,
): Promise<Verified | Refusal> {
  const { policy, sessions, tokens, vault, proofs, limits, counters, log, nowMs, defer } = deps;
  const claims = await tokens.open(request.session);
  if (!claims) return { kind: "session_gone", cause: "token refused" };
  const { sessionId, correlationId, flow, phone, reference } = claims;
  if ((request.reference ?? null) !== reference) {
    return { kind: "session_gone", cause: "another reference", correlationId };
  }

  const digest = await vault.digestCode(claims.keyId, sessionId, request.code);
  const result = await sessions.attempt(sessionId, digest, policy);
  log(`attempt_${result.kind}`, { correlation_id: correlationId, flow });
  switch (result.kind) {
    case "gone":
      return { kind: "session_gone", cause: result.cause, correlationId };
    case "locked":
      return { ...result, kind: "too_many_attempts", attemptsLeft: 0, correlationId };
    case "wait":
      return { ...result, kind: "too_many_attempts", correlationId };
    case "incorrect":
      defer(countWrongCode());
      return { ...result, kind: "code_incorrect", correlationId };
    case "verified": {
      defer(counters.count("verified", minuteOf(result.sentAtMs)));
      const audience = policy.flows[flow]?.audience ?? policy.proof.audience;
      const proof = await proofs.sign(
        { phone, flow, audience, channel: result.channel, reference, correlationId },
        nowMs(),
      );
      return { kind: "verified", proof, phone, correlationId };
    }
  }

  async function countWrongCode(): Promise<void> {
    const ip = await vault.tag("ip", addressUnit(caller.ip) ?? "unknown");
    await limits.take([wrongCodeLimit(policy.limits, ip)]);
  }
}
