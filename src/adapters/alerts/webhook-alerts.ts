import { Webhook } from "standardwebhooks";
import type { Alert } from "../../domain/monitor/alert.ts";
import type { AlertChannelPort } from "../../ports/monitor.ts";
import { ALERT_TIMEOUT_MS, alertFailed, postJson } from "./alert-http.ts";

export interface AlertWebhookOptions {
  /** https, or http on this machine. */
  url: string;
  /** `whsec_` and the base64 of 24 to 64 bytes. */
  secret: string;
  timeoutMs?: number;
}

/** The receiver says that it is gone for good. */
const GONE = 410;

/**
 * Any receiver that speaks Standard Webhooks: any 2xx is a delivery, 410 the end, and everything else may pass. The id is the
 * alert's and stays through all attempts, so that a receiver can tell a repetition; the time is the attempt's.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function webhookChannel(
  { url, secret, timeoutMs = ALERT_TIMEOUT_MS }: AlertWebhookOptions,
  nowMs: () => number,
): AlertChannelPort {
  const webhook = new Webhook(secret);
  return {
    name: "webhook",
    async tell(alert) {
      const body = JSON.stringify(webhookEvent(alert));
      const at = new Date(nowMs());
      const answer = await postJson(url, timeoutMs, {
        headers: {
          "webhook-id": alert.id,
          "webhook-timestamp": String(Math.floor(at.getTime() / 1000)),
          "webhook-signature": webhook.sign(alert.id, at, body),
        },
        body,
      });
      if (answer.kind === "failed") return answer;
      const { status, retryAfterSeconds } = answer;
      if (status >= 200 && status < 300) return { kind: "told" };
      return alertFailed(`webhook answered ${status}`, status !== GONE, retryAfterSeconds);
    },
  };
}

const TYPES = { trigger: "alert.opened", update: "alert.updated", resolve: "alert.closed" } as const;

/** The event as receivers read it: times in RFC 3339, money in millionths of the currency. */
function webhookEvent(alert: Alert) {
  return {
    type: TYPES[alert.phase],
    timestamp: new Date(alert.atMs).toISOString(),
    data: {
      id: alert.id,
      kind: alert.kind,
      dedup_key: alert.dedupKey,
      severity: alert.severity,
      environment: alert.environment,
      title: alert.title,
      since: new Date(alert.sinceMs).toISOString(),
      spent_micros: alert.spentMicros,
      unanswered_micros: alert.unansweredMicros,
      per_hour_micros: alert.perHourMicros,
      currency: alert.currency,
      facts: alert.facts,
      done: alert.done,
      next: alert.next,
      runbook: alert.runbook,
      owner: alert.owner,
    },
  };
}
