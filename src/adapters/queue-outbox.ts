import { z } from "zod";
import type { Done, OutboxMessage, OutboxPort } from "../ports.ts";

const name = z.string().min(1).max(64);
const messageId = z.string().min(1).max(256);

const messageSchema: z.ZodType<OutboxMessage> = z.discriminatedUnion("kind", [
  z.strictObject({
    kind: z.literal("feedback"),
    provider: name,
    messageId,
    channel: z.enum(["sms", "voice", "whatsapp"]),
    verified: z.boolean(),
    atMs: z.number(),
  }),
  z.strictObject({ kind: z.literal("poll"), provider: name, messageId, tries: z.int().min(0) }),
]);

/** Work for providers by way of a Cloudflare Queue; its consumer is flows/work-off.ts. */
export function queueOutbox(queue: Queue): OutboxPort & { requeue(body: string): Promise<Done> } {
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
      if (message === null) return { kind: "unavailable", cause: "the letter holds no work for a provider" };
      return this.put([message]);
    },
  };
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

/** A queue message's body, checked; null for anything else. */
export function readOutboxMessage(body: unknown): OutboxMessage | null {
  const parsed = messageSchema.safeParse(body);
  return parsed.success ? parsed.data : null;
}
