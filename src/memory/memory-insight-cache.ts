import type { NumberInsight } from "../domain/admission/insight.ts";
import type { InsightCachePort } from "../ports/people.ts";
import { expiringMap } from "./expiring-map.ts";

/** Keeps the answers of number lookups in memory, each for as long as it was told to. */
export function memoryInsightCache(nowMs: () => number): InsightCachePort {
  const answers = expiringMap<NumberInsight>(nowMs);
  return {
    recall: async (numberTag) => answers.get(numberTag) ?? null,
    async remember(numberTag, insight, ttlSeconds) {
      answers.set(numberTag, insight, ttlSeconds);
    },
  };
}
