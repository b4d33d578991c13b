import type { Redis } from "@upstash/redis/cloudflare";
import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { TagChange } from "../../domain/ledger/person.ts";
import { keys } from "../keys.ts";

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
export function upstashAdoption(redis: Redis) {
  return {
    /** @throws as the client does: whoever cannot be carried over is a stranger once, and that is no reason to stop them */
    async adopt({ number, address }: { number: TagChange; address: TagChange }): Promise<void> {
      const pairs = [
        ...renamed(number, (tag) => [
          keys.known(tag),
          keys.insight(tag),
          ...CHANNELS.map((channel) => keys.refused(channel, tag)),
          keys.log("number", tag),
          keys.log("number", `${tag}.own`),
          keys.failures(tag),
          keys.failures(`${tag}.own`),
          keys.level(`known:number:${tag}`),
        ]),
        ...renamed(address, (tag) => [
          keys.level(`stranger:address:${tag}`),
          keys.log("ip", tag),
          keys.log("numbers_per_ip", tag),
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
