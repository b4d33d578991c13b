import type { ConsecutiveWrongCodes } from "../domain/admission/failures.ts";
import { CHALLENGE_DEMAND_SECONDS, KNOWN_SECONDS } from "../domain/admission/lifetimes.ts";
import type { NumberRefusal } from "../domain/delivery/judgement.ts";
import type { PersonMarksPort, Recalled, RecallQuestion } from "../ports/people.ts";
import { expiringMap } from "./expiring-map.ts";

interface MemoryMarks extends PersonMarksPort {
  recall(question: RecallQuestion): Recalled;
  markKnown(numberTag: string): void;
  markAsked(askTag: string): void;
  countFailure(failureTags: readonly string[]): void;
  forgetFailures(failureTags: readonly string[]): void;
}

/** Keeps marks of people in memory: known numbers, demanded challenges and failures, each for its life. */
export function memoryPersonMarks(nowMs: () => number, failureMemorySeconds: number): MemoryMarks {
  const known = expiringMap<number>(nowMs);
  const asked = expiringMap<number>(nowMs);
  const failed = expiringMap<ConsecutiveWrongCodes>(nowMs);
  const refused = expiringMap<NumberRefusal>(nowMs);
  return {
    recall({ numberTag, askTag, failureTags, channel }) {
      return {
        numberKnown: known.get(numberTag) !== undefined,
        knownSinceMs: known.get(numberTag) ?? null,
        askedAtMs: asked.get(askTag) ?? null,
        failures: failureTags.map((tag) => failed.get(tag) ?? null),
        refusal: refused.get(`${channel} ${numberTag}`) ?? null,
      };
    },
    markKnown(tag) {
      known.set(tag, known.get(tag) ?? nowMs(), KNOWN_SECONDS);
    },
    markAsked(tag) {
      if (asked.get(tag) === undefined) asked.set(tag, nowMs(), CHALLENGE_DEMAND_SECONDS);
    },
    countFailure(tags) {
      for (const tag of tags) {
        const count = (failed.get(tag)?.count ?? 0) + 1;
        failed.set(tag, { count, lastAtMs: nowMs() }, failureMemorySeconds);
      }
    },
    forgetFailures(tags) {
      for (const tag of tags) failed.delete(tag);
    },
    async refuseNumber(numberTag, channels, refusal, ttlSeconds) {
      for (const channel of channels) refused.set(`${channel} ${numberTag}`, refusal, ttlSeconds);
    },
    async liftRefusals(numberTags, channels) {
      const keys = numberTags.flatMap((tag) => channels.map((channel) => `${channel} ${tag}`));
      const kept = keys.filter((key) => refused.get(key) !== undefined);
      for (const key of kept) refused.delete(key);
      return kept.length;
    },
  };
}
