import { minuteOf } from "../../domain/kernel/time.ts";
import type { MessageOwner } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import type { Delivered } from "../publish/facts.ts";
import { undeliveredResendSealName } from "../publish/publish-receipt.ts";
import { type SettleNeeds, settleReceipt } from "./settle-receipt.ts";

export type ExpectNeeds = SettleNeeds & Pick<Deps, "receipts" | "providers">;

/** Most messages have arrived by then. */
const FIRST_POLL_SECONDS = 15;

/**
 * Remembers to whom a message belongs, so that its receipt finds the session, and asks a provider without webhooks later. A
 * receipt that was quicker than the provider's answer counts now. A message whose answer was lost is found by the reference it
 * was sent with, where its provider repeats that. Nothing is expected of a message that was refused.
 */
export async function expectReceipt(
  deps: ExpectNeeds,
  correlationId: string,
  { message, decisive, atMs, session }: Delivered,
): Promise<void> {
  const { policy, vault, receipts, providers, outbox, log } = deps;
  const { route, result, handedOverMs } = decisive;
  if (result.kind === "refused") return;
  const { provider } = route;
  const { sessionId, sendIndex, phone, channel } = message;
  const sealed =
    policy.delivery.resend_undelivered && !message.isAutomatic
      ? await vault.sealForLedger(undeliveredResendSealName(message), session.token)
      : null;
  const owner: MessageOwner = {
    sessionId,
    sendIndex,
    correlationId,
    country: phone.country,
    channel,
    minute: minuteOf(atMs),
    handedOverMs,
    session: sealed,
    numberTag: message.numberTag,
    block: phone.block,
  };
  if (result.kind === "unknown") {
    const bound = await receipts.bindReference(provider, correlationId, owner);
    if (bound.kind !== "done") {
      log("receipts_not_expected", { correlation_id: correlationId, provider, cause: bound.cause });
    }
    return;
  }
  const { messageId, otherPartIds = [] } = result;
  if (otherPartIds.length > 0) owner.parts = 1 + otherPartIds.length;
  for (const partId of [messageId, ...otherPartIds]) {
    const early = await receipts.bind(provider, partId, owner);
    if (early !== null && "kind" in early) {
      log("receipts_not_expected", { correlation_id: correlationId, provider, cause: early.cause });
    } else if (early !== null) {
      await settleReceipt(deps, provider, early, owner);
    }
  }
  if (!providers.get(provider)?.poll) return;
  const put = await outbox.put([{ kind: "poll", provider, messageId, tries: 0 }], FIRST_POLL_SECONDS);
  if (put.kind !== "done") {
    log("poll_not_queued", { correlation_id: correlationId, provider, cause: put.cause });
  }
}
