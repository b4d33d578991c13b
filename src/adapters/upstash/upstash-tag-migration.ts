import type { Redis } from "@upstash/redis/cloudflare";
import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { TagChange } from "../../domain/ledger/person.ts";
import { redisKeys } from "../redis-keys.ts";
import { bookOfLevel } from "./places.ts";
import { scriptOn } from "./script-arguments.ts";

/** KEYS old and new name, in turns. What is there under the new one already is not touched. */
const ADOPT = `
for i = 1, #KEYS, 2 do
  if redis.call("EXISTS", KEYS[i]) == 1 and redis.call("EXISTS", KEYS[i + 1]) == 0 then
    redis.call("RENAME", KEYS[i], KEYS[i + 1])
  end
end
return 1`;

/**
 * Carries people over a rotation of the pepper: what is kept of a number or an address under an older key moves to its
 * present hash the first time it is seen again, with its life. Asked in the same tick as everything else, and before it, it
 * shares their round trip (a pipeline keeps its order); outside an overlap it asks nothing.
 *
 * Not carried: what lives for an hour at most (limits of users and claimed devices, wrong codes of an address).
 */
export function upstashTagMigration(redis: Redis) {
  const adopt = scriptOn(redis, ADOPT);
  return {
    /** @throws as the client does: whoever cannot be carried over is a stranger once, and that is no reason to stop them */
    async adopt({ number, address }: { number: TagChange; address: TagChange }): Promise<void> {
      const pairs = [
        ...renamed(number, (tag) => [
          redisKeys.known(tag),
          redisKeys.insight(tag),
          ...CHANNELS.map((channel) => redisKeys.refused(channel, tag)),
          redisKeys.failures(tag),
          redisKeys.failures(`${tag}.own`),
          ...both("number", tag),
          ...both("number", `${tag}.own`),
          ...bookAndHash(`known:number:${tag}`),
        ]),
        ...renamed(address, (tag) => [
          ...bookAndHash(`stranger:address:${tag}`),
          ...both("ip", tag),
          ...both("numbers_per_ip", tag),
        ]),
      ];
      if (pairs.length > 0) await adopt({ names: new Map(pairs.map((name, i) => [name, i + 1])), words: [] });
    },
  };
}

/** A log as it is packed, and as the version before and long logs have it. */
const both = (limit: string, subject: string): string[] => [
  redisKeys.draws(limit, subject),
  redisKeys.log(limit, subject),
];

/** A subject's book, and the level as the version before had it. */
const bookAndHash = (level: string): string[] => [bookOfLevel(level), redisKeys.level(level)];

const renamed = ({ older, present }: TagChange, names: (tag: string) => string[]): string[] =>
  older.flatMap((tag) => {
    const to = names(present);
    return names(tag).flatMap((from, i) => [from, to[i] ?? from]);
  });
