import { type LimitDraw, type LimitResult, waitMsOf } from "../domain/admission/limits.ts";
import { DAY_MS } from "../domain/kernel/time.ts";
import type { LimitsPort } from "../ports/admission.ts";

/** Swept when this many subjects are held, so that a night of strangers stays in bounded memory. */
const SWEEP_AT = 200_000;

interface MemoryLimits extends LimitsPort {
  /** Each draw alone, one after the other. */
  takeAll(draws: readonly LimitDraw[]): LimitResult[];
  /** Gives back what was drawn. */
  refund(draws: readonly LimitDraw[]): void;
  /** Makes what is younger as old as the longest window but one. */
  freeWaits(draw: LimitDraw): void;
}

/** Rate limits in memory, all of them exact: each subject's log holds one entry per message, or per distinct member. */
export function memoryLimits(nowMs: () => number): MemoryLimits {
  const logs = new Map<string, Map<string, number>>();
  /** What each draw added, to be taken back out by a refund and by no other. */
  const members = new WeakMap<LimitDraw, string>();
  let drawn = 0;

  const name = (take: LimitDraw) => `${take.name} ${take.subject}`;
  const longestMs = (take: LimitDraw) =>
    Math.max(...take.rules.map(({ window_seconds }) => window_seconds)) * 1000;

  function takeOne(take: LimitDraw): LimitResult {
    const now = nowMs();
    const log = logs.get(name(take)) ?? new Map<string, number>();
    for (const [member, atMs] of log) if (atMs <= now - longestMs(take)) log.delete(member);
    const seenAtMs = take.member === null ? undefined : log.get(take.member);
    let [waitMs, max, left] = [0, 0, Number.POSITIVE_INFINITY];
    for (const rule of take.rules) {
      const windowMs = rule.window_seconds * 1000;
      const times = [...log.values()].filter((atMs) => atMs > now - windowMs).sort((a, b) => a - b);
      if (rule.max - times.length < left) [max, left] = [rule.max, rule.max - times.length];
      const blocking = times[times.length - rule.max];
      const again = seenAtMs !== undefined && seenAtMs > now - windowMs;
      if (times.length >= rule.max && !again && blocking !== undefined) {
        waitMs = Math.max(waitMs, blocking + windowMs - now);
      }
    }
    if (waitMs > 0) {
      return {
        take,
        allowed: false,
        max,
        remaining: 0,
        used: log.size,
        retryAfterSeconds: Math.ceil(waitMs / 1000),
      };
    }
    if (!take.peek) {
      const member = take.member ?? `#${drawn++}`;
      if (seenAtMs === undefined) members.set(take, member);
      log.set(member, now);
      if (logs.size > SWEEP_AT) sweep(now);
      logs.set(name(take), log);
      if (seenAtMs === undefined) left -= 1;
    }
    return { take, allowed: true, max, remaining: Math.max(0, left), used: log.size, retryAfterSeconds: 0 };
  }

  /** Drops logs whose newest entry is a day old: no rule looks further back. */
  function sweep(now: number): void {
    for (const [key, log] of logs) {
      const newest = Math.max(...log.values());
      if (newest <= now - DAY_MS) logs.delete(key);
    }
  }

  return {
    take: async (takes) => ({ kind: "answered", results: takes.map(takeOne) }),
    takeAll: (takes) => takes.map(takeOne),

    refund(takes) {
      for (const take of takes) {
        const member = members.get(take);
        members.delete(take);
        if (member !== undefined) logs.get(name(take))?.delete(member);
      }
    },

    freeWaits(take) {
      const waitMs = waitMsOf(take);
      const log = logs.get(name(take));
      if (waitMs === null || !log) return;
      for (const [member, atMs] of log) log.set(member, Math.min(atMs, nowMs() - waitMs));
    },
  };
}
