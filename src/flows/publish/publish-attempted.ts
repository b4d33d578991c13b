import { addressUnit } from "../../domain/admission/address.ts";
import { rulesForCountry } from "../../domain/admission/country-rules.ts";
import { failureTags } from "../../domain/admission/failures.ts";
import { type LimitDraw, numberLimit, wrongCodeLimit } from "../../domain/admission/limits.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { deliveredEvent } from "../../domain/ledger/delivered-event.ts";
import { countVerified, countVerifiedProbe, countWrongCode } from "../../domain/monitor/counting.ts";
import { countVerifiedDespiteRules } from "../../domain/monitor/rule-counts.ts";
import type { CounterUpdate } from "../../domain/monitor/tally.ts";
import type { Policy } from "../../domain/policy.ts";
import type { AttemptResult, VerifiedSend } from "../../domain/session/attempt.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OutboxMessage } from "../../ports/outbox.ts";
import type { Attempted, RequestSummary } from "./facts.ts";
import { type CustomerNeeds, notifyCustomer } from "./notify-customer.ts";
import { ledgerEvent, recordEvent } from "./record-event.ts";

export type AttemptNeeds = CustomerNeeds &
  Pick<Deps, "limits" | "verifications" | "events" | "providers" | "vault" | "defer">;

type Verified = Extract<AttemptResult, { kind: "verified" }>;

/** Publishes a code that was typed: a line of the log for each, and what right and wrong ones teach. */
export function publishAttempted(deps: AttemptNeeds, request: RequestSummary, fact: Attempted): void {
  const { log, defer } = deps;
  const { correlationId, flow } = request;
  const { result } = fact;
  log(`attempt_${result.kind}`, { correlation_id: correlationId, flow });
  if (result.kind === "verified") {
    defer(feedBackToProviders(deps, correlationId, result), correlationId);
    defer(rememberVerified(deps, request, fact, result), correlationId);
    defer(recordVerified(deps, request, fact, result), correlationId);
    defer(notifyApproved(deps, fact, result), correlationId);
  }
  if (result.kind === "incorrect") {
    defer(rememberWrongCode(deps, request, fact), correlationId);
    defer(recordWrongCode(deps, request, fact, result.attemptsLeft), correlationId);
    defer(notifyWrongCode(deps, fact, result.attemptsLeft), correlationId);
  }
}

/** Providers that want feedback hear which messages converted, and which came back while another did. */
async function feedBackToProviders(
  { providers, outbox, log, nowMs }: Pick<AttemptNeeds, "providers" | "outbox" | "log" | "nowMs">,
  correlationId: string,
  { sends, lost }: Verified,
): Promise<void> {
  const atMs = nowMs();
  const feedback =
    (verified: boolean) =>
    ({ provider, messageId, channel }: VerifiedSend): OutboxMessage[] =>
      provider === null || messageId === null || !providers.get(provider)?.feedback
        ? []
        : [{ kind: "feedback", provider, messageId, channel, verified, atMs, correlationId }];
  const put = await outbox.put([...sends.flatMap(feedback(true)), ...lost.flatMap(feedback(false))]);
  if (put.kind !== "done") {
    log("feedback_not_queued", { correlation_id: correlationId, cause: put.cause });
  }
}

/** The number is known from now on and waits for nothing, its wrong codes are forgotten, and its budgets have earned. */
async function rememberVerified(
  { policy, verifications, nowMs }: Pick<AttemptNeeds, "policy" | "verifications" | "nowMs">,
  request: RequestSummary,
  { claims, numberTag }: Attempted,
  { sends, hold, otherHolds }: Verified,
): Promise<void> {
  const probes = [hold, ...otherHolds].flatMap((held) =>
    held?.probe === undefined
      ? []
      : [{ minute: minuteOf(held.atMs), entries: [countVerifiedProbe(held.probe)] }],
  );
  await verifications.verified({
    numberTag,
    failureTags: failureTags(claims.failureSubjects),
    numberLimit: request.phone && numberLimitOf(policy, request.phone, claims),
    reservation: hold,
    otherReservations: otherHolds,
    updates: [...verifiedUpdates(request, sends, nowMs()), ...probes],
  });
}

