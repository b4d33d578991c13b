import { CONSEQUENCES, type Judgement, refusalMemorySeconds } from "../../domain/delivery/judgement.ts";
import { countDeliveryFate, countDeliveryTime, countFraudVerdict } from "../../domain/monitor/counting.ts";
import type { MessageOwner, Receipt } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import { type CustomerNeeds, customerListens, notifyCustomer } from "./notify-customer.ts";
import { recordEvent } from "./record-event.ts";

/** A provider's final word on a message. */
export interface ReceiptHeard {
  kind: "receipt_heard";
  provider: string;
  receipt: Receipt & { status: "delivered" | "undelivered" };
  owner: MessageOwner;
  /** False where the session knew it already, or is gone. */
  isNews: boolean;
  /** True where the session hands it to the ledger together with its end. */
  isCarried: boolean;
  heardMs: number;
}

export type ReceiptNeeds = CustomerNeeds &
  Pick<Deps, "sessions" | "counters" | "events" | "marks" | "vault" | "defer">;

/**
 * Publishes a receipt before its provider is answered: a provider whose call fails calls again. Counters and the customer's
 * event must not cost the receipts that came with it, so their faults are logged.
 *
 * @throws where the ledger's queue and the ledger itself throw
 */
export async function publishReceipt(deps: ReceiptNeeds, fact: ReceiptHeard): Promise<void> {
  logReceipt(deps, fact);
  // Also without news: the session may be gone, and the ledger takes it once.
  if (!fact.isCarried) await recordReceipt(deps, fact);
  if (!fact.isNews) return;
  const { correlationId } = fact.owner;
  const judgement = judgementOfReceipt(fact.receipt);
  if (judgement !== null && CONSEQUENCES[judgement].resends) await queueResend(deps, fact.owner);
  try {
    await rememberReceipt(deps, fact.owner, judgement);
  } catch {
    deps.log("refusal_not_remembered", { correlation_id: correlationId, provider: fact.provider });
  }
  // The session has it, so that a repetition would be no news: neither the provider nor the receipts after it wait for the count.
  const uncounted = () =>
    deps.log("receipt_not_counted", { correlation_id: correlationId, provider: fact.provider });
  deps.defer(countReceipt(deps, fact).catch(uncounted), correlationId);
  try {
    await notifyReceipt(deps, fact);
  } catch {
    deps.log("customer_not_told", { correlation_id: correlationId, status: fact.receipt.status });
  }
}

/**
 * The judgement of a message that was not delivered; null for one that was. Receipts that were kept before they were judged
 * have none: a failure without a code has no reason that speaks against another try.
 */
function judgementOfReceipt({ status, judgement, errorCode }: Receipt): Judgement | null {
  if (status !== "undelivered") return null;
  return judgement ?? (errorCode === null ? "unknown" : "not_this_route");
}

/** Keeps that the number gets nothing by this channel, where the receipt says so for good. */
async function rememberReceipt(
  { policy, marks }: Pick<ReceiptNeeds, "policy" | "marks">,
  { numberTag, channel }: MessageOwner,
  judgement: Judgement | null,
): Promise<void> {
  const refusal = judgement === null ? null : CONSEQUENCES[judgement].remembers;
  if (refusal === null || numberTag === undefined) return;
  const seconds = refusalMemorySeconds(refusal, policy.delivery);
  if (seconds > 0) await marks.refuseNumber(numberTag, [channel], refusal, seconds);
}

function logReceipt(
  { log }: Pick<Deps, "log">,
  { provider, receipt, owner, isNews, heardMs }: ReceiptHeard,
): void {
  const { correlationId, channel, minute } = owner;
  log(`message_${receipt.status}`, {
    correlation_id: correlationId,
    provider,
    channel,
    error_code: receipt.errorCode,
    judgement: judgementOfReceipt(receipt),
    news: isNews,
    after_seconds: Math.max(0, Math.round(heardMs / 1000 - minute * 60)),
  });
}

function recordReceipt(deps: ReceiptNeeds, { provider, receipt, owner }: ReceiptHeard): Promise<void> {
  const { status, messageId, errorCode } = receipt;
  const { correlationId, sendIndex, country, channel } = owner;
  return recordEvent(deps, {
    kind: status,
    of: `${correlationId}.${sendIndex}`,
    correlationId,
    provider,
    channel,
    messageId,
    receipt: status,
    code: errorCode,
    phone: { country },
  });
}

/** Puts the code on its way once more, as soon as the session allows, where the policy says so. */
async function queueResend(
  { policy, outbox, log, nowMs }: Pick<Deps, "policy" | "outbox" | "log" | "nowMs">,
  owner: MessageOwner,
): Promise<void> {
  const { session, correlationId, minute } = owner;
  if (session === null) return;
  // The minute's end: a message of its last second must have had its wait.
  const allowedSeconds = (minute + 1) * 60 + policy.resend.undelivered_wait_seconds;
  const delaySeconds = Math.max(0, Math.ceil(allowedSeconds - nowMs() / 1000));
  const put = await outbox.put(
    [{ kind: "resend", of: undeliveredResendSealName(owner), session, correlationId }],
    delaySeconds,
  );
  if (put.kind === "unavailable") {
    log("undelivered_not_resent", { correlation_id: correlationId, cause: put.cause });
  }
}

async function countReceipt(
  { counters }: Pick<Deps, "counters">,
  { provider, receipt, owner, heardMs }: ReceiptHeard,
): Promise<void> {
  const { country, channel, minute, handedOverMs } = owner;
  const entries = countDeliveryFate({ country, provider, channel }, receipt.status);
  if (receipt.status === "delivered" && handedOverMs !== null) {
    entries.push(
      ...countDeliveryTime({ provider, channel }, { handedOverMs, statedMs: receipt.atMs, heardMs }),
    );
  }
  const judgement = judgementOfReceipt(receipt);
  if (judgement !== null && CONSEQUENCES[judgement].isEvidence) {
    entries.push(...countFraudVerdict({ country, block: owner.block ?? null, provider }));
  }
  await counters.countSoon([{ minute, entries }]);
}

/** Notifies the customer's backend; the person it is about is known to the session alone. */
async function notifyReceipt(deps: ReceiptNeeds, { receipt, owner }: ReceiptHeard): Promise<void> {
  const type = `verification.${receipt.status}` as const;
  if (!customerListens(deps, type)) return;
  const { sessionId, sendIndex, correlationId, channel } = owner;
  const session = await deps.sessions.view(sessionId, deps.policy);
  await notifyCustomer(deps, type, {
    of: `${correlationId}:${sendIndex}`,
    nth: sendIndex,
    correlationId,
    about: session?.customer ?? null,
    facts: { channel, message: sendIndex + 1, error_code: receipt.errorCode },
  });
}

/** The name a session's token is sealed to while its message may still turn out undelivered. */
export const undeliveredResendSealName = ({
  sessionId,
  sendIndex,
}: Pick<MessageOwner, "sessionId" | "sendIndex">): string => `resend.${sessionId}.${sendIndex}`;
