import type { TakenReceipt } from "../session/settle.ts";
import { EMPTY_EVENT_DETAILS, type LedgerEvent } from "./event.ts";

/** The ledger's event of a delivery that its session carried. */
export const deliveredEvent = (
  correlationId: string,
  { sendIndex, atMs, provider, channel, messageId, country, code }: TakenReceipt,
): LedgerEvent => ({
  ...EMPTY_EVENT_DETAILS,
  id: `delivered.${correlationId}.${sendIndex}`,
  kind: "delivered",
  atMs,
  correlationId,
  provider,
  channel,
  messageId,
  country,
  code,
  receipt: "delivered",
});
