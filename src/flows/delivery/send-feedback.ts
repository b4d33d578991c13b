import type { LedgerEvent } from "../../domain/ledger/event.ts";
import type { Deps } from "../../ports/deps.ts";
import type { ProviderWork } from "../../ports/outbox.ts";
import { ledgerEvent } from "../publish/record-event.ts";
import { type SettleNeeds, settleReceipt } from "./settle-receipt.ts";

/** The fate of one piece of queued work: done, or to be tried again. */
export type QueuedWorkResult =
  /** `event`: for the ledger. */
  { kind: "delivered"; event?: LedgerEvent } | { kind: "again"; cause: string; retryable: boolean };

/** A message without news after so many questions (about 20 minutes) is left alone. */
const MOST_POLLS = 6;
const NEXT_POLL_SECONDS = 30;

/** Tells a provider whether a message converted, or asks it about the fate of one. */
export async function sendFeedback(
  deps: SettleNeeds & Pick<Deps, "providers" | "receipts">,
  message: ProviderWork,
): Promise<QueuedWorkResult> {
  const provider = deps.providers.get(message.provider);
  if (message.kind === "feedback") {
    const { messageId, channel, verified, atMs, correlationId } = message;
    // A provider that does not listen, or was taken out of the policy since, has nothing to hear.
    if (!provider?.feedback) return { kind: "delivered" };
    const told = await provider.feedback(messageId, channel, verified, atMs);
    if (told.kind === "failed") return { ...told, kind: "again" };
    if (told.kind === "told") {
      const of = `${message.provider}.${messageId}.${verified}`;
      const facts = { provider: message.provider, channel, messageId, code: `${verified}` };
      const event = await ledgerEvent(deps, { kind: "feedback", of, correlationId, ...facts });
      return { kind: "delivered", event };
    }
    return { kind: "delivered" };
  }
  if (!provider?.poll) return { kind: "delivered" };
  const receipt = await provider.poll(message.messageId);
  if (receipt !== null && "kind" in receipt) return { kind: "again", cause: receipt.cause, retryable: true };
  if (receipt === null || receipt.status === "sent") {
    const tries = message.tries + 1;
    if (tries >= MOST_POLLS) return { kind: "delivered" };
    const put = await deps.outbox.put([{ ...message, tries }], NEXT_POLL_SECONDS * 2 ** message.tries);
    return put.kind === "done" ? { kind: "delivered" } : { kind: "again", cause: put.cause, retryable: true };
  }
  const owner = await deps.receipts.claim(message.provider, receipt);
  if (owner !== null && "kind" in owner) return { kind: "again", cause: owner.cause, retryable: true };
  if (owner !== null) await settleReceipt(deps, message.provider, receipt, owner);
  return { kind: "delivered" };
}
