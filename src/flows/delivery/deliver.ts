/**
 * Delivers one message of a session.
 *
 * 1. Reserve room, money and limits, and begin: the session marks the message as being sent before it leaves.
 * 2. Attempt the delivery by one route after another.
 * 3. Settle: the session writes down the provider's answer.
 *
 * A crash in here leaves a mark and never a second message; the room it took comes back when its window passes. If the
 * provider's reply is lost, the message counts as sent: it may arrive, it may be billed, and it must not go out twice.
 */
import { CONSEQUENCES } from "../../domain/delivery/judgement.ts";
import { type ComposedMessage, composeMessage } from "../../domain/delivery/message.ts";
import { priceRowOf, type SpendReading } from "../../domain/delivery/money.ts";
import { refuseRememberedNumber } from "../../domain/delivery/number-refusal.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { DeliveryResult, OutgoingMessage } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import type { AdmittedRequest } from "../admission/request.ts";
import type {
  BegunMessage,
  Broken,
  Delivered,
  Refused,
  RouteAttempt,
  TakenResources,
} from "../publish/facts.ts";
import { type BeginCommand, type BeginNeeds, beginMessage, type MarkedSend } from "./begin-message.ts";
import { type ReserveNeeds, reserve } from "./reserve.ts";
import { type TryRoutesNeeds, tryRoutes } from "./try-routes.ts";

/** A message to deliver. */
export interface DeliveryRequest {
  correlationId: string;
  flow: string;
  sessionId: string;
  /** The session's token, for whoever asked. */
  token: string;
  phone: Phone;
  channel: Channel;
  /** Language the client asked for. */
  locale: string | null;
  /** The caller's own. */
  reference: string | null;
  /** Keyed hashes of the number, and of the user a server named. */
  numberTag: string;
  userTag: string | null;
  beginning: BeginCommand;
  /** Nobody asked for it: it repeats a message that came back undelivered, and is not repeated itself. */
  isAutomatic: boolean;
}

export type DeliverNeeds = ReserveNeeds & BeginNeeds & TryRoutesNeeds & Pick<Deps, "prices">;

export async function deliver(
  deps: DeliverNeeds,
  admitted: AdmittedRequest,
  request: DeliveryRequest,
): Promise<Delivered | Refused | Broken> {
  const started = await reserveAndBegin(deps, admitted, request);
  if (started.kind !== "started") return started;
  const { begun, meters } = started;
  const { trail, verdict, observed, ownLimits } = admitted;
  const message = begunMessage(deps, admitted, request, begun);

  const text = composeText(deps, request, begun.code);
  const attempted = await tryRoutes(deps, {
    routes: admitted.routes,
    tried: begun.tried,
    message: outgoingMessage(deps, request, begun.code, text),
    idempotencyKey: `${request.sessionId}.${begun.sendIndex}`,
  }).catch((error: unknown) => ({ error }));
  // It may have left: everything that it took stays taken.
  if ("error" in attempted) {
    return { kind: "broken", ...attempted, trail, requested: { message, verdict }, giveBack: null };
  }

  const { decisive } = attempted;
  const atMs = deps.nowMs();
  const sessionSettled = await settle(deps, message, decisive);
  return {
    kind: "delivered",
    message,
    ...attempted,
    ...priceOfAttempt(deps, request, decisive, text),
    atMs,
    meters,
    sessionSettled,
    trail,
    verdict,
    observed,
    failure: failureOf(deps, request, decisive.result),
    giveBack: givenBack(admitted, request, decisive),
    session: { token: request.token, phone: request.phone.e164, view: begun.view, ownLimits },
  };
}

interface Started {
  kind: "started";
  begun: MarkedSend;
  meters: SpendReading[];
}

/** Both at once, and both or none: a message without its money is refused in its session, and the rest is given back. */
async function reserveAndBegin(
  deps: DeliverNeeds,
  admitted: AdmittedRequest,
  request: DeliveryRequest,
): Promise<Started | Refused | Broken> {
  const { trail } = admitted;
  const giveBack = takenBy(admitted);
  try {
    // Both are awaited, even where one of them throws: what the other one took must be given back.
    const [reserving, beginning] = await Promise.allSettled([
      reserve(deps, admitted),
      beginMessage(deps, request.sessionId, request.beginning, admitted.reservation),
    ]);
    const reserved = fulfilled(reserving);
    const begun = fulfilled(beginning);
    if (begun.kind === "refused") return { ...begun, trail, giveBack };
    if (reserved.kind === "refused") {
      const result = { status: "refused", provider: null, messageId: null } as const;
      await deps.sessions.settle(request.sessionId, begun.sendIndex, result);
      return { ...reserved, trail };
    }
    return { kind: "started", begun, meters: reserved.meters };
  } catch (error) {
    // Whatever broke is ours: the limits that admission drew on come back too.
    const { limitDraws } = giveBack;
    const all = { ...giveBack, limitDraws: [...limitDraws, ...admitted.drawn] };
    return { kind: "broken", error, trail, requested: null, giveBack: all };
  }
}

