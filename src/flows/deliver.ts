import { tightestRefusal } from "../domain/admission/limits.ts";
import { composeMessage } from "../domain/delivery/message.ts";
import { type MeterReading, passedShares, secondsToNext } from "../domain/delivery/money.ts";
import type { Refusal } from "../domain/reasons.ts";
import type { Channel, SessionView } from "../domain/session/session.ts";
import { minuteOf } from "../domain/watch/cohorts.ts";
import type { Deps } from "../ports.ts";
import type { Ticket } from "./admit.ts";

export interface Delivery {
  sessionId: string;
  correlationId: string;
  to: string;
  country: string;
  channel: Channel;
  /** Marks the message as being sent, in the session, before anything leaves; or says why the session will not. */
  begin: () => Promise<Begun | Refusal>;
}

interface Begun {
  view: SessionView;
  sendIndex: number;
  code: string;
}

/**
 * Takes the message's room, money and limits while the session marks it as being sent, hands it to the provider and writes
 * down what became of it. A crash in here leaves a mark and never a second message; the room it took comes back when its
 * window passes.
 *
 * A message whose fate is unknown counts as sent: it may arrive, it may be billed, and it must not go out twice.
 */
export async function deliver(
  deps: Deps,
  ticket: Ticket,
  { sessionId, correlationId, to, country, channel, begin }: Delivery,
): Promise<{ kind: "delivered"; view: SessionView } | Refusal> {
  const { policy, provider, sessions, budgets, limits, counters, log, nowMs, defer } = deps;
  const { hold, levels, numberTake, slowStart, costMicros } = ticket;
  const giveBack = () => {
    defer(budgets.release(hold), correlationId);
    defer(limits.refund([numberTake]), correlationId);
    ticket.undo();
  };
  const [taken, began] = await Promise.allSettled([take(), begin()]);
  if (taken.status === "rejected" || began.status === "rejected") {
    giveBack();
    throw taken.status === "rejected" ? taken.reason : (began as PromiseRejectedResult).reason;
  }
  const begun = began.value;
  if ("kind" in begun) {
    giveBack();
    return begun;
  }
  if (taken.value.kind !== "taken") {
    giveBack();
    await sessions.settle(sessionId, begun.sendIndex, { status: "refused", provider: null, messageId: null });
    return taken.value;
  }
  alertSpend(deps, taken.value.meters);

  const result = await provider.send({
    to,
    country,
    body: composeMessage(begun.code, channel, policy.message),
    code: begun.code,
    spoken: [...begun.code].join(", "),
    locale: "en",
    channel,
    ttlSeconds: policy.code.ttl_seconds,
    correlationId,
    idempotencyKey: `${sessionId}.${begun.sendIndex}`,
  });
  log(`message_${result.kind}`, {
    correlation_id: correlationId,
    provider: provider.name,
    channel,
    cost_micros: costMicros,
    cause: result.kind === "accepted" ? null : result.cause,
  });
  const lost = result.kind === "unknown" && result.connectionLost;
  // A provider that cannot be reached is an outage, not people who do not answer.
  if (result.kind !== "refused" && !lost) defer(counters.count("sent", minuteOf(nowMs())), correlationId);
  await sessions.settle(sessionId, begun.sendIndex, {
    status: result.kind,
    provider: provider.name,
    messageId: result.kind === "accepted" ? result.messageId : null,
  });
  if (result.kind === "refused") {
    giveBack();
    return { kind: "delivery_failed", cause: result.cause, retryAfterSeconds: result.retryable ? 5 : 60 };
  }
  if (lost) {
    // Room, money and limits stay taken, as for any message that may have left.
    const retryAfterSeconds = policy.resend.wait_seconds[0] ?? 60;
    return { kind: "delivery_failed", cause: result.cause, retryAfterSeconds };
  }
  return { kind: "delivered", view: begun.view };

  /** One round trip: budgets and caps by one script, and the number's own limit. */
  async function take(): Promise<{ kind: "taken"; meters: MeterReading[] } | Refusal> {
    const [reserved, drawn] = await Promise.all([
      budgets.reserve({ levels, hold, slowStart }),
      limits.take([numberTake]),
    ]);
    if (drawn.kind === "unavailable" || reserved.kind === "unavailable") {
      return { kind: "sending_paused", cause: "budgets unavailable", retryAfterSeconds: 30 };
    }
    const limited = tightestRefusal(drawn.results);
    if (limited) {
      return {
        kind: "too_many_requests",
        cause: "limit number",
        retryAfterSeconds: limited.retryAfterSeconds,
      };
    }
    switch (reserved.kind) {
      case "granted":
        return { kind: "taken", meters: reserved.meters };
      case "exhausted":
        return {
          kind: "too_many_requests",
          cause: `lost the last room of ${reserved.level}`,
          retryAfterSeconds: 60,
        };
      case "capped": {
        const { scope, period } = reserved.meter;
        const retryAfterSeconds = secondsToNext(period, nowMs());
        return { kind: "sending_paused", cause: `cap ${scope} ${period}`, retryAfterSeconds };
      }
    }
  }
}

/** People hear of a cap on the way there. */
function alertSpend({ policy, log }: Deps, meters: readonly MeterReading[]): void {
  for (const reading of meters) {
    if (!reading.meter.scope.startsWith("spend:")) continue;
    for (const share of passedShares(reading, policy.money.alert_shares)) {
      const { scope, period, cap } = reading.meter;
      const { currency } = policy.money;
      log("spend_alert", { scope, period, share, total_micros: reading.total, cap_micros: cap, currency });
    }
  }
}
