import type { Redis } from "@upstash/redis/cloudflare";
import type { IdempotencyClaimsPort } from "../../ports/admission.ts";
import { redisKeys } from "../redis-keys.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/** Frees the key for whom it holds: another request may have claimed it meanwhile. */
const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then return redis.call("DEL", KEYS[1]) end return 0`;

/** Idempotency keys on Upstash: the first request to set one holds it, the others read who does. */
export function upstashIdempotencyClaims(redis: Redis): IdempotencyClaimsPort {
  return {
    async claim(key, value, ttlSeconds) {
      try {
        const name = redisKeys.idempotency(key);
        // One command: this client sends reads and writes in pipelines of their own, and a read could come first.
        const held = await redis.set<string>(name, value, { nx: true, get: true, ex: ttlSeconds });
        return { kind: "held", value: held ?? value };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async release(key, value) {
      await redis.eval(RELEASE, [redisKeys.idempotency(key)], [value]);
    },
  };
}
