import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OutboxMessage } from "../../ports/outbox.ts";
import type { FeedbackSent } from "../delivery/send-feedback.ts";
import { resend } from "./resend.ts";

/**
 * Sends the code of an undelivered message once more, for whoever asked first and as if they asked again: posture, limits,
 * budgets and caps decide, another route goes first, and what leaves is booked as a message of its own. Nothing is sent when
 * the person has verified or asked again meanwhile, or the session is over.
 */
export async function resendUndelivered(
  deps: Deps,
  { of, session: sealed, correlationId }: Extract<OutboxMessage, { kind: "resend" }>,
): Promise<FeedbackSent> {
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
  const request = {
    session,
    phone: undefined,
    region: undefined,
    channel: view.channel,
    captchaToken: undefined,
    deviceToken: undefined,
    deviceId: undefined,
  };
  const outcome = await resend(deps, request, caller);
  log("undelivered_resent", { correlation_id: correlationId, outcome: outcome.kind });
  return { kind: "delivered" };
}