function fulfilled<T>(settled: PromiseSettledResult<T>): T {
  if (settled.status === "rejected") throw settled.reason;
  return settled.value;
}

const takenBy = ({ reservation, limitDraws, claim }: AdmittedRequest): TakenResources => ({
  reservation,
  limitDraws,
  claim,
});

const begunMessage = (
  { nowMs }: Pick<Deps, "nowMs">,
  { reservation }: AdmittedRequest,
  { sessionId, phone, channel, numberTag, userTag, reference, isAutomatic }: DeliveryRequest,
  { sendIndex }: MarkedSend,
): BegunMessage => ({
  sessionId,
  sendIndex,
  phone,
  channel,
  numberTag,
  userTag,
  reference,
  stoppers: reservation.stoppers ?? [],
  isAutomatic,
  begunAtMs: nowMs(),
});

function composeText(
  { policy }: Pick<Deps, "policy">,
  { channel, phone, flow, locale }: DeliveryRequest,
  code: string,
): ComposedMessage {
  const ttlSeconds = policy.code.ttl_seconds;
  return composeMessage({ code, channel, country: phone.country, flow, locale, ttlSeconds }, policy.message);
}

const outgoingMessage = (
  { policy }: Pick<Deps, "policy">,
  { correlationId, phone, channel }: DeliveryRequest,
  code: string,
  { body, spoken, locale, dlt }: ComposedMessage,
): Omit<OutgoingMessage, "idempotencyKey"> => ({
  to: phone.e164,
  country: phone.country,
  body,
  code,
  spoken,
  locale,
  dlt,
  channel,
  ttlSeconds: policy.code.ttl_seconds,
  correlationId,
});

/** @returns false where the session could not be told; what left has left, and its mark counts as a message */
async function settle(
  { sessions }: Pick<Deps, "sessions">,
  { sessionId, sendIndex }: BegunMessage,
  { route, result }: RouteAttempt,
): Promise<boolean> {
  const messageId = result.kind === "accepted" ? result.messageId : null;
  try {
    await sessions.settle(sessionId, sendIndex, { status: result.kind, provider: route.provider, messageId });
    return true;
  } catch {
    return false;
  }
}

/** The price as the provider stated it, else as the table has it; a DLT registry charges for each segment of a text. */
function priceOfAttempt(
  { prices }: Pick<Deps, "prices">,
  { phone, channel }: DeliveryRequest,
  { route, result }: RouteAttempt,
  { segments }: ComposedMessage,
): Pick<Delivered, "costMicros" | "dltMicros"> {
  const { dlt_micros } = priceRowOf(prices, phone.country, route.provider, channel);
  return {
    costMicros: (result.kind === "accepted" ? result.costMicros : null) ?? route.costMicros,
    dltMicros: dlt_micros * (channel === "sms" ? segments : 1),
  };
}

/**
 * The part of what a message took that comes back after a provider's answer: all of it where nothing left for certain, and
 * after a fraud verdict the place under the idempotency key alone. A provider that fails, or says nothing, is no fault of the
 * person's: their own limits come back, and what a message that may have left took stays taken.
 */
function givenBack(
  admitted: AdmittedRequest,
  { phone }: DeliveryRequest,
  { route, result }: RouteAttempt,
): TakenResources | null {
  if (result.kind === "accepted") return null;
  const { drawn } = admitted;
  const taken = takenBy(admitted);
  const refusedBy = { provider: route.provider, country: phone.country };
  if (result.kind === "unknown") return { reservation: null, limitDraws: drawn, claim: null, refusedBy };
  const { refunds, countsAgainstRoute } = CONSEQUENCES[result.judgement];
  if (!refunds) return { ...taken, reservation: null, limitDraws: [] };
  return { ...taken, limitDraws: [...taken.limitDraws, ...(countsAgainstRoute ? drawn : [])], refusedBy };
}

/**
 * The refusal of a message that no route took, or whose connection was lost; null for one that is on its way, or may be: an
 * answer that says nothing leaves the person a session in which they can ask again.
 */
function failureOf(
  { policy }: Pick<Deps, "policy">,
  { phone, channel }: DeliveryRequest,
  result: DeliveryResult,
): Refusal | null {
  if (result.kind === "refused") {
    const { remembers } = CONSEQUENCES[result.judgement];
    if (remembers !== null) return refuseRememberedNumber(remembers, { phone, channel }, policy.delivery);
    return { kind: "delivery_failed", cause: result.cause, retryAfterSeconds: 5 };
  }
  if (result.kind === "unknown" && result.connectionLost) {
    const retryAfterSeconds = policy.resend.wait_seconds[0] ?? 60;
    return { kind: "delivery_failed", cause: result.cause, retryAfterSeconds };
  }
  return null;
}
