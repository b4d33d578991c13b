import * as z from "zod";
import { CHANNELS } from "../../domain/kernel/channel.ts";
import { CUSTOMER_EVENT_TYPES, TEST_EVENT } from "../../domain/session/customer-event.ts";
import type { OutboxMessage, OutboxPort } from "../../ports/outbox.ts";
import type { WriteResult } from "../../ports/result.ts";
import { parseJson } from "../json.ts";

const name = z.string().min(1).max(64);
const messageId = z.string().min(1).max(256);

const messageSchema: z.ZodType<OutboxMessage, unknown> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("feedback"),
    correlationId: z.string().max(64).nullable().default(null),
    provider: name,
    messageId,
    channel: z.enum(CHANNELS),
    verified: z.boolean(),
    atMs: z.number(),
  }),
  z.strictObject({
    kind: z.literal("resend"),
    of: z.string().min(1).max(200),
    session: z.string().min(1).max(8192),
    correlationId: z.string().max(64),
  }),
  z.strictObject({ kind: z.literal("poll"), provider: name, messageId, tries: z.int().min(0) }),
  z.strictObject({
    kind: z.literal("event"),
    event: z.strictObject({
      id: z.string().min(1).max(200),
      type: z.enum([...CUSTOMER_EVENT_TYPES, TEST_EVENT]),
      atMs: z.number(),
      sequence: z.int().min(0),
      correlationId: z.string().max(64).nullable(),
      subject: z
        .strictObject({
          flow: z.string().max(64),
          reference: z.string().max(1000).nullable(),
          phoneHash: z.string().max(100),
        })
        .nullable(),
      facts: z.record(z.string().max(64), z.json()),
    }),
  }),
]);

/**
 * Work for providers and events for the customer's backend, by way of a Cloudflare Queue that flows/consumers/consume-outbox.ts
 * consumes.
 */
export function queueOutbox(queue: Queue): OutboxPort & { requeue(body: string): Promise<WriteResult> } {
  return {
    async put(messages, delaySeconds) {
      if (messages.length === 0) return { kind: "done" };
      try {
        await queue.sendBatch(
          messages.map((body) => ({ body, contentType: "json" })),
          delaySeconds === undefined ? {} : { delaySeconds },
        );
        return { kind: "done" };
      } catch {
        return { kind: "unavailable", cause: "the queue does not take it" };
      }
    },

    async requeue(body) {
      const message = readOutboxMessage(parseJson(body));
      if (message === null) return { kind: "unavailable", cause: "the letter holds no work for others" };
      return this.put([message]);
    },
  };
}

/** A queue message's body, checked; null for anything else. */
export function readOutboxMessage(body: unknown): OutboxMessage | null {
  const parsed = messageSchema.safeParse(body);
  return parsed.success ? parsed.data : null;
}
