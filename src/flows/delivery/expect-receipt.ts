import { minuteOf } from "../../domain/kernel/time.ts";
import type { MessageOwner } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Delivered, RequestSummary } from "../publish/facts.ts";
import { deliveredUpdates } from "../publish/publish-delivered.ts";
import { undeliveredResendSealName } from "../publish/publish-receipt.ts";
import { type SettleNeeds, settleReceipt } from "./settle-receipt.ts";

export type ExpectNeeds = SettleNeeds & Pick<Deps, "receipts" | "providers">;

/** Most messages have arrived by then. */
const FIRST_POLL_SECONDS = 15;

/**
 * Counts a message and remembers to whom it belongs, in one command, so that its receipt finds the session; and asks a provider
 * without webhooks later. A receipt that was quicker than the provider's answer counts now. A message whose answer was lost is
 * found by the reference it was sent with, where its provider repeats that. Of a message that was refused nothing is expected.
 */
export async function expectReceipt(
  deps: ExpectNeeds,
  request: RequestSummary,
  fact: Delivered,
): Promise<void> {
  const { receipts, counters, log } = deps;
  const { correlationId } = request;
  const { result, route } = fact.decisive;
  const { provider } = route;
  const updates = deliveredUpdates(deps, request, fact);
  if (result.kind === "refused") return counters.count(updates);
  const messageIds = result.kind === "accepted" ? [result.messageId, ...(result.otherPartIds ?? [])] : [];
  const owner = await ownerOf(deps, correlationId, fact, messageIds.length);
  const reference = result.kind === "unknown" ? correlationId : null;
  const bound = await receipts.bind({ provider, owner, messageIds, reference }, updates);
  if (bound.kind === "unavailable") {
    log("receipts_not_expected", { correlation_id: correlationId, provider, cause: bound.cause });
    return;
  }
  for (const early of bound.early) await settleReceipt(deps, provider, early, owner);
  if (result.kind === "accepted") await pollLater(deps, correlationId, provider, result.messageId);
}

async function ownerOf(
  { policy, vault }: Pick<Deps, "policy" | "vault">,
  correlationId: string,
  { message, decisive, atMs, session }: Delivered,
  parts: number,
): Promise<MessageOwner> {
  const { sessionId, sendIndex, phone, channel, numberTag } = message;
  const sealed =
    policy.delivery.resend_undelivered && !message.isAutomatic
      ? await vault.sealForLedger(undeliveredResendSealName(message), session.token)
      : null;
  return {
    sessionId,
    sendIndex,
    correlationId,
    country: phone.country,
    channel,
    minute: minuteOf(atMs),
    handedOverMs: decisive.handedOverMs,
    session: sealed,
    numberTag,
    block: phone.block,
    ...(parts > 1 && { parts }),
  };
}

/** Asks a provider without webhooks what became of its message. */
async function pollLater(
  { providers, outbox, log }: Pick<ExpectNeeds, "providers" | "outbox" | "log">,
  correlationId: string,
  provider: string,
  messageId: string,
): Promise<void> {
  if (!providers.get(provider)?.poll) return;
  const put = await outbox.put([{ kind: "poll", provider, messageId, tries: 0 }], FIRST_POLL_SECONDS);
  if (put.kind !== "done") {
    log("poll_not_queued", { correlation_id: correlationId, provider, cause: put.cause });
  }
}
