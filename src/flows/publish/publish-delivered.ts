import type { VerdictSummary } from "../../domain/admission/risk.ts";
import { CONSEQUENCES, refusalMemorySeconds } from "../../domain/delivery/judgement.ts";
import { crossedShares, type SpendReading } from "../../domain/delivery/money.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { spendAlert } from "../../domain/monitor/alert-once.ts";
import {
  countDeliveryAttemptTime,
  countDeliveryFate,
  countFraudVerdict,
  countSent,
  countUnreported,
} from "../../domain/monitor/counting.ts";
import { countSentDespiteRules } from "../../domain/monitor/rule-counts.ts";
import type { CounterUpdate } from "../../domain/monitor/tally.ts";
import type { DeliveryResult } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import { alertContext } from "./alert-context.ts";
import type { BegunMessage, Delivered, RequestSummary, RouteAttempt } from "./facts.ts";
import { type GiveBackNeeds, giveBack } from "./give-back.ts";
import { type CustomerNeeds, notifyCustomer } from "./notify-customer.ts";
import { type LedgerOccurrence, recordEvent } from "./record-event.ts";

export type DeliveredNeeds = GiveBackNeeds &
  CustomerNeeds &
  Pick<Deps, "environment" | "events" | "marks" | "vault" | "alerts">;

/**
 * Publishes a message that was handed over: its attempts, its rows, its price, and its event for the customer. It is counted with
 * its binding, see `expectReceipt`.
 */
export function publishDelivered(deps: DeliveredNeeds, request: RequestSummary, fact: Delivered): void {
  const { log, defer } = deps;
  const { correlationId } = request;
  for (const attempt of fact.attempts) logAttempt(deps, correlationId, attempt);
  if (!fact.sessionSettled) log("session_not_settled", { correlation_id: correlationId });
  alertSpend(deps, fact.meters, correlationId);
  defer(recordEvent(deps, ...ledgerEvents(deps, request, fact)), correlationId);
  if (fact.decisive.result.kind !== "refused") defer(notifySent(deps, request, fact), correlationId);
  rememberRefusal(deps, correlationId, fact);
  giveBack(deps, fact.giveBack ?? undefined, correlationId);
}

/** Keeps that a number gets nothing by this channel, so that nobody pays to hear it again. */
function rememberRefusal(
  { policy, marks, defer }: Pick<DeliveredNeeds, "policy" | "marks" | "defer">,
  correlationId: string,
  { message, decisive: { result } }: Delivered,
): void {
  const refusal = result.kind === "refused" ? CONSEQUENCES[result.judgement].remembers : null;
  if (refusal === null) return;
  const seconds = refusalMemorySeconds(refusal, policy.delivery);
  if (seconds === 0) return;
  defer(marks.refuseNumber(message.numberTag, [message.channel], refusal, seconds), correlationId);
}

function logAttempt(
  { log }: Pick<Deps, "log">,
  correlationId: string,
  { route, result, handedOverMs, answeredMs }: RouteAttempt,
): void {
  log(`message_${result.kind}`, {
    correlation_id: correlationId,
    provider: route.provider,
    channel: route.channel,
    cost_micros: route.costMicros,
    // In a Worker the clock moves with I/O alone: this is the provider's time, and none of ours.
    took_ms: answeredMs - handedOverMs,
    cause: result.kind === "accepted" ? null : result.cause,
    judgement: result.kind === "refused" ? result.judgement : null,
  });
}

/** Alerts people to a spend cap that is near. */
function alertSpend(
  { policy, environment, alerts, nowMs, defer }: DeliveredNeeds,
  meters: readonly SpendReading[],
  correlationId: string,
): void {
  const context = alertContext({ policy, environment }, nowMs());
  const passed = meters
    .filter(({ meter }) => meter.scope.startsWith("spend:"))
    .flatMap((reading) =>
      crossedShares(reading, policy.money.alert_shares).map((share) => spendAlert(context, reading, share)),
    );
  if (passed.length > 0) defer(alerts.raise(passed), correlationId);
}

