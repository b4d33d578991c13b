import { EARLY_RECEIPT_SECONDS, MESSAGE_OWNER_SECONDS } from "../domain/delivery/lifetimes.ts";
import type { MessageBinding, MessageOwner, MessageOwnersPort, Receipt } from "../ports/delivery.ts";
import { expiringMap } from "./expiring-map.ts";

/** How much a receipt's status says: a final one is not forgotten for one on the way, nor a delivery for its opposite. */
const WEIGHT = { sent: 0, undelivered: 1, delivered: 2 };

/** Keeps the owners of provider messages in memory, and for a while the receipts that came before their owner was known. */
export function memoryMessageOwners(nowMs: () => number): Pick<MessageOwnersPort, "claim"> & {
  bind(binding: MessageBinding): Receipt[];
} {
  const owners = expiringMap<MessageOwner>(nowMs);
  const early = expiringMap<Receipt>(nowMs);
  return {
    bind({ provider, owner, messageIds, reference }) {
      if (reference !== null) owners.set(`${provider} ref:${reference}`, owner, MESSAGE_OWNER_SECONDS);
      return messageIds.flatMap((messageId) => {
        const key = `${provider} ${messageId}`;
        const before = early.get(key) ?? [];
        owners.set(key, owner, MESSAGE_OWNER_SECONDS);
        early.delete(key);
        return before;
      });
    },
    async claim(provider, receipt) {
      const key = `${provider} ${receipt.messageId}`;
      const { reference } = receipt;
      const referred = reference === undefined ? undefined : owners.get(`${provider} ref:${reference}`);
      const owner = owners.get(key) ?? referred ?? null;
      const before = early.get(key);
      const news = before === undefined || WEIGHT[receipt.status] >= WEIGHT[before.status];
      if (owner === null && news) early.set(key, receipt, EARLY_RECEIPT_SECONDS);
      return owner;
    },
  };
}
