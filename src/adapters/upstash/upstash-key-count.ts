import type { Redis } from "@upstash/redis/cloudflare";
import type { KeyCountPort } from "../../ports/storage.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/** The number of keys in Upstash. */
export const upstashKeyCount = (redis: Redis): KeyCountPort => ({
  async count() {
    try {
      return { kind: "answered", count: await redis.dbsize() };
    } catch (error) {
      return upstashUnavailable(error);
    }
  },
});
