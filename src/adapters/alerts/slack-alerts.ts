import { dateTimeText } from "../../domain/kernel/instant.ts";
import { moneyText } from "../../domain/kernel/text.ts";
import type { Alert } from "../../domain/monitor/alert.ts";
import type { AlertChannelPort } from "../../ports/monitor.ts";
import { ALERT_TIMEOUT_MS, alertFailed, isPermanentFailure, postJson } from "./alert-http.ts";

export interface SlackOptions {
  /** The incoming webhook's address, which is its secret. */
  webhookUrl: string;
  timeoutMs?: number;
}

/** Slack refuses blocks that are longer. */
const HEADER_LENGTH = 150;
const FIELD_LENGTH = 2000;
const TEXT_LENGTH = 3000;
const MOST_FIELDS = 10;

/** Slack's error strings are single words; anything else in a body is not Slack speaking. */
const ERROR_WORD = /^[a-z][a-z_]{2,60}$/;

const PHASES = { trigger: "New", update: "Update", resolve: "Over" } as const;

/**
 * Slack by an incoming webhook. Anything but 200 with `ok` is a failure: 429 and 5xx pass, a removed channel or webhook does
 * not.
 *
 * @see https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks
 */
export function slackChannel({ webhookUrl, timeoutMs = ALERT_TIMEOUT_MS }: SlackOptions): AlertChannelPort {
  return {
    name: "slack",
    async tell(alert) {
      const answer = await postJson(webhookUrl, timeoutMs, { body: JSON.stringify(slackMessage(alert)) });
      if (answer.kind === "failed") return answer;
      const word = answer.text.trim();
      if (answer.status === 200 && word === "ok") return { kind: "told" };
      const detail = ERROR_WORD.test(word) ? ` ${word}` : "";
      const cause = `slack answered ${answer.status}${detail}`;
      return alertFailed(cause, !isPermanentFailure(answer.status), answer.retryAfterSeconds);
    },
  };
}

/** The payload: blocks, and the same in one line for notifications. */
export function slackMessage(alert: Alert) {
  const { currency, spentMicros, unansweredMicros, perHourMicros } = alert;
  const money = (micros: number | null) => (micros === null ? "unknown" : moneyText(micros, currency));
  const fields = [
    { label: "Since", value: dateTimeText(alert.sinceMs) },
    { label: "Spent so far", value: money(spentMicros) },
    ...(unansweredMicros === null ? [] : [{ label: "Unanswered", value: money(unansweredMicros) }]),
    { label: "Per hour now", value: money(perHourMicros) },
    ...alert.facts,
  ].map(({ label, value }) => mrkdwn(`*${fit(label, 200)}*\n${fit(value, FIELD_LENGTH - 300)}`));
  const done = alert.done.length === 0 ? "Nothing." : alert.done.map((act) => `- ${act}`).join("\n");
  const headline = `${PHASES[alert.phase]}: ${alert.title}`;
  return {
    text: fit(`[${alert.environment}] ${headline}`, TEXT_LENGTH),
    blocks: [
      { type: "header", text: { type: "plain_text", text: fit(headline, HEADER_LENGTH), emoji: false } },
      ...chunks(fields, MOST_FIELDS).map((some) => ({ type: "section", fields: some })),
      { type: "section", text: mrkdwn(`*Done by itself*\n${fit(done, TEXT_LENGTH - 100)}`) },
      { type: "section", text: mrkdwn(`*What to do*\n${fit(alert.next, 2000)}\n${link(alert.runbook)}`) },
      {
        type: "context",
        elements: [
          mrkdwn(fit(`${alert.environment}, ${alert.kind}, ${alert.severity}, owner: ${alert.owner}`, 1000)),
        ],
      },
    ],
    unfurl_links: false,
  };
}

const mrkdwn = (text: string) => ({ type: "mrkdwn", text });

/** A `|` or `>` would end the link early. */
const link = (url: string) => `<${fit(url.replace(/[|>]/g, encodeURIComponent), 500)}|Runbook>`;

/**
 * Escapes what Slack reads as markup, `&`, `<` and `>` (so no text can mention a channel), and cuts between characters, the
 * escaped length counting.
 */
function fit(text: string, length: number): string {
  let fitted = "";
  for (const character of text) {
    const escaped = ESCAPES[character] ?? character;
    if (fitted.length + escaped.length > length - 1) return `${fitted}…`;
    fitted += escaped;
  }
  return fitted;
}

const ESCAPES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;" };

function chunks<T>(items: readonly T[], size: number): T[][] {
  return items.length === 0 ? [] : [items.slice(0, size), ...chunks(items.slice(size), size)];
}
