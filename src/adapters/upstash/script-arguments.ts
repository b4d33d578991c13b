import type { Redis } from "@upstash/redis/cloudflare";
import { redisKeys } from "../redis-keys.ts";

/** Runs a script by its hash, and by its text where Redis has not seen it, or has forgotten it. */
export function scriptOn(redis: Redis, source: string) {
  const script = redis.createScript<unknown>(source);
  return ({ names, words }: ScriptArguments): Promise<unknown> => script.exec([...names.keys()], words);
}

/** The keys and arguments of one run of a script, as the parts in `packed-lua.ts` read them. */
export interface ScriptArguments {
  /** Each with its place in KEYS. */
  names: Map<string, number>;
  words: string[];
}

/** Arguments in the order in which a script reads them; a list comes after its length. */
export function scriptArguments(nowMs: number) {
  const call: ScriptArguments = {
    names: new Map(),
    words: [String(nowMs), String(Math.floor(nowMs / 1000))],
  };
  const add = (...more: (string | number)[]): void => {
    call.words.push(...more.map(String));
  };
  return {
    add,
    /** Names a key by its place. */
    addKey(name: string): void {
      const place = call.names.get(name) ?? call.names.size + 1;
      call.names.set(name, place);
      add(place);
    },
    addList<T>(list: readonly T[], each: (one: T) => void): void {
      add(list.length);
      for (const one of list) each(one);
    },
    /** The call of a script that reads packed values: the last of its keys tells since when they are written. */
    withValues(): ScriptArguments {
      call.names.set(redisKeys.packedSince(), call.names.size + 1);
      return call;
    },
    /** The call of any other script. */
    plain: (): ScriptArguments => call,
  };
}

export type CallInMaking = ReturnType<typeof scriptArguments>;

/** Names and members in packed values are parted by spaces and bars. */
export const packable = (text: string): string => text.replaceAll(/[\s|]/g, "_");
