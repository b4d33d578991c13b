import { countDelivery, countDeliveryFate } from "../../domain/monitor/counting.ts";
import type { IncomingHook, MessageOwner, Receipt } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import { customerListens, notifyCustomer } from "../publish/notify-customer.ts";
import { recordEvent } from "../publish/record-event.ts";

/** What is told to whoever called: nothing else, so that nobody learns which message ids are ours. */
export type ReceiptHookResult = "taken" | "refused" | "unknown_provider" | "try_again";

/**
 * Takes in a provider's webhook: signature, then each receipt to the session whose message it is. Genuine receipts for
 * nobody have no effect; late, repeated and disordered ones are harmless (settle.ts).
 */
export async function receiveReceiptHook(
  deps: Deps,
  providerName: string,
  hook: IncomingHook,
): Promise<ReceiptHookResult> {
  const { providers, receipts, log, nowMs } = deps;
  const provider = providers.get(providerName);
  if (!provider?.readReceipt) return "unknown_provider";
  const reading = await provider.readReceipt(hook, nowMs());
  if (reading.kind === "forged") {
    log("receipt_refused", { provider: providerName, cause: reading.cause });
    return "refused";
  }
  if (reading.kind === "ignored") return "taken";
  for (const receipt of reading.receipts) {
    const owner = await receipts.claim(providerName, receipt);
    if (owner === null) log("receipt_for_nobody", { provider: providerName });
    else if ("kind" in owner) return "try_again";
    else await settleReceipt(deps, providerName, receipt, owner);
  }
  return "taken";
}

/** Tells the session, and the watch if it was news. */
export async function settleReceipt(
  deps: Pick<
    Deps,
    | "policy"
    | "sessions"
    | "counters"
    | "events"
    | "vault"
    | "customer"
    | "outbox"
    | "records"
    | "log"
    | "nowMs"
  >,
  provider: string,
  receipt: Receipt,
  owner: MessageOwner,
): Promise<void> {
  const { sessions, counters, log, nowMs } = deps;
  const { status, messageId, errorCode } = receipt;
  const { sessionId, sendIndex, correlationId, country, channel, minute, handedOverMs } = owner;
  if (status === "sent") return;
  const heardMs = nowMs();
  const news = await sessions.receipt(sessionId, sendIndex, { status, messageId });
  log(`message_${status}`, {
    correlation_id: correlationId,
    provider,
    channel,
    error_code: errorCode,
    news,
    after_seconds: Math.max(0, Math.round(heardMs / 1000 - minute * 60)),
  });
  const of = `${correlationId}.${sendIndex}`;
  const told = { provider, channel, messageId, receipt: status, code: errorCode, phone: { country } };
  // Also what is no news: the session may be gone, and the ledger takes it once.
  await recordEvent(deps, { kind: status, of, correlationId, ...told });
  if (!news) return;
  if (status === "undelivered") await sendAgain(deps, owner);
  try {
    const entries = countDeliveryFate({ country, provider, channel }, status);
    if (status === "delivered" && handedOverMs !== null) {
      const times = { handedOverMs, statedMs: receipt.atMs, heardMs };
      entries.push(...countDelivery({ provider, channel }, times));
    }
    await counters.count([{ minute, entries }]);
  } catch {
    // The session has it, so that a repetition would be no news: those after it in the same call must not wait for one.
    log("receipt_not_counted", { correlation_id: correlationId, provider });
  }
  try {
    await tellFate(deps, receipt, owner);
  } catch {
    log("customer_not_told", { correlation_id: correlationId, status });
  }
}

/** What a session's token is sealed to while its message may still turn out undelivered. */
export const undeliveredResendId = ({
  sessionId,
  sendIndex,
}: Pick<MessageOwner, "sessionId" | "sendIndex">): string => `resend.${sessionId}.${sendIndex}`;

/** Puts the code on its way once more, as soon as the session allows, where the policy says so. */
async function sendAgain(
  { policy, outbox, log, nowMs }: Pick<Deps, "policy" | "outbox" | "log" | "nowMs">,
  owner: MessageOwner,
): Promise<void> {
  const { session, correlationId, minute } = owner;
  if (session === null) return;
  // The minute's end: a message of its last second must have had its wait.
  const allowedSeconds = (minute + 1) * 60 + policy.resend.undelivered_wait_seconds;
  const delaySeconds = Math.max(0, Math.ceil(allowedSeconds - nowMs() / 1000));
  const put = await outbox.put(
    [{ kind: "resend", of: undeliveredResendId(owner), session, correlationId }],
    delaySeconds,
  );
  if (put.kind === "unavailable")
    log("undelivered_not_resent", { correlation_id: correlationId, cause: put.cause });
}

/** For the customer's backend; whom the message was for, the session knows. */
async function tellFate(
  deps: Pick<Deps, "policy" | "sessions" | "customer" | "outbox" | "records" | "log" | "nowMs">,
  { status, errorCode }: Receipt,
  { sessionId, sendIndex, correlationId, channel }: MessageOwner,
): Promise<void> {
  if (status === "sent" || !customerListens(deps, `verification.${status}`)) return;
  const session = await deps.sessions.view(sessionId, deps.policy);
  await notifyCustomer(deps, `verification.${status}`, {
    of: `${correlationId}:${sendIndex}`,
    nth: sendIndex,
    correlationId,
    about: session?.customer ?? null,
    facts: { channel, message: sendIndex + 1, error_code: errorCode },
  });
}
