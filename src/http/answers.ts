/** What the flows found out, in the wire's words. */

import type { SessionView } from "../domain/session/view.ts";
import type { SentAnswer } from "../flows/verification/publish-and-answer.ts";
import type { VerifiedAnswer } from "../flows/verification/verify.ts";
import type { SendAnswer, SessionAnswer, VerifyAnswer } from "./contract.ts";

export const sentToWire = (sent: SentAnswer): SendAnswer => ({
  session: sent.session,
  correlation_id: sent.correlationId,
  channel: sent.channel,
  masked_phone: sent.maskedPhone,
  code_length: sent.codeLength,
  expires_in_seconds: sent.expiresInSeconds,
  resend_in_seconds: sent.resendInSeconds,
  attempts_left: sent.attemptsLeft,
  next_channels: sent.nextChannels.map(({ channel, availableInSeconds }) => ({
    channel,
    available_in_seconds: availableInSeconds,
  })),
});

export const verifiedToWire = (verified: VerifiedAnswer): VerifyAnswer => ({
  status: "verified",
  device_token: verified.deviceToken,
  proof: verified.proof,
  phone: verified.phone,
  correlation_id: verified.correlationId,
});

export const sessionStatusToWire = (view: SessionView): SessionAnswer => ({
  status: view.status === "gone" ? "locked" : view.status,
  delivery: view.delivery,
  correlation_id: view.correlationId,
  channel: view.channel,
  sends: view.sends,
  attempts_left: view.attemptsLeft,
  expires_in_seconds: view.expiresInSeconds,
  resend_in_seconds: view.resendInSeconds,
});
