import type { Redis } from "@upstash/redis/cloudflare";
import { type Level, type LevelReading, oldestSlotOf, slotOf } from "../../domain/admission/exposure.ts";
import { EARNED_SECONDS, RESERVATION_SECONDS } from "../../domain/admission/lifetimes.ts";
import type { Reservation } from "../../domain/admission/reservation.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import type { BudgetsPort, ReservationRequest } from "../../ports/admission.ts";
import { keys, METER_SECONDS } from "../keys.ts";
import { scriptNumbers, upstashUnavailable } from "./upstash-client.ts";

/**
 * A level is a hash: `u<slot>` units unverified, `v<slot>` units verified, `n<slot>` messages, `e` verifications ever,
 * `t` the time of the last one (s). The last ARGV is the time before which that one, and with it all, is forgotten.
 * Slots that fell out of the window are dropped when the level is next written. Sums: u, v, v before this slot, n, e.
 */
const SUM = `
local forgotten = tonumber(ARGV[#ARGV])
local function sum(key, current, oldest)
  local u, v, earlier, n, e, t = 0, 0, 0, 0, 0, 0
  local stale, all = {}, redis.call("HGETALL", key)
  for j = 1, #all, 2 do
    local field, amount = all[j], tonumber(all[j + 1])
    local kind = string.sub(field, 1, 1)
    if kind == "e" then
      e = amount
    elseif kind == "t" then
      t = amount
    else
      local slot = tonumber(string.sub(field, 2))
      if slot < oldest then
        stale[#stale + 1] = field
      elseif kind == "u" then
        u = u + amount
      elseif kind == "n" then
        n = n + amount
      else
        v = v + amount
        if slot < current then earlier = earlier + amount end
      end
    end
  end
  if e > 0 and t <= forgotten then
    e = 0
    stale[#stale + 1] = "e"
  end
  return u, v, earlier, n, e, stale
end
`;

/**
 * KEYS levels, then meters. ARGV number of levels; current and oldest slot of each. Returns five sums for each level, then
 * each meter's total.
 */
const READ = `${SUM}
local sums, levels = {}, tonumber(ARGV[1])
for i = 1, levels do
  local u, v, earlier, n, e = sum(KEYS[i], tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]))
  for _, value in ipairs({u, v, earlier, n, e}) do sums[#sums + 1] = value end
end
for i = levels + 1, #KEYS do sums[#sums + 1] = tonumber(redis.call("GET", KEYS[i]) or "0") end
return sums`;

/**
 * Checks every level and meter, and only then takes from all of them. KEYS: levels, meters, the hold's mark. ARGV: number of levels, weight, slow start and its
 * factor; for each level current slot, oldest slot, base, gain, most messages (-1: any), life; for each meter amount, cap,
 * life. Returns 1 and the meters' totals, 0 and the number of the level that is used up, or -1 and that of the meter.
 */
const RESERVE = `${SUM}
local levels, weight, start, factor = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[4])
local stale, at = {}, 5
for i = 1, levels do
  local current, oldest = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local base, gain, most = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local u, v, earlier, n, e, old = sum(KEYS[i], current, oldest)
  local budget = base + math.floor(gain * math.min(v, start + factor * earlier))
  if u + weight > budget or (most >= 0 and n >= most) then return {0, i} end
  stale[i] = old
  at = at + 6
end
local meters = at
for i = levels + 1, #KEYS - 1 do
  local total = tonumber(redis.call("GET", KEYS[i]) or "0")
  if total + tonumber(ARGV[at]) > tonumber(ARGV[at + 1]) then return {-1, i - levels} end
  at = at + 3
end
at = 5
for i = 1, levels do
  for _, field in ipairs(stale[i]) do redis.call("HDEL", KEYS[i], field) end
  redis.call("HINCRBY", KEYS[i], "u" .. ARGV[at], ARGV[2])
  redis.call("HINCRBY", KEYS[i], "n" .. ARGV[at], "1")
  if redis.call("TTL", KEYS[i]) < tonumber(ARGV[at + 5]) then redis.call("EXPIRE", KEYS[i], ARGV[at + 5]) end
  at = at + 6
end
local granted = {1}
at = meters
for i = levels + 1, #KEYS - 1 do
  granted[#granted + 1] = redis.call("INCRBY", KEYS[i], ARGV[at])
  redis.call("EXPIRE", KEYS[i], ARGV[at + 2])
  at = at + 3
end
redis.call("SET", KEYS[#KEYS], "1", "EX", ARGV[#ARGV - 1])
return granted`;

/** Draws on one meter, or does not. KEYS the meter. ARGV amount, cap, life. Returns the total, or -1 where it has no room. */
const SPEND = `
if tonumber(redis.call("GET", KEYS[1]) or "0") + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return -1 end
local total = redis.call("INCRBY", KEYS[1], ARGV[1])
redis.call("EXPIRE", KEYS[1], ARGV[3])
return total`;

/**
 * Takes back what was taken, once, and what is still there: a store that lost a key must not stand below zero, nor keep a
 * key without an end. KEYS: levels, meters, the hold's mark, which is gone afterwards. ARGV: number of levels, weight, messages; the slot of each level; the amount of each meter; amounts below zero.
 */
const GIVE_BACK = `
if redis.call("DEL", KEYS[#KEYS]) == 0 then return 0 end
local levels = tonumber(ARGV[1])
for i = 1, levels do
  local slot = ARGV[3 + i]
  if redis.call("HEXISTS", KEYS[i], "u" .. slot) == 1 then
    redis.call("HINCRBY", KEYS[i], "u" .. slot, ARGV[2])
    redis.call("HINCRBY", KEYS[i], "n" .. slot, ARGV[3])
  end
end
for i = levels + 1, #KEYS - 1 do
  if redis.call("EXISTS", KEYS[i]) == 1 then redis.call("INCRBY", KEYS[i], ARGV[3 + i]) end
end
return 1`;

