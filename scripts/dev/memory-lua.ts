/*
 * ioredis-mock runs Lua through fengari, with seams that scripts fall through: a missing field of HMGET or MGET arrives
 * as a userdata that is neither nil nor false, numbers go into commands as JavaScript numbers and come back as floats
 * (`5.0`), MGET gives a hash where Redis gives nil, an error loses its text, fractions are not cut off on the way out, and a nil inside a returned table loses the
 * table. Whole numbers have 32 bits and wrap, so the larger half of them stays floats. So a script is wrapped: these
 * functions stand between it and the mock, and its reply leaves the interpreter as one JSON text.
 */
const PRELUDE = `
local raw_pcall, raw_tonumber = redis.pcall, tonumber
local function as_number(value)
  local whole = math.tointeger(value)
  if whole and math.abs(whole) < 16777216 then return whole end
  return value + 0.0
end
function tonumber(...)
  local value = raw_tonumber(...)
  return value and as_number(value)
end
local function as_argument(value)
  if type(value) ~= 'number' then return value end
  if value == math.floor(value) and math.abs(value) < 1e17 then return string.format('%.0f', value) end
  return string.format('%.17g', value)
end
local function as_value(value)
  if value == nil or value == false then return false end
  if type(value) == 'number' then return as_number(value) end
  if type(value) ~= 'userdata' then return value end
  if tostring(value) == 'null' then return false end
  if value.length == nil then return false end
  local list = {}
  for i = 1, value.length - 1 do list[i] = as_value(value[i]) end
  return list
end
function redis.pcall(...)
  local args = table.pack(...)
  for i = 1, args.n do args[i] = as_argument(args[i]) end
  local value = raw_pcall(table.unpack(args, 1, args.n))
  if type(value) == 'userdata' and value[0] == 'error' then return { err = value[1] } end
  return as_value(value)
end
function redis.call(...)
  local value = redis.pcall(...)
  if type(value) == 'table' and value.err then error(value, 0) end
  return value
end
function redis.error_reply(text) return { err = text } end
function redis.status_reply(text) return { ok = text } end
local function quote(text)
  return '"' .. text:gsub('[%c"\\\\\\127]', function(c) return string.format('\\\\u%04x', c:byte()) end) .. '"'
end
local function encode(value)
  if type(value) == 'number' then return string.format('%.0f', value < 0 and math.ceil(value) or math.floor(value)) end
  if type(value) == 'string' then return quote(value) end
  if value == true then return '1' end
  if type(value) ~= 'table' then return 'null' end
  if value.err then return '{"err":' .. quote(tostring(value.err)) .. '}' end
  if value.ok then return quote(tostring(value.ok)) end
  local items, i = {}, 1
  while value[i] ~= nil do items[i] = encode(value[i]); i = i + 1 end
  return '[' .. table.concat(items, ',') .. ']'
end
`;

/** Makes of a Redis script one that ioredis-mock runs as Redis would; its reply is a JSON text for {@link readReply}. */
export function wrapScript(script: string): string {
  return `${PRELUDE}
local chunk, problem = load([=====[
${script}]=====], '@user_script')
if not chunk then return encode({ err = 'ERR Error compiling script (new function): ' .. problem }) end
local fine, reply = pcall(chunk)
if not fine and type(reply) ~= 'table' then reply = { err = 'ERR ' .. tostring(reply) } end
return encode(reply)`;
}

/**
 * Reads what a wrapped script returned.
 *
 * @throws Error with the message of `redis.error_reply`, of a failed `redis.call`, or of Lua itself.
 */
export function readReply(text: unknown): unknown {
  const reply: unknown = JSON.parse(String(text));
  if (isErrorReply(reply)) throw new Error(reply.err);
  return reply;
}

function isErrorReply(reply: unknown): reply is { err: string } {
  return typeof reply === "object" && reply !== null && "err" in reply;
}
