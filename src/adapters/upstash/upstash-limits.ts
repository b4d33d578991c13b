import { Ratelimit } from "@upstash/ratelimit";
import type { Redis } from "@upstash/redis/cloudflare";
import type { LimitRule } from "../../domain/admission/limits.policy.ts";
import type { LimitDraw, LimitResult } from "../../domain/admission/limits.ts";
import type { LimitsPort } from "../../ports/admission.ts";
import { redisKeys } from "../redis-keys.ts";
import { addDraw } from "./places.ts";
import { type CallInMaking, packable, scriptArguments, scriptOn } from "./script-arguments.ts";
import { isUpstashSlow, upstashUnavailable } from "./upstash-client.ts";

/** Logs that may grow longer than this are sorted sets, which are counted without being read. */
const LONGEST_PACKED_LOG = 200;

/** Numbers that a script tells of one draw. */
export const DRAW_RESULTS = 6;

/** Limits whose exact draws are made by another script, with all else that it does. */
export interface StoredLimits extends LimitsPort {
  /** Writes a draw as that script reads it. */
  addTo(call: CallInMaking, draw: LimitDraw): void;
  /** Reads what that script tells of a draw. */
  resultOf(draw: LimitDraw, numbers: readonly number[]): LimitResult;
  /** The entry that a draw added and nothing took out since; null where it added none. It is the caller's to take out. */
  takeMember(draw: LimitDraw): { draw: LimitDraw; member: string } | null;
  /** Makes the draws that have commands of their own. @throws as the client does */
  takeAlone(draws: readonly LimitDraw[]): Promise<LimitResult[]>;
  refundAlone(draws: readonly LimitDraw[]): Promise<void>;
}

/** Parts draws into those that a script makes among other things, and those with commands of their own. */
export function packableDraws(draws: readonly LimitDraw[]): { packed: LimitDraw[]; others: LimitDraw[] } {
  const isPacked = ({ exact, rules }: LimitDraw) =>
    exact && rules.every(({ max }) => max <= LONGEST_PACKED_LOG);
  return { packed: draws.filter(isPacked), others: draws.filter((draw) => !isPacked(draw)) };
}

/**
 * Counts each message by itself. `@upstash/ratelimit`'s sliding window estimates from two buckets and rounds down, so
 * that a limit of 1 in 60 s lets two messages out a second apart across a bucket's edge; its token bucket refills, so
 * that 3 in 10 min becomes 5. A number's few messages are cheap to remember one by one.
 *
 * A member that is there already (the same number again, where distinct numbers count) passes and is only moved.
 *
 * KEYS[1] the log. ARGV: now (ms, s), the log's place, member, peek (0 or 1), then max and window (ms) of each rule.
 * Returns allowed (0 or 1), max and remaining of the tightest rule, wait in ms, used in the longest window,
 * and whether the member is new.
 */
const EXACT_LOG = `
local now, member, peek = tonumber(ARGV[1]), ARGV[4], ARGV[5] == "1"
local longest, wait, tightest, left, most = 0, 0, 0, 1e9, 0
for i = 6, #ARGV, 2 do longest = math.max(longest, tonumber(ARGV[i + 1])) end
redis.call("ZREMRANGEBYSCORE", KEYS[1], "-inf", now - longest)
local again = tonumber(redis.call("ZSCORE", KEYS[1], member) or "0")
for i = 6, #ARGV, 2 do
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
  redis.call("ZADD", KEYS[1], now, member)
  redis.call("PEXPIRE", KEYS[1], longest)
  if again == 0 then left, most, added = left - 1, most + 1, 1 end
end
return {1, tightest, left, 0, most, added}`;

/**
 * Rate limits on Upstash. All takes of one call go out in one pipeline. The library's own time-out is off, because it
 * answers "success" when Redis is slow; the client's time limit makes that `unavailable`. Its in-memory deny cache is
 * off too: it would outlive a refund.
 */
