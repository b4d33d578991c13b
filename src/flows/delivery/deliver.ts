import { tightestRefusal } from "../../domain/admission/limits.ts";
import type { Source } from "../../domain/admission/source.ts";
import { composeMessage } from "../../domain/delivery/message.ts";
import {
  crossedShares,
  priceOf,
  type SpendReading,
  secondsToNextPeriod,
} from "../../domain/delivery/money.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { spendAlert } from "../../domain/monitor/alert-once.ts";
import { countSent } from "../../domain/monitor/counting.ts";
import { countRulesLeft } from "../../domain/monitor/rule-counts.ts";
import type { SessionView } from "../../domain/session/view.ts";
import type { MessageOwner } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import type { AdmittedRequest } from "../admission/admit.ts";
import { notifyCustomer } from "../publish/notify-customer.ts";
import { recordEvent } from "../publish/record-event.ts";
import { attemptDelivery, untriedFirst } from "./attempt-delivery.ts";
import { settleReceipt, undeliveredResendId } from "./settle-receipt.ts";

export interface DeliveryRequest {
  sessionId: string;
  /** Its token. */
  session: string;
  correlationId: string;
  phone: Phone;
  flow: string;
  /** Language the client asked for. */
  locale: string | null;
  /** The caller's own. */
  reference: string | null;
  /** Who asked. */
  source: Source;
  numberTag: string;
  /** Of a user that a server named. */
  userTag: string | null;
  channel: Channel;
  /** Marks the message as being sent, in the session, before anything leaves; or says why the session will not. */
  begin: () => Promise<Begun | Refusal>;
}

