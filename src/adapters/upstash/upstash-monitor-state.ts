import type { Redis } from "@upstash/redis/cloudflare";
import * as z from "zod";
import { POSTURES } from "../../domain/kernel/posture.ts";
import { ALERT_CHANNELS } from "../../domain/monitor/alerts.policy.ts";
import { FINDING_KINDS } from "../../domain/monitor/finding.ts";
import {
  type History,
  QUARTER_MINUTES,
  type QuarterTally,
  sameTimeQuarters,
} from "../../domain/monitor/history.ts";
import { MONITOR_LOCK_MS, QUARTER_TALLY_SECONDS, RUN_LOST_CAUSE } from "../../domain/monitor/lifetimes.ts";
import type { MonitorMemory } from "../../domain/monitor/monitor-memory.ts";
import { isTallyObject, keepBusiest, readTally, SUBJECTS_PER_QUARTER } from "../../domain/monitor/tally.ts";
import type { Log } from "../../ports/deps.ts";
import type { MonitorStatePort } from "../../ports/monitor.ts";
import { MONITOR_HISTORY_SECONDS, MONITOR_MEMORY_SECONDS, redisKeys } from "../redis-keys.ts";
import { upstashUnavailable } from "./upstash-client.ts";

const QUARTERS_KEPT = Math.floor(QUARTER_TALLY_SECONDS / 60 / QUARTER_MINUTES);

/** Quarters of one request: half a day, some megabytes when all are full. */
const QUARTERS_PER_READ = 48;

/**
 * Keeps what a run made and frees it, if it still has it: a run that took too long must not write over its successor's.
 * KEYS: lock, then what is kept. ARGV: the run; text and life (s) of each. Returns 1, or 0 when another has the run.
 */
const END = `
if redis.call("GET", KEYS[1]) ~= ARGV[1] then return 0 end
for i = 2, #KEYS do redis.call("SET", KEYS[i], ARGV[2 * i - 2], "EX", ARGV[2 * i - 1]) end
redis.call("DEL", KEYS[1])
return 1`;

// Loose: what a newer version added survives a run of an older one.
const memorySchema: z.ZodType<MonitorMemory> = z.looseObject({
  postureTold: z.enum(POSTURES).optional(),
  day: z
    .array(
      z.looseObject({
        quarter: z.number(),
        sent: z.number(),
        verified: z.number(),
        refused: z.number(),
        challenged: z.number(),
      }),
    )
    .optional(),
  lastRunMs: z.number(),
  lastFailure: z.string(),
  foldedTo: z.number(),
  incident: z
    .looseObject({
      id: z.string(),
      openedAtMs: z.number(),
      lastSeenAtMs: z.number(),
      closedAtMs: z.number().nullable(),
      severity: z.enum(["notice", "elevated", "emergency"]),
      posture: z.enum(POSTURES),
      findings: z.array(
        z.looseObject({
          kind: z.enum(FINDING_KINDS),
          subject: z.string(),
          severity: z.enum(["notice", "elevated", "emergency"]),
          says: z.string(),
          evidence: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
          block: z.boolean(),
        }),
      ),
      timeline: z.array(z.looseObject({ atMs: z.number(), by: z.string(), what: z.string() })),
      sent: z.number(),
      verified: z.number(),
      spentMicros: z.number(),
      unansweredMicros: z.number(),
      refused: z.number(),
    })
    .nullable(),
  told: z.record(
    z.string(),
    z.looseObject({
      atMs: z.number(),
      severity: z.string(),
      channels: z.array(z.enum(ALERT_CHANNELS)).optional(),
    }),
  ),
  hour: z.looseObject({
    hour: z.number(),
    sent: z.number(),
    repeated: z.number().optional(),
    heldBack: z.number(),
  }),
  blocked: z.record(z.string(), z.looseObject({ times: z.number(), lastMs: z.number() })),
  countedTo: z.number(),
  settled: z.looseObject({
    sent: z.number(),
    verified: z.number(),
    spentMicros: z.number(),
    unansweredMicros: z.number(),
    refused: z.number(),
  }),
});

const historySchema: z.ZodType<History> = z.looseObject({
  quarter: z.number(),
  sinceMs: z.number(),
  subjects: z.custom<History["subjects"]>(isTallyObject),
});

