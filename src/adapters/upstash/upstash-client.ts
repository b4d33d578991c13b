import { Redis } from "@upstash/redis/cloudflare";
import type { Config } from "../../config/config.ts";
import type { Unavailable } from "../../ports/result.ts";

/** A limiter that takes longer than this counts as silent. */
const UPSTASH_TIMEOUT_MS = 1000;

/**
 * The one connection to Upstash. Commands issued in the same tick share a round trip (auto-pipelining). No retries: a
 * repeated command would be counted twice. The time limit is a function, because with a plain signal this client
 * answers an aborted command with the abort's reason as if it were the result.
 *
 * @param answered hears how long each round trip took
 * @param timeoutMs for stores that are slow for another reason than an outage
 */
export function openUpstash(
  config: Pick<Config, "UPSTASH_REDIS_REST_URL" | "UPSTASH_REDIS_REST_TOKEN">,
  answered: (tookMs: number) => void = () => undefined,
  timeoutMs = UPSTASH_TIMEOUT_MS,
): Redis {
  const redis = new Redis({
    url: config.UPSTASH_REDIS_REST_URL,
    token: config.UPSTASH_REDIS_REST_TOKEN,
    // Not `false`, which still asks twice.
    retry: { retries: 0 },
    // All that is kept is text; decoding base64, the default, is a quarter of what reading the counters costs.
    responseEncoding: false,
    enableTelemetry: false,
    signal: () => AbortSignal.timeout(timeoutMs),
  });
  redis.use(async (request, next) => {
    const beganMs = Date.now();
    try {
      return await next(request);
    } finally {
      answered(Date.now() - beganMs);
    }
  });
  return redis;
}

/**
 * An answer as the list of whole numbers that a script of ours gives.
 *
 * @throws for anything else: what cannot be read must never count as room
 */
export function scriptNumbers(answer: unknown, count: number): number[] {
  if (Array.isArray(answer) && answer.length === count && answer.every(Number.isSafeInteger)) return answer;
  throw new Error("an answer that no script of ours gives");
}

/** True for a command that had no answer in time: it may still be carried out. */
export const isUpstashSlow = (error: unknown): boolean =>
  error instanceof Error && error.name === "TimeoutError";

/** The failure of a command: slow or broken, without its text, which would repeat the keys. */
export function upstashUnavailable(error: unknown): Unavailable {
  return {
    kind: "unavailable",
    cause: isUpstashSlow(error) ? `no answer in ${UPSTASH_TIMEOUT_MS} ms` : "error answer",
  };
}
