import * as z from "zod";
import {
  learnFromDeliveryAttempt,
  NEW_ROUTE_RECORD,
  type RouteRecord,
  type RoutingPolicy,
} from "../../domain/delivery/routing.ts";
import { HOUR_SECONDS } from "../../domain/kernel/time.ts";
import type { RouteRecordsPort } from "../../ports/delivery.ts";
import type { Log } from "../../ports/deps.ts";

/** The routes' records as the monitor wrote them. */
const ROUTES_KEY = "routes";

/** KV refuses a shorter edge cache. */
const KV_CACHE_TTL_SECONDS = 30;

/** The time for which an isolate uses the value it read. */
const MEMORY_MS = 15_000;

/** Records nobody has renewed for so long say nothing of today. */
const LIFE_SECONDS = HOUR_SECONDS;

const recordsSchema = z.record(
  z.string(),
  z.object({
    verified: z.number().min(0),
    unanswered: z.number().min(0),
    failures: z.number().min(0),
    restUntilMs: z.number().min(0),
  }),
);

/**
 * The routes' records in KV, and over them what this isolate has seen of failing hand-overs since. A KV that is silent or
 * holds something else costs the knowledge and not the messages: every route is then as good as another.
 */
export function kvRouteRecords(
  kv: KVNamespace,
  policy: RoutingPolicy,
  nowMs: () => number,
  log: Log,
): RouteRecordsPort {
  let memory: { records: ReadonlyMap<string, RouteRecord>; readAtMs: number } | null = null;
  const own = new Map<string, Pick<RouteRecord, "failures" | "restUntilMs">>();

  const read = async (): Promise<ReadonlyMap<string, RouteRecord>> => {
    try {
      const text = await kv.get(ROUTES_KEY, { type: "text", cacheTtl: KV_CACHE_TTL_SECONDS });
      return text === null ? new Map() : new Map(Object.entries(recordsSchema.parse(JSON.parse(text))));
    } catch (error) {
      log("routes_unreadable", { error: error instanceof Error ? error.name : "unknown" });
      return new Map();
    }
  };

  return {
    async records() {
      if (memory === null || nowMs() - memory.readAtMs >= MEMORY_MS) {
        memory = { records: await read(), readAtMs: nowMs() };
      }
      const records = new Map(memory.records);
      for (const [key, { failures, restUntilMs }] of own) {
        const known = records.get(key) ?? NEW_ROUTE_RECORD;
        records.set(key, { ...known, failures, restUntilMs: Math.max(known.restUntilMs, restUntilMs) });
      }
      return records;
    },

    heard(key, failed) {
      const before = { ...NEW_ROUTE_RECORD, ...own.get(key) };
      if (!failed && before.failures === 0) return;
      own.set(key, learnFromDeliveryAttempt(before, failed, policy, nowMs()));
    },

    async write(records) {
      try {
        await kv.put(ROUTES_KEY, JSON.stringify(Object.fromEntries(records)), {
          expirationTtl: LIFE_SECONDS,
        });
        return { kind: "done" };
      } catch {
        return { kind: "unavailable", cause: "KV refused the routes" };
      }
    },
  };
}
