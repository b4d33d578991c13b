/** The results of a message: the provider's answer, and the receipts that come later. */
import type { Channel } from "../kernel/channel.ts";
import { type CarriedReceipt, isSessionOver, type SendRecord, type SessionState } from "./session.ts";

/** The session after a provider's answer to one message. A session none of whose messages left is closed. */
export function settleSend(
  state: SessionState,
  sendIndex: number,
  outcome: Pick<SendRecord, "status" | "provider" | "messageId">,
): SessionState {
  const send = state.sends[sendIndex];
  // The receipt may have come before the answer, which then adds the names only.
  if (send?.status === "delivered" || send?.status === "undelivered") {
    const named = { provider: outcome.provider, messageId: outcome.messageId ?? send.messageId };
    return { ...state, sends: state.sends.with(sendIndex, { ...send, ...named }) };
  }
  const refused = outcome.status === "refused";
  const settled = refused ? { ...outcome, hold: null } : outcome;
  // A later message that left has set the code's life for itself.
  const last = state.sends.slice(sendIndex + 1).every(({ status }) => status === "refused");
  const before = refused && last ? state.sends[sendIndex]?.codeExpiredAtMs : undefined;
  const codeExpiresAtMs = before ?? state.codeExpiresAtMs;
  const sends = state.sends.map((send, index) => (index === sendIndex ? { ...send, ...settled } : send));
  const nothingLeft = sends.every((send) => send.status === "refused");
  const status = nothingLeft && state.status === "open" ? "closed" : state.status;
  return { ...state, sends, status, codeExpiresAtMs };
}

/**
 * The session after a provider's receipt. Receipts come late, twice and out of order: a delivered message stays delivered, and
 * a receipt after the final one changes nothing. A text of several parts is delivered when all of them are, and
 * undelivered when one is.
 */
export function receiveReceipt(
  state: SessionState,
  sendIndex: number,
  receipt: { status: "delivered" | "undelivered"; messageId: string; parts?: number | undefined },
): { state: SessionState; changed: boolean } {
  const send = state.sends[sendIndex];
  const final = send?.status === "delivered" || send?.status === "refused" || send?.status === receipt.status;
  if (send === undefined || final) return { state, changed: false };
  const replaced = (by: SendRecord) => ({
    ...state,
    sends: state.sends.map((other, index) => (index === sendIndex ? by : other)),
  });
  const { parts = 1 } = receipt;
  if (receipt.status === "delivered" && parts > 1) {
    const deliveredParts = [...new Set([...(send.deliveredParts ?? []), receipt.messageId])];
    if (deliveredParts.length < parts)
      return { state: replaced({ ...send, deliveredParts }), changed: false };
  }
  // The id of the first part stands for all of them.
  const messageId = parts > 1 ? (send.messageId ?? receipt.messageId) : receipt.messageId;
  const settled = { ...send, status: receipt.status, messageId };
  return { state: replaced(settled), changed: true };
}

/**
 * The session with a delivery that the ledger gets at the session's end, together with the end itself. An undelivered message, and a
 * session that is over, cannot wait.
 *
 * @returns null where the session does not carry it
 */
export function carryReceipt(
  state: SessionState,
  sendIndex: number,
  carried: CarriedReceipt,
  nowMs: number,
): SessionState | null {
  const send = state.sends[sendIndex];
  if (send?.status !== "delivered" || isSessionOver(state, nowMs)) return null;
  return { ...state, sends: state.sends.with(sendIndex, { ...send, carried }) };
}

/** A carried delivery, and the message it is of. */
export interface TakenReceipt extends CarriedReceipt {
  sendIndex: number;
  channel: Channel;
}

/** The deliveries that a session carries. */
export const carriedReceipts = ({ sends }: SessionState): TakenReceipt[] =>
  sends.flatMap(({ carried, channel }, sendIndex) => (carried ? [{ ...carried, sendIndex, channel }] : []));
