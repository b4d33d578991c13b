import { minuteOf } from "../domain/cohorts.ts";
import { composeMessage } from "../domain/message.ts";
import type { Refusal } from "../domain/reasons.ts";
import type { Channel } from "../domain/session.ts";
import type { Deps } from "../ports.ts";

export interface Dispatch {
  sessionId: string;
  correlationId: string;
  sendIndex: number;
  to: string;
  code: string;
  channel: Channel;
}

/**
 * Hands one message of an open session to the provider and writes down what became of it. The session already says
 * "sending", so a crash in here leaves a trace and never a second message.
 *
 * A message whose fate is unknown counts as sent: it may arrive, it may be billed, and it must not go out twice.
 *
 * @returns null when the message left or may have left
 */
export async function dispatch(
  { policy, provider, sessions, counters, log, nowMs, defer }: Deps,
  { sessionId, correlationId, sendIndex, to, code, channel }: Dispatch,
): Promise<Refusal | null> {
  const result = await provider.send({
    to,
    body: composeMessage(code, channel, policy.message),
    channel,
    correlationId,
    idempotencyKey: `${sessionId}.${sendIndex}`,
  });
  await sessions.settle(sessionId, sendIndex, {
    status: result.kind,
    provider: provider.name,
    messageId: result.kind === "accepted" ? result.messageId : null,
  });
  const cause = result.kind === "accepted" ? null : result.cause;
  log(`message_${result.kind}`, { correlation_id: correlationId, provider: provider.name, channel, cause });
  if (result.kind === "refused") {
    return { kind: "delivery_failed", cause: result.cause, retryAfterSeconds: result.retryable ? 5 : 60 };
  }
  defer(counters.count("sent", minuteOf(nowMs())));
  return null;
}
