import type { Redis } from "@upstash/redis/cloudflare";
import { KNOWN_SECONDS } from "../../domain/admission/lifetimes.ts";
import { waitMsOf } from "../../domain/admission/limits.ts";
import type { Reservation } from "../../domain/admission/reservation.ts";
import type { CounterUpdate } from "../../domain/monitor/tally.ts";
import type { VerificationsPort, VerifiedCode } from "../../ports/verification.ts";
import { redisKeys } from "../redis-keys.ts";
import type { CounterBatch } from "./counter-batch.ts";
import { addCounts, COUNTING } from "./counting-lua.ts";
import { ARGUMENTS, WITH_BOOKS } from "./packed-lua.ts";
import { addLevel, addReservation } from "./places.ts";
import { RESERVATIONS } from "./reservations-lua.ts";
import { packable, scriptArguments, scriptOn } from "./script-arguments.ts";

/**
 * A verification credits its own reservation, if that is still open, and gives back every other one of its session and its
 * number. What was reserved weightless, because the number had an unanswered message, is credited with the weight of the message it
 * repeats (see `creditedWeight`).
 *
 * ARGV: the session's reservations, the verified one first; whether those of the same number go with it; levels that earn besides;
 * the mark of the number and its life; the log of the number with the time nothing in it stays younger than; the failure counts;
 * then the counters.
 */
const VERIFIED = `${WITH_BOOKS}${RESERVATIONS}${COUNTING}
local reservations, seen, earns, settled, own = {}, {}, {}, {}, nil
for i = 1, num() do
  reservations[i] = read_reservation()
  seen[reservations[i].id] = true
end
local first = reservations[1]
for i = 1, num() do
  for _, other in ipairs(others_of(first.home, first.id)) do
    if not seen[other.id] then reservations[#reservations + 1] = other end
  end
end
for i = 1, num() do
  earns[i] = read_level()
  earns[i].window = num()
end
for i, one in ipairs(reservations) do
  if close(one) then
    release(one, 0)
    if i == 1 then own = one else settled[#settled + 1] = one end
  end
end
local function credited(taken)
  local weight, most = weight_in(own, taken.name, taken.id) or own.weight, 0
  if weight > 0 then return weight end
  for _, other in ipairs(settled) do
    local theirs, kept = weight_in(other, taken.name, taken.id)
    if theirs and not kept and theirs > most then most = theirs end
  end
  return most
end
if own then
  copy(earns)
  for _, taken in ipairs(own.taken) do
    if not taken.kept then earn(taken, credited(taken)) end
  end
  for _, taken in ipairs(earns) do earn(taken, credited(taken)) end
end
if first then save() end
for i = 1, num() do
  local name, life = key(), word()
  local before = value(name)
  redis.call("SET", name, before == "" and whole(now) or before, "EX", life)
end
for i = 1, num() do
  local name, oldest, longest = key(), num(), word()
  local parts, freed = {}, false
  for ms, member in string.gmatch(value(name), "(%d+):(%S+)") do
    freed = freed or tonumber(ms) > oldest
    parts[#parts + 1] = whole(math.min(tonumber(ms), oldest)) .. ":" .. member
  end
  if freed then redis.call("SET", name, table.concat(parts, " "), "PX", longest) end
end
local failed = {}
for i = 1, num() do
  local name = key()
  if value(name) ~= "" then failed[#failed + 1] = name end
end
if #failed > 0 then redis.call("DEL", unpack(failed)) end
count()
return 1`;

/** ARGV: the failure counts with their life; then the counters. */
const FAILED = `${ARGUMENTS}${COUNTING}
for i = 1, num() do
  local name, life = key(), word()
  redis.call("INCR", name)
  redis.call("EXPIRE", name, life)
end
count()
return 1`;

/** Verifications on Upstash: one script for each, so that a credit cannot be lost on the way. */
export function upstashVerifications(
  redis: Redis,
  batch: CounterBatch,
  nowMs: () => number,
  failureMemorySeconds: number,
): VerificationsPort {
  const verified = scriptOn(redis, VERIFIED);
  const failed = scriptOn(redis, FAILED);
  return {
    async verified(code) {
      await verified(verifiedCall(code, [...code.updates, ...batch.take()], nowMs()));
    },

    async failed(failureTags, updates) {
      const call = scriptArguments(nowMs());
      call.addList(failureTags, (tag) => {
        call.addKey(redisKeys.failures(tag));
        call.add(failureMemorySeconds);
      });
      addCounts(call, [...updates, ...batch.take()]);
      await failed(call.plain());
    },
  };
}

function verifiedCall(
  { numberTag, failureTags, numberLimit, reservation, otherReservations }: VerifiedCode,
  updates: readonly CounterUpdate[],
  nowMs: number,
) {
  const call = scriptArguments(nowMs);
  const all: Reservation[] = reservation === null ? [] : [reservation, ...otherReservations];
  const distinct = [...new Map(all.map((one) => [one.id, one])).values()];
  call.addList(distinct, (one) => addReservation(call, one));
  call.add(reservation?.person === undefined ? 0 : 1);
  call.addList(reservation?.earns ?? [], ({ key, windowSeconds }) => {
    addLevel(call, key);
    call.add(windowSeconds);
  });
  call.addList([numberTag], (tag) => {
    call.addKey(redisKeys.known(tag));
    call.add(KNOWN_SECONDS);
  });
  const waitMs = numberLimit && waitMsOf(numberLimit);
  call.addList(numberLimit && waitMs !== null ? [numberLimit] : [], ({ name, subject, rules }) => {
    call.addKey(redisKeys.draws(name, packable(subject)));
    call.add(nowMs - (waitMs ?? 0), 1000 * Math.max(...rules.map((rule) => rule.window_seconds)));
  });
  call.addList(failureTags, (tag) => call.addKey(redisKeys.failures(tag)));
  addCounts(call, updates);
  return call.withValues();
}
