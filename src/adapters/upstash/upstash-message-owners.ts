import type { Redis } from "@upstash/redis/cloudflare";
import * as z from "zod";
import { JUDGEMENTS } from "../../domain/delivery/judgement.ts";
import { EARLY_RECEIPT_SECONDS, MESSAGE_OWNER_SECONDS } from "../../domain/delivery/lifetimes.ts";
import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { MessageOwner, MessageOwnersPort, Receipt } from "../../ports/delivery.ts";
import { redisKeys } from "../redis-keys.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/** KEYS message, early receipt. ARGV owner, life. One script: between two commands a receipt could fall through. */
const BIND = `
redis.call("SET", KEYS[1], ARGV[1], "EX", ARGV[2])
local early = redis.call("GET", KEYS[2]) or ""
redis.call("DEL", KEYS[2])
return early`;

/**
 * KEYS message, early receipt, and the message by its reference where the receipt repeats one. ARGV receipt, life, status. Of
 * several early ones the best word is kept: a final one is not forgotten for one on the way, nor a delivery for its opposite.
 */
const CLAIM = `
local owner = redis.call("GET", KEYS[1])
if not owner and KEYS[3] then owner = redis.call("GET", KEYS[3]) end
if owner then return owner end
local early = redis.call("GET", KEYS[2])
if not early or ARGV[3] == "delivered" or string.find(early, '"status":"sent"', 1, true) then
  redis.call("SET", KEYS[2], ARGV[1], "EX", ARGV[2])
end
return ""`;

const ownerSchema: z.ZodType<MessageOwner> = z.object({
  sessionId: z.string(),
  sendIndex: z.number(),
  correlationId: z.string(),
  country: z.string(),
  channel: z.enum(CHANNELS),
  minute: z.number(),
  handedOverMs: z.number().nullable().default(null),
  session: z.string().nullable(),
  numberTag: z.string().optional(),
  block: z.string().optional(),
  parts: z.number().optional(),
});

const receiptSchema: z.ZodType<Receipt> = z.object({
  messageId: z.string(),
  status: z.enum(["sent", "delivered", "undelivered"]),
  errorCode: z.string().nullable(),
  costMicros: z.number().nullable(),
  atMs: z.number().nullable(),
  judgement: z.enum(JUDGEMENTS).optional().catch(undefined),
  reference: z.string().optional().catch(undefined),
});

/** No message id of any provider looks like this. */
const byReference = (reference: string) => `ref:${reference}`;

/** Whose message a message id is, on Upstash. What it keeps names a session and a country, and nobody. */
export function upstashMessageOwners(redis: Redis): MessageOwnersPort {
  const run = async <T>(
    script: string,
    provider: string,
    names: { messageId: string; reference?: string | undefined },
    args: [object, number, ...string[]],
    schema: z.ZodType<T>,
  ) => {
    try {
      const [value, lifeSeconds, ...more] = args;
      const { messageId, reference } = names;
      const answer = await redis.eval<string[], unknown>(
        script,
        [
          redisKeys.message(provider, messageId),
          redisKeys.earlyReceipt(provider, messageId),
          ...(reference === undefined ? [] : [redisKeys.message(provider, byReference(reference))]),
        ],
        [JSON.stringify(value), String(lifeSeconds), ...more],
      );
      // The client parses JSON by itself.
      return answer === "" ? null : schema.parse(typeof answer === "string" ? JSON.parse(answer) : answer);
    } catch (error) {
      return upstashUnavailable(error);
    }
  };
  return {
    bind: (provider, messageId, owner) =>
      run(BIND, provider, { messageId }, [owner, MESSAGE_OWNER_SECONDS], receiptSchema),
    async bindReference(provider, reference, owner) {
      const names = { messageId: byReference(reference) };
      const bound = await run(BIND, provider, names, [owner, MESSAGE_OWNER_SECONDS], receiptSchema);
      return bound !== null && "kind" in bound ? bound : { kind: "done" };
    },
    claim: (provider, receipt) =>
      run(CLAIM, provider, receipt, [receipt, EARLY_RECEIPT_SECONDS, receipt.status], ownerSchema),
  };
}
