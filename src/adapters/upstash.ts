import { Redis } from "@upstash/redis/cloudflare";
import type { Config } from "../config.ts";
import type { Unavailable } from "../ports.ts";

/** A limiter that takes longer than this counts as silent. */
export const UPSTASH_TIMEOUT_MS = 1000;

/**
 * The one connection to Upstash. Commands issued in the same tick share a round trip (auto-pipelining). No retries: a
 * repeated command would be counted twice. The time limit is a function, because with a plain signal this client
 * answers an aborted command with the abort's reason as if it were the result.
 */
export function openUpstash(
  config: Pick<Config, "UPSTASH_REDIS_REST_URL" | "UPSTASH_REDIS_REST_TOKEN">,
): Redis {
  return new Redis({
    url: config.UPSTASH_REDIS_REST_URL,
    token: config.UPSTASH_REDIS_REST_TOKEN,
    retry: false,
    enableTelemetry: false,
    signal: () => AbortSignal.timeout(UPSTASH_TIMEOUT_MS),
  });
}

/** What became of a command that failed: slow or broken, without its text, which would repeat the keys. */
export function silence(error: unknown): Unavailable {
  const slow = error instanceof Error && error.name === "TimeoutError";
  return { kind: "unavailable", cause: slow ? `no answer in ${UPSTASH_TIMEOUT_MS} ms` : "error answer" };
}
