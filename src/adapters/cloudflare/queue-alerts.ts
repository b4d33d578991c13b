import * as z from "zod";
import { ALERT_KINDS, ALERTS_QUEUE, type AlertMessage } from "../../domain/monitor/alert.ts";
import { ALERT_CHANNELS } from "../../domain/monitor/alerts.policy.ts";
import type { Log } from "../../ports/deps.ts";
import type { AlertsPort } from "../../ports/monitor.ts";
import type { RecordsPort } from "../../ports/records.ts";
import type { WriteResult } from "../../ports/result.ts";
import { parseJson } from "../json.ts";

/** A batch may hold 100 messages and 256 KB; an alert has a few KB. */
const BATCH = 25;

/** Before the second and last try: a page that an emergency calls for must not end as a dead letter over one lost request. */
const QUEUE_PAUSE_MS = 500;

/** Ids of alerts that an isolate raised, so that a monitor without a memory does not repeat them every minute. */
const REMEMBERED_IDS = 200;

const text = z.string().max(4000);
const micros = z.number().nullable();

const messageSchema: z.ZodType<AlertMessage> = z.strictObject({
  channel: z.enum(ALERT_CHANNELS),
  alert: z.strictObject({
    id: text.min(1),
    kind: z.enum(ALERT_KINDS),
    dedupKey: text.min(1),
    phase: z.enum(["trigger", "update", "resolve"]),
    severity: z.enum(["info", "warning", "critical"]),
    environment: text,
    title: text,
    atMs: z.number(),
    sinceMs: z.number(),
    spentMicros: micros,
    unansweredMicros: micros,
    perHourMicros: micros,
    currency: text,
    facts: z.array(z.strictObject({ label: text, value: text })).max(50),
    done: z.array(text).max(50),
    next: text,
    runbook: text,
    owner: text,
  }),
});

/**
 * Alerts by way of a Cloudflare Queue, one message per alert and channel. An alert the queue does not take lies among the
 * dead letters, where people see it and can send it once more.
 *
 * @see https://developers.cloudflare.com/queues/platform/limits/
 */
export function queueAlerts(
  queue: Queue,
  records: Pick<RecordsPort, "bury">,
  nowMs: () => number,
  log: Log,
): AlertsPort & { read(body: unknown): AlertMessage | null; requeue(body: string): Promise<WriteResult> } {
  const raised = new Set<string>();

  return {
    async raise(alerts) {
      const fresh = alerts.filter(({ alert }) => !raised.has(alert.id));
      for (const { alert, channels } of fresh) {
        const { id, kind, phase, severity, title } = alert;
        log("alert_raised", { alert_id: id, kind, phase, severity, title, channels: channels.join(" ") });
        remember(id);
      }
      const messages = fresh.flatMap(({ alert, channels }) =>
        [...new Set(channels)].map((channel): AlertMessage => ({ alert, channel })),
      );
      for (let i = 0; i < messages.length; i += BATCH) await send(messages.slice(i, i + BATCH));
    },

    read(body) {
      const parsed = messageSchema.safeParse(body);
      return parsed.success ? parsed.data : null;
    },

    async requeue(body) {
      const parsed = messageSchema.safeParse(parseJson(body));
      if (!parsed.success) return { kind: "unavailable", cause: "the letter holds no alert" };
      try {
        await queue.send(parsed.data, { contentType: "json" });
        return { kind: "done" };
      } catch {
        return { kind: "unavailable", cause: "the queue does not take it" };
      }
    },
  };

  async function send(messages: readonly AlertMessage[]): Promise<void> {
    const batch = messages.map((body) => ({ body, contentType: "json" as const }));
    const attempt = () => queue.sendBatch(batch);
    try {
      await attempt().catch(async () => {
        await new Promise((resolve) => setTimeout(resolve, QUEUE_PAUSE_MS));
        await attempt();
      });
    } catch {
      log("alerts_not_queued", { count: messages.length });
      await Promise.all(messages.map(bury));
    }
  }

  async function bury(message: AlertMessage): Promise<void> {
    const { id } = message.alert;
    const buried = await records.bury({
      id: `${id}:${message.channel}`,
      atMs: nowMs(),
      queue: ALERTS_QUEUE,
      cause: "the queue did not take it",
      body: JSON.stringify(message),
    });
    // No queue has it, so raising it again must not count as a repetition.
    if (buried.kind === "unavailable") raised.delete(id);
  }

  function remember(id: string): void {
    raised.add(id);
    const [oldest] = raised;
    if (raised.size > REMEMBERED_IDS && oldest !== undefined) raised.delete(oldest);
  }
}
