import type { Redis } from "@upstash/redis/cloudflare";
import { CHALLENGE_DEMAND_SECONDS, KNOWN_SECONDS } from "../../domain/admission/lifetimes.ts";
import { NUMBER_REFUSALS } from "../../domain/delivery/judgement.ts";
import type { PersonMarksPort } from "../../ports/people.ts";
import { redisKeys } from "../redis-keys.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/**
 * KEYS known mark, challenge demand, refusal, failure counts. Returns for each of them its value ("" where there is none), and
 * for the failures also their remaining life (ms), from which their time follows.
 */
const RECALL = `
local known = redis.call("GET", KEYS[1]) or ""
local asked = redis.call("GET", KEYS[2]) or ""
local refused = redis.call("GET", KEYS[3]) or ""
local found = {known, asked, refused}
for i = 4, #KEYS do
  found[#found + 1] = redis.call("GET", KEYS[i]) or ""
  found[#found + 1] = redis.call("PTTL", KEYS[i])
end
return found`;

/** Marks of people: verified before, asked for a challenge, failed codes. All under keyed hashes. */
export function upstashPersonMarks(
  redis: Redis,
  nowMs: () => number,
  failureMemorySeconds: number,
): PersonMarksPort {
  return {
    async recall({ numberTag, askTag, failureTags, channel }) {
      try {
        const answer = await redis.eval<never[], (string | number)[]>(
          RECALL,
          [
            redisKeys.known(numberTag),
            redisKeys.asked(askTag),
            redisKeys.refused(channel, numberTag),
            ...failureTags.map(redisKeys.failures),
          ],
          [],
        );
        if (!Array.isArray(answer) || answer.length !== 3 + 2 * failureTags.length) {
          throw new Error("an answer that no script of ours gives");
        }
        const [known, asked, refused, ...failures] = answer;
        return {
          kind: "answered",
          numberKnown: known !== "",
          // The mark of an earlier version is a 1: long ago.
          knownSinceMs: known === "" ? null : Number(known) <= 1 ? 0 : Number(known),
          askedAtMs: asked === "" ? null : Number(asked),
          refusal: NUMBER_REFUSALS.find((refusal) => refusal === refused) ?? null,
          failures: failureTags.map((_, i) => {
            const count = Number(failures[2 * i] || 0);
            const lifeMs = Number(failures[2 * i + 1]);
            return count === 0 ? null : { count, lastAtMs: nowMs() - (failureMemorySeconds * 1000 - lifeMs) };
          }),
        };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async markKnown(numberTag) {
      // The first verification is what counts; the life runs from the last.
      await Promise.all([
        redis.set(redisKeys.known(numberTag), nowMs(), { ex: KNOWN_SECONDS, nx: true }),
        redis.expire(redisKeys.known(numberTag), KNOWN_SECONDS),
      ]);
    },

    async markAsked(askTag) {
      // The first demand counts: a person who comes back later has waited since then.
      await redis.set(redisKeys.asked(askTag), nowMs(), { ex: CHALLENGE_DEMAND_SECONDS, nx: true });
    },

    async countFailure(failureTags) {
      await Promise.all(
        failureTags.flatMap((tag) => [
          redis.incr(redisKeys.failures(tag)),
          redis.expire(redisKeys.failures(tag), failureMemorySeconds),
        ]),
      );
    },

    async forgetFailures(failureTags) {
      if (failureTags.length > 0) await redis.del(...failureTags.map(redisKeys.failures));
    },

    async refuseNumber(numberTag, channels, refusal, ttlSeconds) {
      await Promise.all(
        channels.map((channel) =>
          redis.set(redisKeys.refused(channel, numberTag), refusal, { ex: ttlSeconds }),
        ),
      );
    },

    async liftRefusals(numberTags, channels) {
      const names = numberTags.flatMap((tag) => channels.map((channel) => redisKeys.refused(channel, tag)));
      return names.length === 0 ? 0 : redis.del(...names);
    },
  };
}
