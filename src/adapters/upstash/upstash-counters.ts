import type { Redis } from "@upstash/redis/cloudflare";
import { OUTCOME_CLAIM_SECONDS } from "../../domain/monitor/lifetimes.ts";
import {
  type CounterUpdate,
  type Counts,
  type Dimension,
  isTallyObject,
  type Metric,
  type Tally,
} from "../../domain/monitor/tally.ts";
import type { CountersPort } from "../../ports/monitor.ts";
import { redisKeys } from "../redis-keys.ts";
import { type CounterBatch, counterBatch } from "./counter-batch.ts";
import { addCounts, COUNTING, LETTERS } from "./counting-lua.ts";
import { ARGUMENTS } from "./packed-lua.ts";
import { scriptArguments, scriptOn } from "./script-arguments.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/** ARGV: the counters. */
const COUNT = `${ARGUMENTS}${COUNTING}
count()
return 1`;

/**
 * Each of KEYS as one JSON text of its subjects, of the dimensions in ARGV or of all where there is none: one text is decoded
 * and parsed in a fraction of the time that the client takes for thousands of fields.
 */
const READ = `
local texts, wanted = {}, {}
for i = 1, #ARGV do wanted[ARGV[i]] = true end
for i = 1, #KEYS do
  local all, fields = redis.call("HGETALL", KEYS[i]), {}
  for j = 1, #all, 2 do
    local space = string.find(all[j], " ", 1, true)
    if space and (#ARGV == 0 or wanted[string.sub(all[j], 1, space - 1)]) then fields[#fields + 1] = '"' .. all[j] .. '":' .. all[j + 1] end
  end
  texts[i] = "{" .. table.concat(fields, ",") .. "}"
end
return texts`;

/**
 * The monitor's counters on Upstash: a hash for each minute, one command for everything that is counted at once.
 *
 * @param pause waits for others to count along, see `counter-batch.ts`
 */
export function upstashCounters(
  redis: Redis,
  nowMs: () => number,
  pause: (ms: number) => Promise<void>,
): { counters: CountersPort; batch: CounterBatch } {
  const script = scriptOn(redis, COUNT);
  const batch = counterBatch(write, pause);

  async function write(updates: readonly CounterUpdate[]): Promise<void> {
    const call = scriptArguments(nowMs());
    addCounts(call, updates);
    if (call.plain().names.size > 0) await script(call.plain());
  }

  async function read(names: readonly string[], of: readonly Dimension[] = []): Promise<Tally[]> {
    // This isolate's readers see what it has not written yet.
    await write(batch.take());
    const answer = await redis.eval<Dimension[], unknown>(READ, [...names], [...of]);
    if (!Array.isArray(answer) || answer.length !== names.length) {
      throw new Error("an answer that no script of ours gives");
    }
    return answer.map(readMinute);
  }

  const counters: CountersPort = {
    count: (updates) => write([...updates, ...batch.take()]),
    countSoon: batch.add,

    async window(minute, minutes, of) {
      const wanted = Array.from({ length: minutes }, (_, i) => minute - minutes + 1 + i);
      try {
        const tallies = await read(wanted.map(redisKeys.minute), of);
        return {
          kind: "answered",
          minutes: tallies.map((tally, i) => ({ minute: wanted[i] ?? minute, tally })),
        };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async totals() {
      try {
        const [tally = new Map()] = await read([redisKeys.totals()]);
        return { kind: "answered", tally };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async claimOutcome(proofId, type) {
      try {
        const set = await redis.set(redisKeys.outcome(proofId, type), 1, {
          nx: true,
          ex: OUTCOME_CLAIM_SECONDS,
        });
        if (set !== "OK" && set !== null) throw new Error("an answer that is none of SET's");
        return set === "OK";
      } catch (error) {
        return upstashUnavailable(error);
      }
    },
  };
  return { counters, batch };
}

/** @throws for a counter that cannot be read, which is no zero: whoever judges must know that they are blind */
function readMinute(value: unknown): Tally {
  if (!isTallyObject(value)) throw new Error("a minute that no script of ours wrote");
  const tally = new Map<string, Counts>();
  for (const key in value) {
    const held: Readonly<Record<string, number | undefined>> = value[key] ?? {};
    const counts: Counts = {};
    for (const name in held) counts[LETTERS[name] ?? (name as Metric)] = held[name] ?? 0;
    tally.set(key, counts);
  }
  return tally;
}
