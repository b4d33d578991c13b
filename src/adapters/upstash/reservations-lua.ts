import { UNIT_HUNDREDTHS } from "../../domain/admission/exposure.ts";
import { EARNED_SECONDS } from "../../domain/admission/lifetimes.ts";
import { DAY_SECONDS } from "../../domain/kernel/time.ts";
import { redisKeys } from "../redis-keys.ts";

/** What most levels have is left out of a line. */
const USUAL_WINDOW = DAY_SECONDS;
const BOOK = redisKeys.book("");

/**
 * Reservations that are open: lines R of a book, each with its time and the levels it took, so that a verification of the same
 * number finds them by the number alone. Closing one is what allows its release or its credit, once; both belong to one script.
 * The version before marked an open one by a key of its own.
 */
export const RESERVATIONS = `
local function slot_at(ms, window) return math.floor(ms / (window * 1000.0 / 12)) end
local function read_reservation()
  local one = {home = key(), id = "R " .. word(), before = word(), person = word(), at = num(), weight = num(), taken = {}}
  for i = 1, num() do
    local level = read_level()
    level.window, level.weight, level.kept = num(), num(), word() == "1"
    one.taken[i] = level
  end
  return one
end
local function open(one, life)
  local parts = {whole(one.at)}
  for i, level in ipairs(one.taken) do
    local words = {string.sub(level.name, ${BOOK.length + 1}), string.sub(level.id, 3)}
    if level.window ~= ${USUAL_WINDOW} or level.weight ~= ${UNIT_HUNDREDTHS} or level.kept then
      words[3], words[4], words[5] = whole(level.window), whole(level.weight), level.kept and "1" or "0"
    end
    parts[i + 1] = table.concat(words, "|")
  end
  put(one.home, one.id, seconds + life, table.concat(parts, " "))
end
local function read_taken(text)
  local name, id, rest = string.match(text, "^([^|]+)|([^|]+)|?(.*)$")
  local window, weight, kept = string.match(rest, "^(%d+)|(%d+)|(%d)$")
  return {
    name = "${BOOK}" .. name,
    id = "L " .. id,
    window = tonumber(window or ${USUAL_WINDOW}),
    weight = tonumber(weight or ${UNIT_HUNDREDTHS}),
    kept = kept == "1",
  }
end
local function others_of(home, id)
  local list = {}
  for _, other in ipairs(book(home).order) do
    local kept = line(home, other)
    if kept and other ~= id and string.sub(other, 1, 2) == "R " then
      local one = {home = home, id = other, at = tonumber(string.match(kept.rest, "^%d+")), taken = {}}
      for taken in string.gmatch(kept.rest, "%S+|%S+") do one.taken[#one.taken + 1] = read_taken(taken) end
      list[#list + 1] = one
    end
  end
  return list
end
local function close(one)
  if line(one.home, one.id) then
    drop(one.home, one.id)
    return true
  end
  if not young or not one.before then return false end
  redis.call("HDEL", "${redisKeys.openReservations("")}" .. one.person, one.before)
  return redis.call("DEL", "${redisKeys.hold("")}" .. one.before) == 1
end
local function release(one, messages)
  copy(one.taken)
  for _, taken in ipairs(one.taken) do
    local number = slot_at(one.at, taken.window)
    if not (taken.kept and messages == 0) and number > slot_at(now, taken.window) - 12 then
      local found = level(taken.name, taken.id)
      local slot = slot_of(found, number)
      if slot then
        slot.u, slot.n, found.changed = slot.u - taken.weight, slot.n - messages, true
      end
    end
  end
end
local function unspend(meter, amount)
  local kept, before = line(meter.name, meter.id), value(meter.before)
  if kept and tonumber(kept.rest) >= amount then
    put(meter.name, meter.id, kept.ends, whole(tonumber(kept.rest) - amount))
  elseif before ~= "" then
    redis.call("INCRBY", meter.before, whole(-amount))
  end
end
local function weight_in(one, name, id)
  for _, taken in ipairs(one.taken) do
    if taken.name == name and taken.id == id then return taken.weight, taken.kept end
  end
end
local function earn(taken, weight)
  local one = level(taken.name, taken.id)
  local slot = make_slot(one, slot_at(now, taken.window))
  if one.t <= seconds - ${EARNED_SECONDS} then one.e = 0 end
  slot.v, one.e, one.t, one.changed = slot.v + weight, one.e + 1, seconds, true
  one.ends = seconds + ${EARNED_SECONDS}
end
`;
