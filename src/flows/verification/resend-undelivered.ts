import type { Caller } from "../../ports/admission.ts";
import type { OutboxMessage } from "../../ports/outbox.ts";
import type { QueuedWorkResult } from "../delivery/send-feedback.ts";
import { type ResendNeeds, resend } from "./resend.ts";

/**
 * Sends the code of an undelivered message once more, as if its person asked again: posture, limits, budgets and caps decide,
 * another route goes first, and the message is counted as one of its own. Nothing is sent when the person has verified or
 * asked again meanwhile, or the session is over.
 */
export async function resendUndelivered(
  deps: ResendNeeds,
  { of, session: sealed, correlationId }: Extract<OutboxMessage, { kind: "resend" }>,
): Promise<QueuedWorkResult> {
  const { policy, tokens, sessions, vault, log } = deps;
  const session = await vault.unsealFromLedger(of, sealed);
  const claims = session === null ? null : await tokens.open(session);
  if (session === null || claims === null || claims.source === null) return { kind: "delivered" };
  const view = await sessions.view(claims.sessionId, policy);
  if (view?.status !== "pending" || view.delivery !== "undelivered") return { kind: "delivered" };
  const caller: Caller = {
    ...claims.source,
    // There is nobody to solve a challenge; the budgets of strangers decide as they are.
    server: {
      keyId: "undelivered",
      flows: [claims.flow],
      skipCaptcha: true,
      maxPerMinute: policy.limits.service_per_minute,
    },
  };
  const input = {
    session,
    phone: undefined,
    region: undefined,
    channel: view.channel,
    captchaToken: undefined,
    deviceToken: undefined,
    deviceId: undefined,
    isAutomatic: true,
  };
  const answer = await resend(deps, input, caller);
  log("undelivered_resent", { correlation_id: correlationId, outcome: answer.kind });
  return { kind: "delivered" };
}
