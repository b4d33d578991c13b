import { moneyText } from "../../domain/kernel/text.ts";
import type { Alert } from "../../domain/monitor/alert.ts";
import type { AlertChannelPort } from "../../ports/monitor.ts";
import { ALERT_TIMEOUT_MS, alertFailed, isPermanentFailure, postJson } from "./alert-http.ts";

export interface PagerDutyOptions {
  /** `https://events.pagerduty.com`, the service region's, or a stand-in. */
  apiUrl: string;
  /** The service's integration key. */
  routingKey: string;
  timeoutMs?: number;
}

/** PagerDuty cuts or refuses what is longer. */
const SUMMARY_LENGTH = 1024;
const KEY_LENGTH = 255;

/**
 * PagerDuty, Events API v2: one incident there per matter here, opened and carried on by `trigger` and closed by `resolve`
 * under the same `dedup_key`. It answers 202; 429 and 5xx pass, any other 4xx does not.
 *
 * @see https://developer.pagerduty.com/docs/events-api-v2-overview
 */
export function pagerdutyChannel(options: PagerDutyOptions): AlertChannelPort {
  const { apiUrl, routingKey, timeoutMs = ALERT_TIMEOUT_MS } = options;
  return {
    name: "pagerduty",
    async tell(alert) {
      const body = JSON.stringify({ routing_key: routingKey, ...pagerdutyEvent(alert) });
      const answer = await postJson(`${apiUrl}/v2/enqueue`, timeoutMs, { body });
      if (answer.kind === "failed") return answer;
      const { status, retryAfterSeconds } = answer;
      if (status === 202) return { kind: "told" };
      return alertFailed(`pagerduty answered ${status}`, !isPermanentFailure(status), retryAfterSeconds);
    },
  };
}

/** The event without its routing key. */
export function pagerdutyEvent(alert: Alert) {
  const dedup_key = alert.dedupKey.slice(0, KEY_LENGTH);
  if (alert.phase === "resolve") return { event_action: "resolve", dedup_key };
  const { currency, spentMicros, unansweredMicros, perHourMicros } = alert;
  const money = (micros: number | null) => (micros === null ? "unknown" : moneyText(micros, currency));
  return {
    event_action: "trigger",
    dedup_key,
    client: "Tollgate",
    payload: {
      summary: cut(`[${alert.environment}] ${alert.title}`, SUMMARY_LENGTH),
      source: `tollgate-${alert.environment}`,
      severity: alert.severity,
      timestamp: new Date(alert.atMs).toISOString(),
      component: "tollgate",
      group: alert.environment,
      class: alert.kind,
      custom_details: {
        since: new Date(alert.sinceMs).toISOString(),
        spent: money(spentMicros),
        ...(unansweredMicros === null ? {} : { unanswered: money(unansweredMicros) }),
        per_hour: money(perHourMicros),
        ...detailsOf(alert.facts),
        done_by_itself: alert.done.length === 0 ? ["nothing"] : alert.done,
        what_to_do: alert.next,
        runbook: alert.runbook,
        owner: alert.owner,
      },
    },
    ...(URL.canParse(alert.runbook) ? { links: [{ href: alert.runbook, text: "Runbook" }] } : {}),
  };
}

/** Facts by their labels; the second one of a label is `label 2`, because an object holds each name once. */
function detailsOf(facts: Alert["facts"]): Record<string, string> {
  const details: Record<string, string> = {};
  for (const { label, value } of facts) {
    let name = label;
    for (let nth = 2; name in details; nth += 1) name = `${label} ${nth}`;
    details[name] = value;
  }
  return details;
}

/** Cuts between characters. */
const cut = (text: string, length: number) =>
  text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\uD800-\uDBFF]$/, "")}…`;
