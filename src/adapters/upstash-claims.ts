import type { Redis } from "@upstash/redis/cloudflare";
import type { ClaimsPort } from "../ports.ts";
import { keys } from "./keys.ts";
import { silence } from "./upstash.ts";

/** Idempotency keys on Upstash: the first request to set one holds it, the others read who does. */
export function upstashClaims(redis: Redis): ClaimsPort {
  return {
    async claim(key, value, ttlSeconds) {
      try {
        const name = keys.idempotency(key);
        const [, held] = await Promise.all([
          redis.set(name, value, { nx: true, ex: ttlSeconds }),
          redis.get<string>(name),
        ]);
        return held === null ? silence(null) : { kind: "held", value: held };
      } catch (error) {
        return silence(error);
      }
    },

    async release(key) {
      await redis.del(keys.idempotency(key));
    },
  };
}