/**
 * The monitor's memory on Upstash. A value that cannot be read counts as absent, and is logged: a monitor that stumbled over
 * its own memory at every run would be none.
 */
export function upstashMonitorState(redis: Redis, log: Log): MonitorStatePort {
  /** The run this isolate has; one that outlived its lock finds that out at its end. */
  let run = "";
  /** As it was read last: a hundred kilobytes that change once in a quarter of an hour, beside a memory that always does. */
  let history: History | null = null;

  const readable = <T>(schema: z.ZodType<T>, value: unknown, what: string): T | null => {
    if (value === null) return null;
    const parsed = schema.safeParse(value);
    if (!parsed.success) log("watch_unreadable", { what });
    return parsed.success ? parsed.data : null;
  };

  const readQuarters = (wanted: readonly number[], answer: unknown): QuarterTally[] => {
    if (!Array.isArray(answer) || answer.length !== wanted.length) throw new Error("no answer of MGET");
    return wanted.flatMap((quarter, i) => {
      if (answer[i] === null) return [];
      const tally = readTally(answer[i]);
      if (tally === null) log("watch_unreadable", { what: "quarter", quarter });
      return tally === null ? [] : [{ quarter, tally }];
    });
  };

  return {
    async begin(nowMs) {
      const wanted = sameTimeQuarters(nowMs);
      const mine = crypto.randomUUID();
      try {
        // One pipeline in this order: what is read was left by a run that is over.
        const [taken, memory, history, quarters] = await redis
          .pipeline()
          .set(redisKeys.watchLock(), mine, { nx: true, px: MONITOR_LOCK_MS })
          .get(redisKeys.watchMemory())
          .get(redisKeys.watchHistory())
          .mget(wanted.map(redisKeys.watchQuarter))
          .exec<[unknown, unknown, unknown, unknown]>();
        if (taken === null) return { kind: "busy" };
        if (taken !== "OK") throw new Error("an answer that is none of SET's");
        run = mine;
        return {
          kind: "begun",
          memory: readable(memorySchema, memory, "memory"),
          history: readable(historySchema, history, "history"),
          sameTime: readQuarters(wanted, quarters),
        };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async end({ memory, history, quarter }) {
      const kept: [key: string, text: string, lifeSeconds: number][] = [
        [redisKeys.watchMemory(), JSON.stringify(memory), MONITOR_MEMORY_SECONDS],
      ];
      if (history !== null) {
        kept.push([redisKeys.watchHistory(), JSON.stringify(history), MONITOR_HISTORY_SECONDS]);
      }
      if (quarter !== null) {
        const text = JSON.stringify(Object.fromEntries(keepBusiest(quarter.tally, SUBJECTS_PER_QUARTER)));
        kept.push([redisKeys.watchQuarter(quarter.quarter), text, QUARTER_TALLY_SECONDS]);
      }
      try {
        const answer = await redis.eval<unknown[], unknown>(
          END,
          [redisKeys.watchLock(), ...kept.map(([key]) => key)],
          [run, ...kept.flatMap(([, text, lifeSeconds]) => [text, lifeSeconds])],
        );
        if (answer === 1) return { kind: "done" };
        if (answer === 0) return { kind: "unavailable", cause: RUN_LOST_CAUSE };
        throw new Error("an answer that no script of ours gives");
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async look() {
      try {
        const memory = readable(memorySchema, await redis.get(redisKeys.watchMemory()), "memory");
        if (history === null || history.quarter !== memory?.foldedTo) {
          history = readable(historySchema, await redis.get(redisKeys.watchHistory()), "history");
        }
        return { kind: "answered", memory, history };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async quarters(from, to) {
      const quarters: QuarterTally[] = [];
      try {
        for (let at = Math.max(from, to - QUARTERS_KEPT + 1); at <= to; at += QUARTERS_PER_READ) {
          const count = Math.min(QUARTERS_PER_READ, to - at + 1);
          const wanted = Array.from({ length: count }, (_, i) => at + i);
          quarters.push(...readQuarters(wanted, await redis.mget(wanted.map(redisKeys.watchQuarter))));
        }
        return { kind: "answered", quarters };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },
  };
}
