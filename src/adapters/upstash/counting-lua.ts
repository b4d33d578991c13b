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
  QUARTER_MEMBERS_SECONDS,
} from "../../domain/monitor/lifetimes.ts";
import {
  type CounterUpdate,
  METRICS_PER_SUBJECT,
  type Metric,
  maxSubjects,
  OTHER_SUBJECTS,
} from "../../domain/monitor/tally.ts";
import { redisKeys } from "../redis-keys.ts";
import type { CallInMaking } from "./script-arguments.ts";

/**
 * Metrics that most subjects have, and the many buckets of a provider's times, by the letter they are stored under: an hour
 * of minutes is read every minute.
 */
export const LETTERS: Readonly<Record<string, Metric>> = {
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

const stored = (metric: Metric) => LETTER_OF[metric] ?? plainName(metric);

/**
 * A minute is a hash. Field `<dimension> <subject>`: the subject's counters as JSON text (`{"s":3,"m":9000}`), one field for
 * all of them, because a minute is written in parts and read whole by every run of the cron. Field `<dimension>`:
 * how many subjects of it are told apart; one that finds no more room counts under `<dimension> *`.
 *
 * `count()` reads its arguments as {@link addCounts} writes them, and each hash once; a hash lives from its first entry on.
 */
export const COUNTING = `
local function count_entry(amounts, names, entry, apart)
  local name, how, amount = entry[1], entry[2], entry[3]
  local before, after = amounts[name], nil
  if how == "add" then
    after = (before or 0) + tonumber(amount)
  elseif how == "peak" then
    after = math.max(before or 0, tonumber(amount))
  elseif apart then
    local members = KEYS[tonumber(how)]
    local many = redis.call("SCARD", members)
    if many < ${MEMBERS_PER_QUARTER} then
      local first = many == 0
      many = many + redis.call("SADD", members, amount)
      if first then redis.call("EXPIRE", members, "${QUARTER_MEMBERS_SECONDS}") end
    end
    after = math.max(before or 0, many)
  end
  if after and not before then
    if #names >= ${METRICS_PER_SUBJECT} then return end
    names[#names + 1] = name
  end
  amounts[name] = after or before
end
local function count_change(change, held, written)
  local field, apart = change.dimension .. " " .. change.name, true
  if not held[field] then
    local many = tonumber(held[change.dimension] or "0")
    if many < change.most then
      held[change.dimension] = whole(many + 1)
      written[change.dimension] = true
    else
      field, apart = change.dimension .. " ${OTHER_SUBJECTS}", false
    end
  end
  local names, amounts, parts = {}, {}, {}
  for name, amount in string.gmatch(held[field] or "", '"([^"]+)":(%d+)') do
    names[#names + 1] = name
    amounts[name] = tonumber(amount)
  end
  for _, entry in ipairs(change.entries) do count_entry(amounts, names, entry, apart) end
  for i, name in ipairs(names) do parts[i] = '"' .. name .. '":' .. whole(amounts[name]) end
  held[field] = "{" .. table.concat(parts, ",") .. "}"
  written[field] = true
end
local function count()
  for i = 1, num() do
    local hash, ends = key(), word() == "1"
    local changes, fields, asked = {}, {}, {}
    local function ask(field)
      if not asked[field] then
        fields[#fields + 1], asked[field] = field, true
      end
    end
    for c = 1, num() do
      local change = {dimension = word(), name = word(), most = num(), entries = {}}
      for e = 1, num() do change.entries[e] = {word(), word(), word()} end
      ask(change.dimension)
      ask(change.dimension .. " " .. change.name)
      ask(change.dimension .. " ${OTHER_SUBJECTS}")
      changes[c] = change
    end
    local held, written, texts, is_new = {}, {}, redis.call("HMGET", hash, unpack(fields)), true
    for f, field in ipairs(fields) do
      if texts[f] then
        held[field], is_new = texts[f], false
      end
    end
    for _, change in ipairs(changes) do count_change(change, held, written) end
    local values = {}
    for _, field in ipairs(fields) do
      if written[field] then
        values[#values + 1] = field
        values[#values + 1] = held[field]
      end
    end
    redis.call("HSET", hash, unpack(values))
    if ends and is_new then redis.call("EXPIRE", hash, "${MINUTE_COUNTERS_SECONDS}") end
  end
end
`;

/** Writes updates as `count()` reads them: by hash, each with its subjects and their changes. */
export function addCounts(call: CallInMaking, updates: readonly CounterUpdate[]): void {
  call.addList([...groupCounterUpdates(updates)], ([minute, changes]) => {
    call.addKey(minute === "totals" ? redisKeys.totals() : redisKeys.minute(minute));
    call.add(minute === "totals" ? 0 : 1);
    call.addList(changes, ({ dimension, subject, entries }) => {
      call.add(dimension, subject, maxSubjects(dimension, entries));
      call.addList(entries, ({ metric, how }) => {
        if ("add" in how) call.add(stored(metric), "add", how.add);
        else if ("peak" in how) call.add(stored(metric), "peak", how.peak);
        else {
          call.add(stored(metric));
          call.addKey(redisKeys.members(quarterOfMinute(Number(minute)), dimension, subject));
          call.add(how.distinct);
        }
      });
    });
  });
}
