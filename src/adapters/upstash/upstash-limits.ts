import { Ratelimit } from "@upstash/ratelimit";
import type { Redis } from "@upstash/redis/cloudflare";
import type { LimitRule } from "../../domain/admission/limits.policy.ts";
import { type LimitDraw, type LimitResult, waitMsOf } from "../../domain/admission/limits.ts";
import type { LimitsPort } from "../../ports/admission.ts";
import { redisKeys } from "../redis-keys.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/**
 * Counts each message by itself. `@upstash/ratelimit`'s sliding window estimates from two buckets and rounds down, so
 * that a limit of 1 in 60 s lets two messages out a second apart across a bucket's edge; its token bucket refills, so
 * that 3 in 10 min becomes 5. A number's few messages are cheap to remember one by one.
 *
 * A member that is there already (the same number again, where distinct numbers count) passes and is only moved.
 *
 * KEYS[1] the log. ARGV: now (ms), member, peek (0 or 1), then max and window (ms) of each rule.
 * Returns allowed (0 or 1), max and remaining of the tightest rule, wait in ms, used in the longest window,
 * and whether the member is new.
 */
const EXACT_LOG = `
local now, peek = tonumber(ARGV[1]), ARGV[3] == "1"
local longest, wait, tightest, left, most = 0, 0, 0, 1e9, 0
for i = 4, #ARGV, 2 do longest = math.max(longest, tonumber(ARGV[i + 1])) end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now - longest)
local again = tonumber(redis.call("ZSCORE", KEYS[1], ARGV[2]) or "0")
for i = 4, #ARGV, 2 do
  local max, window = tonumber(ARGV[i]), tonumber(ARGV[i + 1])
  local since = "(" .. string.format("%.0f", now - window)
  local used = redis.call("ZCOUNT", KEYS[1], since, "+inf")
  if used > most then most = used end
  if max - used < left then tightest, left = max, max - used end
  if used >= max and again <= now - window then
    local blocking = redis.call("ZRANGEBYSCORE", KEYS[1], since, "+inf", "WITHSCORES", "LIMIT", used - max, 1)
    wait = math.max(wait, tonumber(blocking[2]) + window - now)
  end
end
if wait > 0 then return {0, tightest, 0, wait, most, 0} end
local added = 0
if not peek then
  redis.call("ZADD", KEYS[1], now, ARGV[2])
  redis.call("PEXPIRE", KEYS[1], longest)
  if again == 0 then left, most, added = left - 1, most + 1, 1 end
end
return {1, tightest, left, 0, most, added}`;

/** Makes what is younger as old as ARGV[1] (ms). KEYS[1] the log. It keeps its life, which runs longer than any window. */
const FREE_WAITS = `
local younger = redis.call("ZRANGEBYSCORE", KEYS[1], "(" .. ARGV[1], "+inf")
for _, member in ipairs(younger) do redis.call("ZADD", KEYS[1], ARGV[1], member) end
return #younger`;

/**
 * Rate limits on Upstash. All takes of one call go out in one pipeline. The library's own time-out is off, because it
 * answers "success" when Redis is slow; the client's time limit makes that `unavailable`. Its in-memory deny cache is
 * off too: it would outlive a refund.
 */
export function upstashLimits(redis: Redis, nowMs: () => number): LimitsPort {
  const limiters = new Map<string, Ratelimit>();
  /** The entries that each draw added to its log, which only a refund takes out again. */
  const members = new WeakMap<LimitDraw, string>();

  function limiter(name: string, { max, window_seconds }: LimitRule): Ratelimit {
    // Not by `max`: a limit that is tightened goes on from what was drawn.
    const prefix = redisKeys.rateLimit(name, window_seconds);
    const id = `${prefix} ${max}`;
    let made = limiters.get(id);
    if (!made) {
      made = new Ratelimit({
        redis,
        limiter: Ratelimit.slidingWindow(max, `${window_seconds} s`),
        prefix,
        timeout: 0,
        ephemeralCache: false,
      });
      limiters.set(id, made);
    }
    return made;
  }

  async function takeExact(take: LimitDraw): Promise<LimitResult> {
    const member = take.member ?? crypto.randomUUID();
    // Known before the answer is: a draw that was made and whose answer was lost can still be given back.
    if (take.member === null && !take.peek) members.set(take, member);
    const [allowed = 0, max = 0, remaining = 0, waitMs = 0, used = 0, added = 0] = await redis.eval<
      unknown[],
      number[]
    >(
      EXACT_LOG,
      [redisKeys.log(take.name, take.subject)],
      [
        nowMs(),
        member,
        take.peek ? 1 : 0,
        ...take.rules.flatMap((rule) => [rule.max, rule.window_seconds * 1000]),
      ],
    );
    if (added === 1) members.set(take, member);
    return {
      take,
      allowed: allowed === 1,
      max,
      remaining,
      used,
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    };
  }

  async function takeSliding(take: LimitDraw): Promise<LimitResult> {
    const answers = await Promise.all(
      take.rules.map(async (rule) => {
        const window = limiter(take.name, rule);
        if (!take.peek) return window.limit(take.subject);
        const { remaining, reset, limit } = await window.getRemaining(take.subject);
        return { success: remaining > 0, remaining, reset, limit };
      }),
    );
    if (!answers.every(({ remaining, limit }) => Number.isFinite(remaining) && limit > 0)) {
      throw new Error("an answer that is no limit's");
    }
    const [tightest] = answers.toSorted((a, b) => a.remaining - b.remaining);
    const passed = take.rules.filter((_, i) => answers[i]?.success);
    // A draw that one rule refuses must not stay booked on the others.
    if (!take.peek && passed.length < take.rules.length) await refundSliding(take, passed);
    const waits = answers.filter(({ success }) => !success).map(({ reset }) => reset - nowMs());
    return {
      take,
      allowed: waits.length === 0,
      max: tightest?.limit ?? 0,
      remaining: tightest?.remaining ?? 0,
      used: Math.max(0, ...answers.map(({ limit, remaining }) => limit - remaining)),
      retryAfterSeconds: Math.max(0, ...waits.map((ms) => Math.ceil(ms / 1000))),
    };
  }

  async function refundExact(take: LimitDraw): Promise<void> {
    const member = members.get(take);
    members.delete(take);
    if (member !== undefined) await redis.zrem(redisKeys.log(take.name, take.subject), member);
  }

  async function refundSliding(take: LimitDraw, rules: readonly LimitRule[]): Promise<void> {
    await Promise.all(rules.map((rule) => limiter(take.name, rule).limit(take.subject, { rate: -1 })));
  }

  return {
    async take(takes) {
      try {
        const results = await Promise.all(
          takes.map((take) => (take.exact ? takeExact(take) : takeSliding(take))),
        );
        return { kind: "answered", results };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async refund(takes) {
      await Promise.all(
        takes.map((take) => (take.exact ? refundExact(take) : refundSliding(take, take.rules))),
      );
    },

    async freeWaits(take) {
      const waitMs = waitMsOf(take);
      if (waitMs === null) return;
      await redis.eval(FREE_WAITS, [redisKeys.log(take.name, take.subject)], [nowMs() - waitMs]);
    },
  };
}
