/**
 * A small provider of one's own, to begin from: it takes messages that Tollgate's webhook provider posts, prints them, and
 * sends a receipt back. Put the line that really sends where the comment says so.
 *
 *   WEBHOOK_SECRET=whsec_... RECEIPT_URL=https://<tollgate>/<receipts of this provider> node scripts/examples/webhook-provider.ts
 */
import { Webhook } from "standardwebhooks";
import { serveLocally } from "../dev/serve.ts";

const { WEBHOOK_SECRET = "", RECEIPT_URL = "", PORT = "8791" } = process.env;
if (WEBHOOK_SECRET === "") throw new Error("WEBHOOK_SECRET is missing: whsec_ and 32 bytes of base64");
const webhook = new Webhook(WEBHOOK_SECRET);

/** Ids by `webhook-id`: a message that comes twice is sent once. A real provider keeps them in its database. */
const known = new Map<string, string>();

const server = await serveLocally(async (request) => {
  const text = await request.text();
  let event: { type?: string };
  try {
    event = webhook.verify(text, Object.fromEntries(request.headers)) as { type?: string };
  } catch {
    return Response.json({ error: "the signature is missing, wrong or too old" }, { status: 401 });
  }
  if (event.type !== "message.send") {
    // Feedback: whether the person typed the code.
    console.log(JSON.stringify(event));
    return new Response(null, { status: 204 });
  }

  const key = request.headers.get("webhook-id") ?? "";
  const messageId = known.get(key) ?? crypto.randomUUID();
  if (!known.has(key)) {
    known.set(key, messageId);
    // Here the message leaves: `body` as text, `spoken` as voice, or `code` in a template of one's own.
    console.log(JSON.stringify(event));
    if (RECEIPT_URL !== "") void sendReceipt(messageId);
  }
  return Response.json({ message_id: messageId, cost_micros: 0 });
}, Number(PORT));
console.log(`listening on ${server.url}`);

async function sendReceipt(messageId: string): Promise<void> {
  const id = `receipt_${messageId}`;
  const now = new Date();
  const body = JSON.stringify({
    type: "message.receipt",
    message_id: messageId,
    // Or "sent", which is not final, or "undelivered" with an error_code.
    status: "delivered",
    at: now.toISOString(),
  });
  const headers = {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": String(Math.floor(now.getTime() / 1000)),
    "webhook-signature": webhook.sign(id, now, body),
  };
  const answered = await fetch(RECEIPT_URL, { method: "POST", headers, body }).then(
    ({ status }) => String(status),
    () => "nothing",
  );
  console.log(`receipt for ${messageId}: answered ${answered}`);
}
