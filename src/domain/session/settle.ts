/** What became of a message: what its provider answered, and the receipts that come later. */
import type { SendRecord, SessionState } from "./session.ts";

/** Writes down what the provider answered for one message. A session none of whose messages left is closed. */
export function settleSend(
  state: SessionState,
  sendIndex: number,
  outcome: Pick<SendRecord, "status" | "provider" | "messageId">,
): SessionState {
  const send = state.sends[sendIndex];
  // Its receipt may have been quicker than the answer, which then brings the names alone.
  if (send?.status === "delivered" || send?.status === "undelivered") {
    const named = { provider: outcome.provider, messageId: outcome.messageId ?? send.messageId };
    return { ...state, sends: state.sends.with(sendIndex, { ...send, ...named }) };
  }
  const refused = outcome.status === "refused";
  const settled = refused ? { ...outcome, hold: null } : outcome;
  // A later message that left has its own claim on the code's life.
  const last = state.sends.slice(sendIndex + 1).every(({ status }) => status === "refused");
  const before = refused && last ? state.sends[sendIndex]?.codeExpiredAtMs : undefined;
  const codeExpiresAtMs = before ?? state.codeExpiresAtMs;
  const sends = state.sends.map((send, index) => (index === sendIndex ? { ...send, ...settled } : send));
  const nothingLeft = sends.every((send) => send.status === "refused");
  const status = nothingLeft && state.status === "open" ? "closed" : state.status;
  return { ...state, sends, status, codeExpiresAtMs };
}

/**
 * Takes in a provider's receipt. They come late, twice and out of order: a delivered message stays delivered, and whatever
 * comes after a final word changes nothing else.
 */
export function receiveReceipt(
  state: SessionState,
  sendIndex: number,
  receipt: { status: "delivered" | "undelivered"; messageId: string },
): { state: SessionState; changed: boolean } {
  const send = state.sends[sendIndex];
  const final = send?.status === "delivered" || send?.status === "refused" || send?.status === receipt.status;
  if (send === undefined || final) return { state, changed: false };
  const settled = { ...send, status: receipt.status, messageId: receipt.messageId };
  const sends = state.sends.map((other, index) => (index === sendIndex ? settled : other));
  return { state: { ...state, sends }, changed: true };
}
