import type { Redis } from "@upstash/redis/cloudflare";
import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { TagChange } from "../../domain/ledger/person.ts";
import { redisKeys } from "../redis-keys.ts";

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
  return {
    /** @throws as the client does: whoever cannot be carried over is a stranger once, and that is no reason to stop them */
    async adopt({ number, address }: { number: TagChange; address: TagChange }): Promise<void> {
      const pairs = [
        ...renamed(number, (tag) => [
          redisKeys.known(tag),
          redisKeys.insight(tag),
          ...CHANNELS.map((channel) => redisKeys.refused(channel, tag)),
          redisKeys.log("number", tag),
          redisKeys.log("number", `${tag}.own`),
          redisKeys.failures(tag),
          redisKeys.failures(`${tag}.own`),
          redisKeys.level(`known:number:${tag}`),
        ]),
        ...renamed(address, (tag) => [
          redisKeys.level(`stranger:address:${tag}`),
          redisKeys.log("ip", tag),
          redisKeys.log("numbers_per_ip", tag),
        ]),
      ];
      if (pairs.length > 0) await redis.eval<never[], number>(ADOPT, pairs, []);
    },
  };
}

const renamed = ({ older, present }: TagChange, names: (tag: string) => string[]): string[] =>
  older.flatMap((tag) => {
    const to = names(present);
    return names(tag).flatMap((from, i) => [from, to[i] ?? from]);
  });