/** The limit that the session's messages drew on: strangers' wrong codes and messages are counted by the same subject. */
const numberLimitOf = (
  policy: Policy,
  { country }: Phone,
  { failureSubjects }: Attempted["claims"],
): LimitDraw => numberLimit(failureSubjects.number, rulesForCountry(policy, country).numberLimits);

/**
 * One code verifies every message that may have carried it, each in the minute it left; the time to the code is that of the
 * last one.
 */
function verifiedUpdates(
  { phone, flow }: RequestSummary,
  sends: readonly VerifiedSend[],
  nowMs: number,
): CounterUpdate[] {
  if (phone === null) return [];
  return sends.map(({ atMs, channel, provider, asn, stoppers = [] }, i) => {
    const afterSeconds = i === sends.length - 1 ? (nowMs - atMs) / 1000 : null;
    return {
      minute: minuteOf(atMs),
      entries: [
        ...countVerified({ phone, channel, flow, provider, asn }, afterSeconds),
        ...countVerifiedDespiteRules(stoppers),
      ],
    };
  });
}

/** Records the verification, and with it the deliveries that its session carried: one message of the queue. */
async function recordVerified(
  deps: AttemptNeeds,
  request: RequestSummary,
  fact: Attempted,
  { sends, receipts = [] }: Verified,
): Promise<void> {
  const last = sends.at(-1);
  const message = last && { provider: last.provider, channel: last.channel, messageId: last.messageId };
  const { correlationId } = request;
  const verified = await ledgerEvent(deps, {
    ...attemptEvent(request, fact),
    ...message,
    kind: "verified",
    of: correlationId,
  });
  const delivered = receipts.map((receipt) => deliveredEvent(correlationId, receipt));
  await deps.events.put([...delivered, verified]);
}

function notifyApproved(deps: AttemptNeeds, { claims }: Attempted, { channel }: Verified): Promise<void> {
  const { correlationId } = claims;
  return notifyCustomer(deps, "verification.approved", {
    of: correlationId,
    correlationId,
    about: claims,
    facts: { channel },
  });
}

/** The address, the number and the user are watched for more of them. */
async function rememberWrongCode(
  { policy, vault, limits, verifications, nowMs }: AttemptNeeds,
  { phone, flow, source }: RequestSummary,
  { claims }: Attempted,
): Promise<void> {
  const ip = source.ip === null ? null : await vault.tag("ip", addressUnit(source.ip) ?? "unknown");
  const entries = phone === null ? [] : countWrongCode(phone.country, flow);
  await Promise.all([
    ip === null ? null : limits.take([wrongCodeLimit(policy.limits, ip)]),
    verifications.failed(failureTags(claims.failureSubjects), [{ minute: minuteOf(nowMs()), entries }]),
  ]);
}

/** Records a wrong code, and the lock where it was the last one. */
function recordWrongCode(
  deps: AttemptNeeds,
  request: RequestSummary,
  fact: Attempted,
  attemptsLeft: number,
): Promise<void> {
  const { correlationId } = request;
  const about = attemptEvent(request, fact);
  const failed = { ...about, kind: "attempt_failed" as const, of: `${correlationId}.${attemptsLeft}` };
  const locked = { ...about, kind: "locked" as const, of: correlationId };
  return recordEvent(deps, failed, ...(attemptsLeft === 0 ? [locked] : []));
}

async function notifyWrongCode(
  deps: AttemptNeeds,
  { claims }: Attempted,
  attemptsLeft: number,
): Promise<void> {
  const { correlationId } = claims;
  const about = { correlationId, about: claims };
  await Promise.all([
    notifyCustomer(deps, "verification.attempt_failed", {
      ...about,
      of: `${correlationId}:${attemptsLeft}`,
      // Of two at the same time, the one that leaves fewer came later.
      nth: 99 - attemptsLeft,
      facts: { attempts_left: attemptsLeft },
    }),
    attemptsLeft === 0 && notifyCustomer(deps, "verification.locked", { ...about, of: correlationId }),
  ]);
}

const attemptEvent = (
  { correlationId, flow, phone, source }: RequestSummary,
  { claims, numberTag }: Attempted,
) => ({
  correlationId,
  flow,
  userTag: claims.failureSubjects.user,
  numberTag,
  source,
  ...(phone && { phone }),
});
