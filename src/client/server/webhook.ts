import { Webhook } from "standardwebhooks";

/** How far a delivery's time may be from now (Standard Webhooks). */
const TOLERANCE_SECONDS = 300;

/** A delivery whose body was read already: the raw body, before anything parsed it. */
export interface WebhookParts {
  headers: Headers | Readonly<Record<string, string | readonly string[] | undefined>>;
  body: string | Uint8Array;
}

export type WebhookRefusal =
  /** `webhook-id`, `webhook-timestamp` or `webhook-signature` is missing. */
  | "missing_header"
  /** The time is no number, or what was signed is not JSON. */
  | "malformed"
  /** Sent more than five minutes ago, or in the future. */
  | "stale"
  /** None of the signatures fits any of the secrets. */
  | "bad_signature";

export type WebhookResult =
  | {
      ok: true;
      /** Of the event. Deliveries are repeated until they are answered, with the same id: act on each once. */
      id: string;
      sentAt: Date;
      /** The parsed body; null where it was empty. */
      payload: unknown;
    }
  | { ok: false; reason: WebhookRefusal };

/**
 * Checks a webhook that the service sent (Standard Webhooks, signature version `v1`).
 *
 * @param delivery the request, whose body this reads; or its headers and raw body
 * @param secrets `whsec_...`; during a rotation the new one and the old one
 * @returns the event, or the reason to answer 400 and do nothing. It rejects when a secret is not one.
 */
export async function verifyWebhook(
  delivery: Request | WebhookParts,
  secrets: string | readonly string[],
): Promise<WebhookResult> {
  const webhooks = (typeof secrets === "string" ? [secrets] : secrets).map((secret) => new Webhook(secret));
  const header = (name: string) => headerOf(delivery.headers, name);
  const id = header("webhook-id");
  const timestamp = header("webhook-timestamp");
  const signature = header("webhook-signature");
  if (!id || !timestamp || !signature) return refuse("missing_header");

  if (!/^\d{1,12}$/.test(timestamp)) return refuse("malformed");
  const sentAt = new Date(Number(timestamp) * 1000);
  if (Math.abs(Math.floor(Date.now() / 1000) - Number(timestamp)) > TOLERANCE_SECONDS) return refuse("stale");

  const body = delivery instanceof Request ? await delivery.text() : textOf(delivery.body);
  const signed = {
    "webhook-id": id,
    "webhook-timestamp": timestamp,
    "webhook-signature": signature,
  };
  if (!webhooks.some((webhook) => fits(webhook, body, signed))) return refuse("bad_signature");
  try {
    return { ok: true, id, sentAt, payload: body === "" ? null : JSON.parse(body) };
  } catch {
    return refuse("malformed");
  }
}

const refuse = (reason: WebhookRefusal): WebhookResult => ({ ok: false, reason });

function fits(webhook: Webhook, body: string, signed: Record<string, string>): boolean {
  try {
    webhook.verify(body, signed, { jsonParse: false });
    return true;
  } catch {
    return false;
  }
}

/** Node gives headers as a plain object in lower case, everybody else as `Headers`. */
function headerOf(headers: WebhookParts["headers"], name: string): string | undefined {
  if (headers instanceof Headers) return headers.get(name) ?? undefined;
  const value = Object.entries(headers).find(([key]) => key.toLowerCase() === name)?.[1];
  return typeof value === "string" ? value : undefined;
}

const textOf = (body: string | Uint8Array) =>
  typeof body === "string" ? body : new TextDecoder().decode(body);
