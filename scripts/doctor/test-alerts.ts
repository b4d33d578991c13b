/** A test alert to every owner, by the channels of the Worker itself. */
import { pagerdutyChannel } from "../../src/adapters/alerts/pagerduty-alerts.ts";
import { slackChannel } from "../../src/adapters/alerts/slack-alerts.ts";
import { webhookChannel } from "../../src/adapters/alerts/webhook-alerts.ts";
import type { Alert } from "../../src/domain/monitor/alert.ts";
import type { AlertChannelPort } from "../../src/ports/monitor.ts";
import type { Settings } from "../lib/configuration.ts";
import { isTable, policyOf, type Table } from "../lib/settings.ts";
import { type Finding, finding, ok } from "./finding.ts";

export async function testAlertFindings(
  name: string,
  environment: Table,
  known: Settings,
): Promise<Finding[]> {
  const { alerts } = policyOf(environment);
  const owners = isTable(alerts) && Array.isArray(alerts.owners) ? alerts.owners.filter(isTable) : [];
  const found: Finding[] = [];
  for (const owner of owners) {
    for (const channel of Array.isArray(owner.channels) ? owner.channels.map(String) : []) {
      found.push(await tellOwner(name, String(owner.name), channel, known));
    }
  }
  return found;
}

async function tellOwner(name: string, owner: string, channel: string, known: Settings): Promise<Finding> {
  const port = openChannel(channel, known);
  const check = `alert ${owner} by ${channel}`;
  if (port === null) {
    return finding("skipped", check, "its settings are not known here", {
      why: "Cloudflare gives no secret back",
      mend: "give them by --settings FILE, or as variables of their names",
    });
  }
  const result = await port.tell(testAlert(name, owner, Date.now()));
  return result.kind === "told"
    ? ok(check, "a test alert left; ask whether it arrived")
    : finding("error", check, result.cause, {
        why: "nobody would hear of an attack",
        mend: `put the channel's secrets again: npx wrangler secret put NAME --env ${name}`,
      });
}

function openChannel(channel: string, known: Settings): AlertChannelPort | null {
  const {
    SLACK_WEBHOOK_URL,
    PAGERDUTY_API_URL,
    PAGERDUTY_ROUTING_KEY,
    ALERT_WEBHOOK_URL,
    ALERT_WEBHOOK_SECRET,
  } = known;
  if (channel === "slack" && SLACK_WEBHOOK_URL) return slackChannel({ webhookUrl: SLACK_WEBHOOK_URL });
  if (channel === "pagerduty" && PAGERDUTY_ROUTING_KEY) {
    const apiUrl = PAGERDUTY_API_URL ?? "https://events.pagerduty.com";
    return pagerdutyChannel({ apiUrl, routingKey: PAGERDUTY_ROUTING_KEY });
  }
  if (channel === "webhook" && ALERT_WEBHOOK_URL && ALERT_WEBHOOK_SECRET) {
    return webhookChannel({ url: ALERT_WEBHOOK_URL, secret: ALERT_WEBHOOK_SECRET }, () => Date.now());
  }
  return null;
}

const testAlert = (environment: string, owner: string, nowMs: number): Alert => ({
  id: `doctor-${nowMs}`,
  kind: "watch",
  dedupKey: `doctor-${environment}`,
  phase: "trigger",
  severity: "info",
  environment,
  title: `Test alert of ${environment}: nothing is wrong`,
  atMs: nowMs,
  sinceMs: nowMs,
  spentMicros: null,
  unansweredMicros: null,
  perHourMicros: null,
  currency: "USD",
  facts: [],
  done: [],
  next: "Nothing: npm run doctor -- --alerts sent it.",
  runbook: "README, Runbook",
  owner,
});
