import type { Redis } from "@upstash/redis/cloudflare";
import * as z from "zod";
import { JUDGEMENTS } from "../../domain/delivery/judgement.ts";
import { EARLY_RECEIPT_SECONDS, MESSAGE_OWNER_SECONDS } from "../../domain/delivery/lifetimes.ts";
import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { CounterUpdate } from "../../domain/monitor/tally.ts";
import type { MessageBinding, MessageOwner, MessageOwnersPort, Receipt } from "../../ports/delivery.ts";
import { redisKeys } from "../redis-keys.ts";
import type { CounterBatch } from "./counter-batch.ts";
import { addCounts, COUNTING } from "./counting-lua.ts";
import { WITH_VALUES } from "./packed-lua.ts";
import { scriptArguments, scriptOn } from "./script-arguments.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/**
 * ARGV: names of the message with its early receipts, the owner and its life; then the counters. Returns the early receipts. One
 * script: between two commands a receipt could fall through.
 */
const BIND = `${WITH_VALUES}${COUNTING}
local answer = {}
for i = 1, num() do
  local name, early, owner, life = key(), key(), word(), word()
  redis.call("SET", name, owner, "EX", life)
  answer[i] = "=" .. value(early)
  if value(early) ~= "" then redis.call("DEL", early) end
end
count()
return answer`;

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
export function upstashMessageOwners(
  redis: Redis,
  batch: CounterBatch,
  nowMs: () => number,
): MessageOwnersPort {
  const bind = scriptOn(redis, BIND);
  const claim = scriptOn(redis, CLAIM);
  return {
    async bind(binding, updates) {
      try {
        const answer = await bind(bindCall(binding, [...updates, ...batch.take()], nowMs()));
        const names = namesOf(binding);
        if (!Array.isArray(answer) || answer.length !== names.length) throw new Error("no answer of BIND");
        const found = answer.map((text) => String(text).slice(1)).filter((text) => text !== "");
        return { kind: "bound", early: found.map((text) => receiptSchema.parse(JSON.parse(text))) };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async claim(provider, receipt) {
      try {
        const { messageId, reference, status } = receipt;
        const names = [
          redisKeys.message(provider, messageId),
          redisKeys.earlyReceipt(provider, messageId),
          ...(reference === undefined ? [] : [redisKeys.message(provider, byReference(reference))]),
        ];
        const answer = await claim({
          names: new Map(names.map((name, i) => [name, i + 1])),
          words: [JSON.stringify(receipt), String(EARLY_RECEIPT_SECONDS), status],
        });
        if (answer === "") return null;
        // The client parses JSON by itself.
        return ownerSchema.parse(typeof answer === "string" ? JSON.parse(answer) : answer);
      } catch (error) {
        return upstashUnavailable(error);
      }
    },
  };
}

const namesOf = ({ messageIds, reference }: MessageBinding): string[] => [
  ...messageIds,
  ...(reference === null ? [] : [byReference(reference)]),
];

function bindCall(binding: MessageBinding, updates: readonly CounterUpdate[], nowMs: number) {
  const { provider, owner } = binding;
  const call = scriptArguments(nowMs);
  call.addList(namesOf(binding), (name) => {
    call.addKey(redisKeys.message(provider, name));
    call.addKey(redisKeys.earlyReceipt(provider, name));
    call.add(JSON.stringify(owner), MESSAGE_OWNER_SECONDS);
  });
  addCounts(call, updates);
  return call.withValues();
}
