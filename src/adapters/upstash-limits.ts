import { Ratelimit } from "@upstash/ratelimit";
import type { Redis } from "@upstash/redis/cloudflare";
import type { LimitResult, LimitRule, LimitTake } from "../domain/limits.ts";
import type { LimitsPort } from "../ports.ts";
import { keys } from "./keys.ts";
import { silence } from "./upstash.ts";

/**
 * Counts each message by itself. `@upstash/ratelimit`'s sliding window estimates from two buckets and rounds down, so
 * that a limit of 1 in 60 s lets two messages out a second apart across a bucket's edge; its token bucket refills, so
 * that 3 in 10 min becomes 5. A number's few messages are cheap to remember one by one.
 *
 * KEYS[1] the log. ARGV: now (ms), member, peek (0 or 1), then max and window (ms) of each rule.
 * Returns allowed (0 or 1), max and remaining of the tightest rule, wait in ms.
 */
const EXACT_LOG = `
local now, peek = tonumber(ARGV[1]), ARGV[3] == "1"
local longest, wait, tightest, left = 0, 0, 0, 1e9
for i = 4, #ARGV, 2 do longest = math.max(longest, tonumber(ARGV[i + 1])) end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now - longest)
for i = 4, #ARGV, 2 do
  local max, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local since = "(" .. string.format("%.0f", now - window)
  local used = redis.call("ZCOUNT", KEYS[1], since, "+inf")
  if max - used < left then tightest, left = max, max - used end
  if used >= max then
    local blocking = redis.call("ZRANGEBYSCORE", KEYS[1], since, "+inf", "WITHSCORES", "LIMIT", used - max, 1)
    wait = math.max(wait, tonumber(blocking[2]) + window - now)
  end
end
if wait > 0 then return {0, tightest, 0, wait} end
if not peek then
  redis.call("ZADD", KEYS[1], now, ARGV[2])
  redis.call("PEXPIRE", KEYS[1], longest)
  left = left - 1
end
return {1, tightest, left, 0}`;

/**
 * Rate limits on Upstash. All takes of one call go out in one pipeline. The library's own time-out is off, because it
 * answers "success" when Redis is slow; the client's time limit makes that `unavailable`. Its in-memory deny cache is
 * off too: it would outlive a refund.
 */
export function upstashLimits(redis: Redis, nowMs: () => number): LimitsPort {
  const limiters = new Map<string, Ratelimit>();

  function limiter(name: string, { max, window_seconds }: LimitRule): Ratelimit {
    const prefix = keys.rateLimit(name, max, window_seconds);
    let made = limiters.get(prefix);
    if (!made) {
      made = new Ratelimit({
        redis,
        limiter: Ratelimit.slidingWindow(max, `${window_seconds} s`),
        prefix,
        timeout: 0,
        ephemeralCache: false,
      });
      limiters.set(prefix, made);
    }
    return made;
  }

  async function takeExact(take: LimitTake): Promise<LimitResult> {
    const [allowed = 0, max = 0, remaining = 0, waitMs = 0] = await redis.eval<unknown[], number[]>(
      EXACT_LOG,
      [keys.log(take.name, take.subject)],
      [
        nowMs(),
        crypto.randomUUID(),
        take.peek ? 1 : 0,
        ...take.rules.flatMap((rule) => [rule.max, rule.window_seconds * 1000]),
      ],
    );
    return { take, allowed: allowed === 1, max, remaining, retryAfterSeconds: Math.ceil(waitMs / 1000) };
  }

  async function takeSliding(take: LimitTake): Promise<LimitResult> {
    const answers = await Promise.all(
      take.rules.map(async (rule) => {
        const window = limiter(take.name, rule);
        if (!take.peek) return window.limit(take.subject);
        const { remaining, reset, limit } = await window.getRemaining(take.subject);
        return { success: remaining > 0, remaining, reset, limit };
      }),
    );
    const [tightest] = answers.toSorted((a, b) => a.remaining - b.remaining);
    const waits = answers.filter(({ success }) => !success).map(({ reset }) => reset - nowMs());
    return {
      take,
      allowed: waits.length === 0,
      max: tightest?.limit ?? 0,
      remaining: tightest?.remaining ?? 0,
      retryAfterSeconds: Math.max(0, ...waits.map((ms) => Math.ceil(ms / 1000))),
    };
  }

  const isExact = (take: LimitTake) => take.owner === "destination";

  return {
    async take(takes) {
      try {
        const results = await Promise.all(
          takes.map((take) => (isExact(take) ? takeExact(take) : takeSliding(take))),
        );
        return { kind: "answered", results };
      } catch (error) {
        return silence(error);
      }
    },

    async refund(takes) {
      await Promise.all(
        takes.map((take) =>
          isExact(take)
            ? redis.zpopmax(keys.log(take.name, take.subject), 1)
            : Promise.all(
                take.rules.map((rule) => limiter(take.name, rule).limit(take.subject, { rate: -1 })),
              ),
        ),
      );
    },
  };
}
