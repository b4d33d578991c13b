import type { Redis } from "@upstash/redis/cloudflare";
import * as z from "zod";
import type { NumberInsight } from "../../domain/admission/insight.ts";
import type { InsightCachePort } from "../../ports/people.ts";
import { redisKeys } from "../redis-keys.ts";
import { upstashUnavailable } from "./upstash-client.ts";

const insightSchema: z.ZodType<NumberInsight> = z.object({
  lineType: z.enum(["mobile", "fixed_line", "voip", "premium_rate", "toll_free", "other"]).nullable(),
  reachable: z.boolean().nullable(),
  ported: z.boolean().nullable(),
  roaming: z.boolean().nullable(),
  pumpingRisk: z.number().nullable(),
  simSwappedHoursAgo: z.number().nullable(),
  costMicros: z.number().nullable(),
});

/** Results of number lookups on Upstash, under keyed hashes. An entry that cannot be read counts as missing. */
export function upstashInsightCache(redis: Redis): InsightCachePort {
  return {
    async recall(numberTag) {
      try {
        // The client parses JSON by itself.
        return insightSchema.safeParse(await redis.get(redisKeys.insight(numberTag))).data ?? null;
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async remember(numberTag, insight, ttlSeconds) {
      await redis.set(redisKeys.insight(numberTag), insight, { ex: ttlSeconds });
    },
  };
}
