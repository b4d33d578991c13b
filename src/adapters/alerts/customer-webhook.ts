import type { CustomerPort } from "../../ports/outbox.ts";
import { signedHeaders } from "../providers/signed-webhooks.ts";
import { ALERT_TIMEOUT_MS, alertFailed, postJson } from "./alert-http.ts";

export interface CustomerWebhookOptions {
  /** https, or http on this machine. */
  url: string;
  /** `whsec_` and base64 each; the first one makes the hashes, all of them sign, so that it can be exchanged. */
  secrets: readonly string[];
  timeoutMs?: number;
}

/** The receiver says that it is gone for good. */
const GONE = 410;

/**
 * The customer's backend by Standard Webhooks: any 2xx is a delivery, 410 the end, and everything else may pass. The number
 * travels as a hash under the webhook's secret: the backend finds which of its users is meant without our holding the number
 * in a queue for a day.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function customerWebhook({
  url,
  secrets,
  timeoutMs = ALERT_TIMEOUT_MS,
}: CustomerWebhookOptions): CustomerPort {
  const [secret = ""] = secrets;
  let key: Promise<CryptoKey> | undefined;
  return {
    settings: { host: new URL(url).host, secrets: secrets.length },

    async hashPhone(e164) {
      key ??= crypto.subtle.importKey(
        "raw",
        Uint8Array.from(atob(secret.replace(/^whsec_/, "")), (char) => char.charCodeAt(0)),
        { name: "HMAC", hash: "SHA-256" },
        false,
        ["sign"],
      );
      const hash = new Uint8Array(
        await crypto.subtle.sign("HMAC", await key, new TextEncoder().encode(e164)),
      );
      return `v1,${btoa(String.fromCharCode(...hash))
        .replaceAll("+", "-")
        .replaceAll("/", "_")
        .replaceAll("=", "")}`;
    },

    async tell({ id, type, atMs, sequence, correlationId, subject, facts }) {
      const body = JSON.stringify({
        type,
        timestamp: new Date(atMs).toISOString(),
        data: {
          sequence,
          correlation_id: correlationId,
          ...(subject && { flow: subject.flow, reference: subject.reference, phone_hash: subject.phoneHash }),
          ...facts,
        },
      });
      const answer = await postJson(url, timeoutMs, { headers: signedHeaders(secrets, id, body), body });
      if (answer.kind === "failed") return answer;
      const { status, retryAfterSeconds } = answer;
      if (status >= 200 && status < 300) return { kind: "told" };
      return alertFailed(`the customer's backend answered ${status}`, status !== GONE, retryAfterSeconds);
    },
  };
}
