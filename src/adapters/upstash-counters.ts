import type { Redis } from "@upstash/redis/cloudflare";
import type { CountersPort } from "../ports.ts";
import { COHORT_TTL_SECONDS, keys } from "./keys.ts";
import { silence } from "./upstash.ts";

/** Cohort counters on Upstash: one hash per minute of sending. */
export function upstashCounters(redis: Redis): CountersPort {
  return {
    async count(what, minute) {
      const key = keys.cohort(minute);
      await Promise.all([redis.hincrby(key, what, 1), redis.expire(key, COHORT_TTL_SECONDS)]);
    },

    async window(minute, minutes) {
      const wanted = Array.from({ length: minutes }, (_, i) => minute - minutes + 1 + i);
      try {
        const found = await Promise.all(
          wanted.map((at) =>
            redis.hmget<{ sent: number; verified: number }>(keys.cohort(at), "sent", "verified"),
          ),
        );
        const cohorts = wanted.map((at, i) => ({
          minute: at,
          sent: Number(found[i]?.sent ?? 0),
          verified: Number(found[i]?.verified ?? 0),
        }));
        return { kind: "answered", cohorts };
      } catch (error) {
        return silence(error);
      }
    },
  };
}
