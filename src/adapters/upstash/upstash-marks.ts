import type { Redis } from "@upstash/redis/cloudflare";
import type { PersonMarksPort } from "../../ports/people.ts";
import { redisKeys } from "../redis-keys.ts";

/** Numbers that get no message, on Upstash, under keyed hashes. */
export function upstashPersonMarks(redis: Redis): PersonMarksPort {
  return {
    async refuseNumber(numberTag, channels, refusal, ttlSeconds) {
      await Promise.all(
        channels.map((channel) =>
          redis.set(redisKeys.refused(channel, numberTag), refusal, { ex: ttlSeconds }),
        ),
      );
    },

    async liftRefusals(numberTags, channels) {
      const names = numberTags.flatMap((tag) => channels.map((channel) => redisKeys.refused(channel, tag)));
      return names.length === 0 ? 0 : redis.del(...names);
    },
  };
}