export function upstashLimits(redis: Redis, nowMs: () => number): StoredLimits {
  const limiters = new Map<string, Ratelimit>();
  const exactLog = scriptOn(redis, EXACT_LOG);
  /** The entries that each draw added to its log, which only a refund takes out again. */
  const members = new WeakMap<LimitDraw, string>();
  /** The estimated limits that each draw counts in. */
  const counted = new WeakMap<LimitDraw, readonly LimitRule[]>();

  /** Known before the answer is: a draw that was made and whose answer was lost can still be given back. */
  function memberOf(take: LimitDraw): string {
    if (take.member !== null) return packable(take.member);
    const member = crypto.randomUUID().slice(-12);
    if (!take.peek) members.set(take, member);
    return member;
  }

  function resultOf(take: LimitDraw, numbers: readonly number[]): LimitResult {
    const [allowed = 0, max = 0, remaining = 0, waitMs = 0, used = 0, added = 0] = numbers;
    if (added === 1 && take.member !== null) members.set(take, packable(take.member));
    if (added === 0) members.delete(take);
    return {
      take,
      allowed: allowed === 1,
      max,
      remaining,
      used,
      retryAfterSeconds: Math.ceil(waitMs / 1000),
    };
  }

  function takeMember(draw: LimitDraw) {
    const member = members.get(draw);
    members.delete(draw);
    return member === undefined ? null : { draw, member };
  }

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
    const call = scriptArguments(nowMs());
    call.addKey(redisKeys.log(take.name, take.subject));
    call.add(memberOf(take), take.peek ? 1 : 0);
    call.add(...take.rules.flatMap((rule) => [rule.max, rule.window_seconds * 1000]));
    const answer = await exactLog(call.plain());
    const isAnswer =
      Array.isArray(answer) && answer.length === DRAW_RESULTS && answer.every(Number.isSafeInteger);
    if (!isAnswer) throw new Error("an answer that no script of ours gives");
    return resultOf(take, answer);
  }

  async function takeSliding(take: LimitDraw): Promise<LimitResult> {
    const answers = await askLimiters(take);
    if (!answers.every(({ remaining, limit }) => Number.isFinite(remaining) && limit > 0)) {
      throw new Error("an answer that is no limit's");
    }
    const [tightest] = answers.toSorted((a, b) => a.remaining - b.remaining);
    const passed = take.rules.filter((_, i) => answers[i]?.success);
    // A draw that one rule refuses must not stay booked on the others.
    if (!take.peek && passed.length < take.rules.length) await refundSliding(take, passed);
    else if (!take.peek) counted.set(take, take.rules);
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

  async function askLimiters(take: LimitDraw) {
    try {
      return await Promise.all(
        take.rules.map(async (rule) => {
          const window = limiter(take.name, rule);
          if (!take.peek) return window.limit(take.subject);
          const { remaining, reset, limit } = await window.getRemaining(take.subject);
          return { success: remaining > 0, remaining, reset, limit };
        }),
      );
    } catch (error) {
      // What was too slow to answer will be counted; what failed was not.
      if (!take.peek && isUpstashSlow(error)) counted.set(take, take.rules);
      throw error;
    }
  }

  async function refundExact(take: LimitDraw): Promise<void> {
    const taken = takeMember(take);
    if (taken !== null) await redis.zrem(redisKeys.log(take.name, take.subject), taken.member);
  }

  async function refundSliding(take: LimitDraw, rules: readonly LimitRule[]): Promise<void> {
    counted.delete(take);
    await Promise.all(rules.map((rule) => limiter(take.name, rule).limit(take.subject, { rate: -1 })));
  }

  const takeAlone = (takes: readonly LimitDraw[]) =>
    Promise.all(takes.map((take) => (take.exact ? takeExact(take) : takeSliding(take))));

  return {
    addTo: (call, draw) => addDraw(call, draw, memberOf(draw)),
    resultOf,
    takeMember,
    takeAlone,

    async take(takes) {
      try {
        return { kind: "answered", results: await takeAlone(takes) };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async refundAlone(takes) {
      await Promise.all(
        takes.map((take) => (take.exact ? refundExact(take) : refundSliding(take, counted.get(take) ?? []))),
      );
    },
  };
}
