/**
 * The parts that the scripts have in common, in Lua. What a request needs of Redis is packed into few values, so that one MGET
 * reads all of it and one SET writes all that is kept of a range, a country, an address or a number (see redis-keys.ts).
 *
 * ARGV begins with the caller's clock (ms, then s); KEYS are all read at once, and the last one tells since when this shape is
 * written. For a month from then on the shape of before (a hash for each level, a sorted set for each log) is looked for and
 * copied where the present one has nothing, which costs one EXISTS. Names of that shape, and of levels that another session of
 * the same number drew on, are not among KEYS: Upstash and Redis outside of a cluster allow that.
 */
import { DAY_SECONDS } from "../../domain/kernel/time.ts";
import { redisKeys } from "../redis-keys.ts";

/** How long the shape of before may still be there: what had earned lived for 30 days. */
const BEFORE_SECONDS = 31 * DAY_SECONDS;

/** How long it is remembered since when this shape is written; when that is forgotten the shape of before is looked for again. */
const SINCE_SECONDS = 400 * DAY_SECONDS;

/** Reads arguments one by one; keys are named by their place in KEYS. */
export const ARGUMENTS = `
local at = 0
local function word() at = at + 1 return ARGV[at] end
local function num() at = at + 1 return tonumber(ARGV[at]) end
local function key() at = at + 1 return KEYS[tonumber(ARGV[at])] end
local function whole(n) return string.format("%.0f", n) end
local now, seconds = num(), num()
`;

/** Reads all of KEYS at once. */
const VALUES = `
local values, found = {}, redis.call("MGET", unpack(KEYS))
for i = 1, #KEYS do values[KEYS[i]] = found[i] or "" end
local function value(name)
  if not values[name] then values[name] = redis.call("GET", name) or "" end
  return values[name]
end
local since = values[KEYS[#KEYS]]
local young = since == "" or seconds - tonumber(since) < ${BEFORE_SECONDS}
local both = young
`;

/**
 * A book is a value of lines \`<kind> <name> <end of life> <content>\`: levels (L), meters (M) and reservations (R).
 * Content of a level: verifications ever, time of the last one (s), units unverified and verified before all slots, and
 * \`slot/unverified/verified/messages\` of each slot.
 */
const BOOKS = `
local books = {}
local function book(name)
  if not books[name] then
    local lines, order = {}, {}
    for id, ends, rest in string.gmatch(value(name), "(%u %S+) (%d+) ?([^\\n]*)") do
      if tonumber(ends) > seconds then
        order[#order + 1] = id
        lines[id] = {ends = tonumber(ends), rest = rest}
      end
    end
    books[name] = {lines = lines, order = order, levels = {}}
  end
  return books[name]
end
local function line(name, id) return book(name).lines[id] end
local function put(name, id, ends, rest)
  local kept = book(name)
  if not kept.lines[id] then kept.order[#kept.order + 1] = id end
  kept.lines[id], kept.changed = {ends = ends, rest = rest}, true
end
local function drop(name, id)
  local kept = book(name)
  kept.lines[id], kept.changed = nil, true
end
local function level(name, id)
  local levels = book(name).levels
  if levels[id] then return levels[id] end
  local one, kept = {e = 0, t = 0, pu = 0, pv = 0, slots = {}, ends = 0}, line(name, id)
  if kept then
    local e, t, pu, pv, slots = string.match(kept.rest, "^(%d+) (%d+) (%d+) (%d+) ?(.*)$")
    one.e, one.t, one.pu, one.pv, one.ends = tonumber(e), tonumber(t), tonumber(pu), tonumber(pv), kept.ends
    for slot, u, v, n in string.gmatch(slots, "(%d+)/(%-?%d+)/(%-?%d+)/(%-?%d+)") do
      one.slots[#one.slots + 1] = {at = tonumber(slot), u = tonumber(u), v = tonumber(v), n = tonumber(n)}
    end
  end
  levels[id] = one
  return one
end
local function slot_of(one, number)
  for _, slot in ipairs(one.slots) do
    if slot.at == number then return slot end
  end
end
local function make_slot(one, number)
  local slot = slot_of(one, number)
  if not slot then
    slot = {at = number, u = 0, v = 0, n = 0}
    one.slots[#one.slots + 1] = slot
  end
  return slot
end
local function put_levels(name)
  for id, one in pairs(book(name).levels) do
    if one.changed then
      local parts = {whole(one.e), whole(one.t), whole(one.pu), whole(one.pv)}
      for _, s in ipairs(one.slots) do
        parts[#parts + 1] = whole(s.at) .. "/" .. whole(s.u) .. "/" .. whole(s.v) .. "/" .. whole(s.n)
      end
      put(name, id, one.ends, table.concat(parts, " "))
    end
  end
end
local function save()
  for name, kept in pairs(books) do
    put_levels(name)
    if kept.changed then
      if since == "" then
        since = whole(seconds)
        redis.call("SET", KEYS[#KEYS], since, "EX", "${SINCE_SECONDS}")
      end
      local parts, last = {}, 0
      for _, id in ipairs(kept.order) do
        local one = kept.lines[id]
        if one then
          parts[#parts + 1] = id .. " " .. whole(one.ends) .. " " .. one.rest
          if one.ends > last then last = one.ends end
        end
      end
      if #parts == 0 then
        redis.call("DEL", name)
      else
        redis.call("SET", name, table.concat(parts, "\\n"), "EX", whole(last - seconds))
      end
    end
  end
end
local function read_level()
  local name, id = key(), word()
  return {name = name, id = "L " .. string.match(id, "^[^:]+:[^:]+"), before = "${redisKeys.level("")}" .. id}
end
local function copy_level(one)
  local copied, all = level(one.name, one.id), redis.call("HGETALL", one.before)
  if #all == 0 then return end
  copied.changed = true
  copied.ends = seconds + math.max(1, redis.call("TTL", one.before))
  for j = 1, #all, 2 do
    local kind, number, amount = string.sub(all[j], 1, 1), string.sub(all[j], 2), tonumber(all[j + 1])
    if kind == "e" or kind == "t" then
      copied[kind] = amount
    elseif number == "-1" then
      copied["p" .. kind] = amount
    else
      make_slot(copied, tonumber(number))[kind] = amount
    end
  end
end
local function copy(levels, draws)
  local names, missing = {}, {}
  for _, one in ipairs(levels) do
    if one.before and not line(one.name, one.id) and not book(one.name).levels[one.id] then
      names[#names + 1] = one.before
      missing[#missing + 1] = one
    end
  end
  for _, draw in ipairs(draws or {}) do names[#names + 1] = draw.before end
  both = young and #names > 0 and redis.call("EXISTS", unpack(names)) > 0
  if both then
    for _, one in ipairs(missing) do copy_level(one) end
  end
end
local function sum(one, current, oldest, forgotten)
  local u, v, earlier, n, pu, pv = 0, 0, 0, 0, one.pu, one.pv
  for _, slot in ipairs(one.slots) do
    if slot.at < oldest then
      pu = pu + math.max(0, slot.u)
      pv = pv + slot.v
    else
      u, v, n = u + slot.u, v + slot.v, n + slot.n
      if slot.at < current then earlier = earlier + slot.v end
    end
  end
  return {u, v, earlier, n, one.t > forgotten and one.e or 0, pv > 0 and pu or 0, pv}
end
local function read_meter()
  return {name = key(), id = "M " .. word(), before = key()}
end
local function spent(meter)
  local kept, before = line(meter.name, meter.id), value(meter.before)
  return (kept and tonumber(kept.rest) or 0) + (before == "" and 0 or tonumber(before))
end
`;

