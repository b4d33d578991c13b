import type { MessageOwner, Receipt } from "../../ports/delivery.ts";
import { publishReceipt, type ReceiptNeeds } from "../publish/publish-receipt.ts";

export type SettleNeeds = ReceiptNeeds;

/**
 * Takes a receipt to the session whose message it is, and publishes it. Late, repeated and disordered ones are harmless, see
 * `domain/session/settle.ts`; a receipt that the message is on its way says nothing yet.
 */
export async function settleReceipt(
  deps: SettleNeeds,
  provider: string,
  receipt: Receipt,
  owner: MessageOwner,
): Promise<void> {
  const { sessions, nowMs } = deps;
  const { status, messageId } = receipt;
  if (status === "sent") return;
  const heardMs = nowMs();
  const { parts } = owner;
  const { country } = owner;
  const news = await sessions.receipt(
    owner.sessionId,
    owner.sendIndex,
    { status, messageId, parts },
    { atMs: heardMs, provider, messageId, country, code: receipt.errorCode },
  );
  const isNews = news !== false;
  // One part of several: the message is delivered when the others are.
  if (!isNews && status === "delivered" && (parts ?? 1) > 1) return;
  await publishReceipt(deps, {
    kind: "receipt_heard",
    provider,
    receipt: { ...receipt, status },
    owner,
    isNews,
    isCarried: news === "carried",
    heardMs,
  });
}
