import type { ConsecutiveWrongCodes } from "../domain/admission/failures.ts";
import { CHALLENGE_DEMAND_SECONDS, KNOWN_SECONDS } from "../domain/admission/lifetimes.ts";
import type { NumberRefusal } from "../domain/delivery/judgement.ts";
import type { PersonMarksPort } from "../ports/people.ts";
import { expiringMap } from "./expiring-map.ts";

/** Keeps marks of people in memory: known numbers, demanded challenges and failures, each for its life. */
export function memoryPersonMarks(nowMs: () => number, failureMemorySeconds: number): PersonMarksPort {
  const known = expiringMap<number>(nowMs);
  const asked = expiringMap<number>(nowMs);
  const failed = expiringMap<ConsecutiveWrongCodes>(nowMs);
  const refused = expiringMap<NumberRefusal>(nowMs);
  return {
    async recall({ numberTag, askTag, failureTags, channel }) {
      return {
        kind: "answered",
        numberKnown: known.get(numberTag) !== undefined,
        knownSinceMs: known.get(numberTag) ?? null,
        askedAtMs: asked.get(askTag) ?? null,
        failures: failureTags.map((tag) => failed.get(tag) ?? null),
        refusal: refused.get(`${channel} ${numberTag}`) ?? null,
      };
    },
    async markKnown(tag) {
      known.set(tag, known.get(tag) ?? nowMs(), KNOWN_SECONDS);
    },
    async markAsked(tag) {
      if (asked.get(tag) === undefined) asked.set(tag, nowMs(), CHALLENGE_DEMAND_SECONDS);
    },
    async countFailure(tags) {
      for (const tag of tags) {
        const count = (failed.get(tag)?.count ?? 0) + 1;
        failed.set(tag, { count, lastAtMs: nowMs() }, failureMemorySeconds);
      }
    },
    async forgetFailures(tags) {
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