function ledgerEvents(
  { events }: Pick<Deps, "events">,
  request: RequestSummary,
  { message, verdict, decisive, atMs, costMicros, dltMicros, failure }: Delivered,
): LedgerOccurrence[] {
  const requested = requestedEvent(request, message, verdict);
  const { route, result } = decisive;
  const fate = { atMs, provider: route.provider, receipt: result.kind };
  if (result.kind !== "refused") {
    // A message that was lost may have left, and may be billed: the books have it as sent, with a fate nobody knows.
    const price = { costMicros: Math.max(0, costMicros - dltMicros), dltMicros };
    return [requested, { ...requested, kind: "sent", ...fate, ...price, messageId: messageIdOf(result) }];
  }
  if (!events.samples("delivery_failed")) return [requested];
  const { numberTag: _, ...stranger } = requested;
  return [requested, { ...stranger, kind: "refused", ...fate, code: failure?.kind ?? "delivery_failed" }];
}

/** The ledger's event of a request that was let through, with its verdict. */
export function requestedEvent(
  { correlationId, flow, source }: RequestSummary,
  { sessionId, sendIndex, phone, channel, numberTag, userTag, begunAtMs }: BegunMessage,
  verdict: VerdictSummary,
): LedgerOccurrence {
  return {
    kind: "requested",
    of: `${correlationId}.${sendIndex}`,
    atMs: begunAtMs,
    correlationId,
    sessionId,
    flow,
    phone,
    source,
    numberTag,
    userTag,
    channel,
    ...verdict,
  };
}

function notifySent(
  deps: CustomerNeeds,
  { correlationId, flow }: RequestSummary,
  { message, atMs }: Delivered,
): Promise<void> {
  const { sendIndex, reference, phone, channel } = message;
  return notifyCustomer(deps, "verification.sent", {
    of: `${correlationId}:${sendIndex}`,
    nth: sendIndex,
    atMs,
    facts: { channel, message: sendIndex + 1 },
    correlationId,
    about: { flow, reference, phone: phone.e164 },
  });
}

/** The message in the minute it left, and each route that was tried in the minute it answered. */
export function deliveredUpdates(
  { policy }: Pick<DeliveredNeeds, "policy">,
  { flow, source }: RequestSummary,
  { message, attempts, decisive, atMs, costMicros, observed }: Delivered,
): CounterUpdate[] {
  const { phone, channel, numberTag, stoppers } = message;
  const { route, result } = decisive;
  const unreported = policy.flows[flow]?.verified === "unknown";
  const place = { phone, channel, flow, provider: route.provider, asn: source.asn };
  // A provider that cannot be reached is an outage, not people who do not answer.
  const left = result.kind !== "refused" && !isConnectionLost(result);
  const entries = [
    ...(left && unreported ? countUnreported(place, costMicros) : []),
    ...(left && !unreported ? countSent(place, costMicros, numberTag) : []),
    ...(left ? countSentDespiteRules(stoppers, costMicros) : []),
    ...observed,
  ];
  return [...attempts.map((attempt) => attemptUpdate(phone, attempt)), { minute: minuteOf(atMs), entries }];
}

function attemptUpdate(
  { country, block }: Pick<Phone, "country" | "block">,
  { route, result, handedOverMs, answeredMs }: RouteAttempt,
): CounterUpdate {
  const { provider, channel } = route;
  const entries = countDeliveryAttemptTime(provider, answeredMs - handedOverMs);
  // Silence is counted as sent. What never left is the provider's doing, or (but for the route) the number's.
  if (result.kind === "refused" || isConnectionLost(result)) {
    const fate = countDeliveryFate({ country, provider, channel }, "rejected");
    const ofRoute = result.kind !== "refused" || CONSEQUENCES[result.judgement].countsAgainstRoute;
    entries.push(...(ofRoute ? fate : fate.filter(({ dimension }) => dimension !== "route")));
  }
  if (result.kind === "refused" && CONSEQUENCES[result.judgement].isEvidence) {
    entries.push(...countFraudVerdict({ country, block, provider }));
  }
  return { minute: minuteOf(answeredMs), entries };
}

const isConnectionLost = (result: DeliveryResult): boolean =>
  result.kind === "unknown" && result.connectionLost;

const messageIdOf = (result: DeliveryResult): string | null =>
  result.kind === "accepted" ? result.messageId : null;
