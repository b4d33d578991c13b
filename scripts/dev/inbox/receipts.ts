import { Webhook } from "standardwebhooks";

/** How receipts leave: `fetch`, or a test's. */
export type Post = (url: string, init: RequestInit) => Promise<Response>;

const PATIENCE_MS = 5000;

/** What a pretend provider says became of a message. */
export interface InboxReceipt {
  messageId: string;
  status: "delivered" | "undelivered";
  /** RFC 3339. */
  at: string;
}

/**
 * Posts a receipt signed by Standard Webhooks.
 *
 * @param id the same for a repetition, as the standard wants it
 * @returns what became of it, for people to read
 */
export async function postReceipt(
  { messageId, status, at }: InboxReceipt,
  { url, secret, post }: { url: string; secret: string; post: Post },
): Promise<string> {
  const id = `receipt_${messageId}`;
  const now = new Date();
  const body = JSON.stringify({
    type: "message.receipt",
    message_id: messageId,
    status,
    error_code: status === "undelivered" ? "bounced" : null,
    at,
  });
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": new Webhook(secret).sign(id, now, body),
  };
  try {
    const signal = AbortSignal.timeout(PATIENCE_MS);
    const response = await post(url, { method: "POST", headers, body, signal });
    await response.body?.cancel();
    return `${status}, answered ${response.status}`;
  } catch {
    return `${status}, not answered`;
  }
}