interface Begun {
  view: SessionView;
  sendIndex: number;
  code: string;
  /** Providers of the session's earlier messages: the code did not come by them. */
  tried: readonly string[];
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
  ticket: AdmittedRequest,
  delivery: DeliveryRequest,
): Promise<{ kind: "delivered"; view: SessionView } | Refusal> {
  const { policy, sessions, budgets, limits, counters, log, nowMs, defer } = deps;
  const { hold, levels, leavingTakes, slowStart } = ticket;
  const {
    sessionId,
    correlationId,
    phone,
    flow,
    locale,
    reference,
    source,
    numberTag,
    userTag,
    channel,
    begin,
  } = delivery;
  const giveBack = () => {
    defer(budgets.release(hold), correlationId);
    defer(limits.refund(leavingTakes), correlationId);
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
  alertSpend(deps, taken.value.meters, correlationId);

  const { code, sendIndex, tried } = begun;
  const told = {
    of: `${correlationId}.${sendIndex}`,
    correlationId,
    sessionId,
    flow,
    phone,
    source,
    numberTag,
    userTag,
    channel,
    ...ticket.verdict,
  };
  defer(recordEvent(deps, { ...told, kind: "requested" }), correlationId);
  const ttlSeconds = policy.code.ttl_seconds;
  const said = composeMessage({ code, channel, flow, locale, ttlSeconds }, policy.message);
  const message = {
    to: phone.e164,
    country: phone.country,
    body: said.body,
    code,
    spoken: said.spoken,
    locale: said.locale,
    dlt: said.dlt,
    channel,
    ttlSeconds,
    correlationId,
  };
  const ways = await untriedFirst(deps, ticket.routes, tried, phone.country);
  const idempotencyKey = `${sessionId}.${sendIndex}`;
  const { route, result, handedOverMs, bookings } = await attemptDelivery(
    deps,
    ways,
    message,
    idempotencyKey,
  );

  const atMs = nowMs();
  const minute = minuteOf(atMs);
  const messageId = result.kind === "accepted" ? result.messageId : null;
  const lost = result.kind === "unknown" && result.connectionLost;
  // A provider that cannot be reached is an outage, not people who do not answer.
  const left = result.kind !== "refused" && !lost;
  const costMicros = (result.kind === "accepted" ? result.costMicros : null) ?? route.costMicros;
  const place = { phone, channel, flow, provider: route.provider, asn: source.asn };
  const entries = [
    ...(left ? countSent(place, costMicros, numberTag) : []),
    ...(left ? countRulesLeft(hold.stoppers ?? [], costMicros) : []),
    ...ticket.observed,
  ];
  try {
    await sessions.settle(sessionId, sendIndex, { status: result.kind, provider: route.provider, messageId });
  } catch {
    // What left has left. The session goes on with its mark, which counts as a message.
    log("session_not_settled", { correlation_id: correlationId });
  }
  if (result.kind !== "refused") {
    // A message that was lost may have left, and may be billed: the books have it as sent, with a fate nobody knows.
    const { dlt_micros } = priceOf(deps.prices, phone.country, route.provider, channel);
    const dltMicros = dlt_micros * (channel === "sms" ? said.segments : 1);
    const price = { costMicros: Math.max(0, costMicros - dltMicros), dltMicros };
    const fate = { provider: route.provider, messageId, receipt: result.kind };
    defer(recordEvent(deps, { ...told, kind: "sent", atMs, ...price, ...fate }), correlationId);
    const news = {
      of: `${correlationId}:${sendIndex}`,
      nth: sendIndex,
      atMs,
      facts: { channel, message: sendIndex + 1 },
    };
    const about = { flow, reference, phone: phone.e164 };
    defer(notifyCustomer(deps, "verification.sent", { ...news, correlationId, about }), correlationId);
  } else if (deps.events.samples("delivery_failed")) {
    const { numberTag: _, ...stranger } = told;
    const fate = { provider: route.provider, receipt: result.kind, code: "delivery_failed" };
    defer(recordEvent(deps, { ...stranger, kind: "refused", atMs, ...fate }), correlationId);
  }
  // In the same tick as the receipt's binding: one round trip behind the answer.
  defer(counters.count([...bookings, { minute, entries }]), correlationId);
  if (messageId !== null) {
    const { country } = phone;
    const owner = { sessionId, sendIndex, correlationId, country, channel, minute, handedOverMs };
    defer(expectReceipt(deps, route.provider, messageId, owner, delivery.session), correlationId);
  }
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
  async function take(): Promise<{ kind: "taken"; meters: SpendReading[] } | Refusal> {
    const [reserved, drawn] = await Promise.all([
      budgets.reserve({ levels, hold, slowStart }),
      limits.take(leavingTakes),
    ]);
    if (drawn.kind === "unavailable" || reserved.kind === "unavailable") {
      return { kind: "sending_paused", cause: "budgets unavailable", retryAfterSeconds: 30 };
    }
    const limited = tightestRefusal(drawn.results);
    if (limited) {
      return {
        kind: "too_many_requests",
        cause: `limit ${limited.take.name}`,
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
          observed: { turnedAway: true, entries: ticket.observed },
        };
      case "capped": {
        const { scope, period } = reserved.meter;
        const retryAfterSeconds = secondsToNextPeriod(period, nowMs());
        return { kind: "sending_paused", cause: `cap ${scope} ${period}`, retryAfterSeconds };
      }
    }
  }
}

/** Remembers whose message it is; a receipt that was quicker than the answer counts now. */
async function expectReceipt(
  deps: Deps,
  provider: string,
  messageId: string,
  whose: Omit<MessageOwner, "session">,
  session: string,
): Promise<void> {
  const { correlationId } = whose;
  const sealed = deps.policy.delivery.resend_undelivered
    ? await deps.vault.sealForLedger(undeliveredResendId(whose), session)
    : null;
  const owner = { ...whose, session: sealed };
  const early = await deps.receipts.bind(provider, messageId, owner);
  if (early !== null && "kind" in early) {
    deps.log("receipts_not_expected", { correlation_id: correlationId, provider, cause: early.cause });
  } else if (early !== null) await settleReceipt(deps, provider, early, owner);
  if (deps.providers.get(provider)?.poll) {
    const put = await deps.outbox.put([{ kind: "poll", provider, messageId, tries: 0 }], FIRST_POLL_SECONDS);
    if (put.kind !== "done") {
      deps.log("poll_not_queued", { correlation_id: correlationId, provider, cause: put.cause });
    }
  }
}

/** Most messages have arrived by then. */
const FIRST_POLL_SECONDS = 15;

/** People hear of a cap on the way there. */
function alertSpend(
  { policy, environment, alerts, nowMs, defer }: Deps,
  meters: readonly SpendReading[],
  correlationId: string,
): void {
  const { currency, alert_shares } = policy.money;
  const context = { environment, currency, policy: policy.alerts, nowMs: nowMs() };
  const passed = meters
    .filter(({ meter }) => meter.scope.startsWith("spend:"))
    .flatMap((reading) =>
      crossedShares(reading, alert_shares).map((share) => spendAlert(context, reading, share)),
    );
  if (passed.length > 0) defer(alerts.raise(passed), correlationId);
}
