import type { Redis } from "@upstash/redis/cloudflare";
import { groupCounterUpdates, plainName } from "../../domain/monitor/counter-updates.ts";
import {
  DELIVERY_ATTEMPT_TIME,
  DELIVERY_TIME,
  type HistogramDefinition,
} from "../../domain/monitor/histogram.ts";
import { quarterOfMinute } from "../../domain/monitor/history.ts";
import {
  MEMBERS_PER_QUARTER,
  MINUTE_COUNTERS_SECONDS,
  OUTCOME_CLAIM_SECONDS,
  QUARTER_MEMBERS_SECONDS,
} from "../../domain/monitor/lifetimes.ts";
import {
  type Counts,
  type Dimension,
  isTallyObject,
  METRICS_PER_SUBJECT,
  type Metric,
  maxSubjects,
  OTHER_SUBJECTS,
  type Tally,
} from "../../domain/monitor/tally.ts";
import type { CountersPort } from "../../ports/monitor.ts";
import { redisKeys } from "../redis-keys.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/**
 * Metrics that most subjects have, and the many buckets of a provider's times, by the letter they are stored under: an hour
 * of minutes is read every minute.
 */
const LETTERS: Readonly<Record<string, Metric>> = {
  s: "sent",
  v: "verified",
  m: "micros",
  d: "delivered",
  u: "undelivered",
  x: "rejected",
  r: "refused",
  t: "turned_away",
  n: "numbers",
  ...lettersOf("h", DELIVERY_ATTEMPT_TIME),
  ...lettersOf("e", DELIVERY_TIME),
};
const LETTER_OF: Readonly<Record<string, string>> = Object.fromEntries(
  Object.entries(LETTERS).map(([letter, metric]) => [metric, letter]),
);

/** The sum under the letter, each bucket under the letter and its index. */
function lettersOf(letter: string, { ends, sum, bucket }: HistogramDefinition): Record<string, Metric> {
  const buckets = Array.from({ length: ends.length + 1 }, (_, at): [string, Metric] => [
    `${letter}${at}`,
    `${bucket}:${at}`,
  ]);
  return { [letter]: sum, ...Object.fromEntries(buckets) };
}

/**
 * A minute is a hash. Field `<dimension> <subject>`: the subject's counters as JSON text (`{"s":3,"m":9000}`), one field for
 * all of them, because a minute is written in parts and read whole by every run of the cron. Field `<dimension>`:
 * how many subjects of it are told apart; one that finds no more room counts under `<dimension> *`.
 *
 * KEYS: minutes, totals, sets of members. ARGV: number of minutes, a minute's life (s), most members of a set and its life
 * (s), most metrics of a subject; for each subject its KEYS index, dimension, name, places for it in the dimension, number
 * of changes; for each change metric, `add`, `peak` or the KEYS index of a set, and amount or member.
 */
const COUNT = `
local at = 6
while at <= #ARGV do
  local key, dimension, field = KEYS[tonumber(ARGV[at])], ARGV[at + 1], ARGV[at + 1] .. " " .. ARGV[at + 2]
  local most, changes = tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  at = at + 5
  local text, apart = redis.call("HGET", key, field), true
  if not text then
    local many = tonumber(redis.call("HGET", key, dimension) or "0")
    if many < most then
      redis.call("HSET", key, dimension, many + 1)
    else
      field, apart = dimension .. " ${OTHER_SUBJECTS}", false
      text = redis.call("HGET", key, field)
    end
  end
  local names, amounts = {}, {}
  for name, amount in string.gmatch(text or "", '"([^"]+)":(%d+)') do
    names[#names + 1] = name
    amounts[name] = tonumber(amount)
  end
  for i = 1, changes do
    local name, how, value = ARGV[at], ARGV[at + 1], ARGV[at + 2]
    at = at + 3
    local before, after = amounts[name], nil
    if how == "add" then
      after = (before or 0) + tonumber(value)
    elseif how == "peak" then
      after = math.max(before or 0, tonumber(value))
    elseif apart then
      local set = KEYS[tonumber(how)]
      if redis.call("SCARD", set) < tonumber(ARGV[3]) then
        redis.call("SADD", set, value)
        redis.call("EXPIRE", set, ARGV[4])
      end
      after = math.max(before or 0, redis.call("SCARD", set))
    end
    if after and not before and #names < tonumber(ARGV[5]) then names[#names + 1] = name end
    amounts[name] = after or before
  end
  local parts = {}
  for i, name in ipairs(names) do parts[i] = '"' .. name .. '":' .. string.format("%.0f", amounts[name]) end
  redis.call("HSET", key, field, "{" .. table.concat(parts, ",") .. "}")
end
for i = 1, tonumber(ARGV[1]) do redis.call("EXPIRE", KEYS[i], ARGV[2]) end
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

/** The monitor's counters on Upstash: a hash for each minute, one command for everything that is counted at once. */
export function upstashCounters(redis: Redis): CountersPort {
  async function read(names: readonly string[], of: readonly Dimension[] = []): Promise<Tally[]> {
    const answer = await redis.eval<Dimension[], unknown>(READ, [...names], [...of]);
    if (!Array.isArray(answer) || answer.length !== names.length) {
      throw new Error("an answer that no script of ours gives");
    }
    return answer.map(readMinute);
  }

  return {
    async count(bookings) {
      const changes = groupCounterUpdates(bookings);
      if (changes.length === 0) return;
      const minutes = [...new Set(bookings.map(({ minute }) => minute))];
      const names = [...minutes.map(redisKeys.minute), redisKeys.totals()];
      const indexOf = (name: string) => names.indexOf(name) + 1 || names.push(name);
      const args = changes.flatMap(({ minute, dimension, subject, entries }) => [
        indexOf(minute === "totals" ? redisKeys.totals() : redisKeys.minute(minute)),
        dimension,
        subject,
        maxSubjects(dimension, entries),
        entries.length,
        ...entries.flatMap(({ metric, how }) => {
          if ("add" in how) return [stored(metric), "add", how.add];
          if ("peak" in how) return [stored(metric), "peak", how.peak];
          const quarter = quarterOfMinute(Number(minute));
          return [stored(metric), indexOf(redisKeys.members(quarter, dimension, subject)), how.distinct];
        }),
      ]);
      await redis.eval<unknown[], number>(COUNT, names, [
        minutes.length,
        MINUTE_COUNTERS_SECONDS,
        MEMBERS_PER_QUARTER,
        QUARTER_MEMBERS_SECONDS,
        METRICS_PER_SUBJECT,
        ...args,
      ]);
    },

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
}

const stored = (metric: Metric) => LETTER_OF[metric] ?? plainName(metric);

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