/**
 * A log is a value of \`<ms>:<member>\`, the oldest first. A member that is there already passes and is only moved. Results of a
 * draw: allowed (0 or 1), max and remaining of the tightest rule, wait (ms), used in the longest window, whether it was added.
 */
const LOGS = `
local function read_log(name, before)
  local entries = {}
  for ms, member in string.gmatch(value(name), "(%d+):(%S+)") do
    entries[#entries + 1] = {at = tonumber(ms), member = member}
  end
  if both then
    local known, all = {}, redis.call("ZRANGE", before, "0", "-1", "WITHSCORES")
    for _, one in ipairs(entries) do known[one.member] = true end
    for j = 1, #all, 2 do
      local member = string.gsub(all[j], "%s", "_")
      if not known[member] then entries[#entries + 1] = {at = tonumber(all[j + 1]), member = member} end
    end
    table.sort(entries, function(a, b) return a.at < b.at end)
  end
  return entries
end
local function read_draw()
  local draw = {name = key(), before = word(), member = word(), peek = word() == "1", rules = {}, longest = 0}
  for i = 1, num() do
    draw.rules[i] = {max = num(), window = num()}
    draw.longest = math.max(draw.longest, draw.rules[i].window)
  end
  return draw
end
local function look(draw)
  local entries, again = read_log(draw.name, draw.before), 0
  for _, one in ipairs(entries) do
    if one.member == draw.member and one.at > now - draw.longest then again = one.at end
  end
  draw.entries, draw.again, draw.wait, draw.tightest, draw.left, draw.used = entries, again, 0, 0, 1e9, 0
  for _, rule in ipairs(draw.rules) do
    local used, first = 0, 0
    for i, one in ipairs(entries) do
      if one.at > now - rule.window then
        if used == 0 then first = i end
        used = used + 1
      end
    end
    if used > draw.used then draw.used = used end
    if rule.max - used < draw.left then draw.tightest, draw.left = rule.max, rule.max - used end
    if used >= rule.max and again <= now - rule.window then
      draw.wait = math.max(draw.wait, entries[first + used - rule.max].at + rule.window - now)
    end
  end
  return draw.wait
end
local function add(draw)
  local parts, placed = {}, false
  local mine = whole(now) .. ":" .. draw.member
  for _, one in ipairs(draw.entries) do
    if one.at > now - draw.longest and one.member ~= draw.member then
      if not placed and one.at > now then
        parts[#parts + 1], placed = mine, true
      end
      parts[#parts + 1] = whole(one.at) .. ":" .. one.member
    end
  end
  if not placed then parts[#parts + 1] = mine end
  values[draw.name] = table.concat(parts, " ")
  redis.call("SET", draw.name, values[draw.name], "PX", whole(draw.longest))
end
local function result(draw)
  if draw.wait > 0 then return {0, draw.tightest, 0, draw.wait, draw.used, 0} end
  if draw.peek then return {1, draw.tightest, draw.left, 0, draw.used, 0} end
  if draw.again > 0 then return {1, draw.tightest, draw.left, 0, draw.used, 0} end
  return {1, draw.tightest, draw.left - 1, 0, draw.used + 1, 1}
end
`;

/** Books of levels, meters and reservations. */
export const WITH_BOOKS = ARGUMENTS + VALUES + BOOKS;

/** Books and logs of draws. */
export const WITH_LOGS = WITH_BOOKS + LOGS;

/** All values of KEYS, and nothing else. */
export const WITH_VALUES = ARGUMENTS + VALUES;