/** Exposure budgets and spend meters on Upstash: one command reads all levels, one takes from all of them or from none. */
export function upstashBudgets(redis: Redis, nowMs: () => number): BudgetsPort {
  const slots = ({ windowSeconds }: { windowSeconds: number }, atMs: number) => [
    slotOf(atMs, windowSeconds),
    oldestSlotOf(atMs, windowSeconds),
  ];

  return {
    async read(levels, meters) {
      try {
        const now = nowMs();
        const answer = await redis.eval<number[], unknown>(
          READ,
          [...levels.map(({ key }) => keys.level(key)), ...meters.map((meter) => meterKey(meter, now))],
          [levels.length, ...levels.flatMap((level) => slots(level, now)), forgottenAt(now)],
        );
        const sums = scriptNumbers(answer, 5 * levels.length + meters.length);
        return {
          kind: "answered",
          readings: levels.map((level, i) => reading(level, sums.slice(5 * i, 5 * i + 5))),
          totals: sums.slice(5 * levels.length),
        };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async reserve({ levels, reservation: hold, slowStart }: ReservationRequest) {
      const { meters, weight, atMs } = hold;
      try {
        const answer = await redis.eval<(string | number)[], unknown>(
          RESERVE,
          [
            ...levels.map(({ key }) => keys.level(key)),
            ...meters.map((meter) => meterKey(meter, atMs)),
            keys.hold(hold.id),
          ],
          [
            levels.length,
            weight,
            slowStart.start,
            slowStart.factor,
            ...levels.flatMap((level) => [
              ...slots(level, atMs),
              level.base,
              level.rule.gain,
              level.maxMessages ?? -1,
              level.windowSeconds,
            ]),
            ...meters.flatMap(meterArgs),
            RESERVATION_SECONDS,
            forgottenAt(atMs),
          ],
        );
        const refused = Array.isArray(answer) && (answer[0] === 0 || answer[0] === -1);
        const [outcome, ...rest] = scriptNumbers(answer, refused ? 2 : 1 + meters.length);
        const which = (rest[0] ?? 1) - 1;
        if (outcome === 0) return { kind: "exhausted", level: levels[which]?.key ?? "" };
        if (outcome === -1) {
          const meter = meters[which];
          if (!meter) throw new Error("a meter that was not asked about");
          return { kind: "capped", meter };
        }
        if (outcome !== 1) throw new Error("an outcome that no script of ours gives");
        return { kind: "granted", meters: meters.map((meter, i) => ({ meter, total: rest[i] ?? 0 })) };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async spend(meter) {
      try {
        const answer = await redis.eval<number[], unknown>(
          SPEND,
          [meterKey(meter, nowMs())],
          meterArgs(meter),
        );
        const [total = -1] = scriptNumbers([answer], 1);
        return total < 0 ? { kind: "capped" } : { kind: "granted", total };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async release(hold: Reservation) {
      await giveBack(hold, 1, hold.meters);
    },

    async credit(hold: Reservation, others: readonly Reservation[] = []) {
      const { taken, earns, weight } = hold;
      const now = nowMs();
      const [given] = await Promise.all([hold, ...others].map((held) => giveBack(held, 0, [])));
      // Booked once: a hold that was given back, or booked before, has no mark any more.
      if (!given) return;
      await Promise.all(
        [...taken, ...earns].flatMap(({ key, windowSeconds }) => [
          redis.hincrby(keys.level(key), `v${slotOf(now, windowSeconds)}`, weight),
          redis.hincrby(keys.level(key), "e", 1),
          redis.hset(keys.level(key), { t: Math.floor(now / 1000) }),
          redis.expire(keys.level(key), EARNED_SECONDS),
        ]),
      );
    },
  };

  /** @returns false when there was nothing to give back: never taken, or given back or booked before */
  async function giveBack(
    { id, taken, weight, atMs }: Reservation,
    messages: number,
    meters: readonly SpendMeter[],
  ) {
    const now = nowMs();
    const counted = taken.filter(
      ({ windowSeconds }) => slotOf(atMs, windowSeconds) >= oldestSlotOf(now, windowSeconds),
    );
    const given = await redis.eval<number[], number>(
      GIVE_BACK,
      [
        ...counted.map(({ key }) => keys.level(key)),
        ...meters.map((meter) => meterKey(meter, atMs)),
        keys.hold(id),
      ],
      [
        counted.length,
        -weight,
        -messages,
        ...counted.map(({ windowSeconds }) => slotOf(atMs, windowSeconds)),
        ...meters.map(({ amount }) => -amount),
      ],
    );
    return given === 1;
  }
}

const forgottenAt = (nowMs: number) => Math.floor(nowMs / 1000) - EARNED_SECONDS;

function reading(level: Level, [u = 0, v = 0, earlier = 0, n = 0, e = 0]: number[]): LevelReading {
  return { level, unverified: u, verified: v, verifiedEarlier: earlier, messages: n, earned: e };
}

const meterArgs = ({ amount, cap, lifted, period }: SpendMeter): number[] => [
  amount,
  lifted ? Number.MAX_SAFE_INTEGER : cap,
  METER_SECONDS[period],
];

function meterKey({ scope, period }: SpendMeter, atMs: number): string {
  const digits = { minute: 16, hour: 13, day: 10, month: 7 }[period];
  return keys.meter(scope, new Date(atMs).toISOString().slice(0, digits));
}
