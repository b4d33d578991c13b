import type { Redis } from "@upstash/redis/cloudflare";
import {
  type Level,
  type LevelReading,
  oldestReadSlot,
  oldestSlotOf,
  PAST_FADES_ABOVE_HUNDREDTHS,
  slotOf,
} from "../../domain/admission/exposure.ts";
import { EARNED_SECONDS, RESERVATION_SECONDS } from "../../domain/admission/lifetimes.ts";
import { creditedWeight, type Reservation, weightIn } from "../../domain/admission/reservation.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import type { BudgetsPort, ReservationRequest } from "../../ports/admission.ts";
import { METER_SECONDS, redisKeys } from "../redis-keys.ts";
import { scriptNumbers, upstashUnavailable } from "./upstash-client.ts";

/**
 * A level is a hash: `u<slot>` units unverified, `v<slot>` units verified, `n<slot>` messages, `e` verifications ever,
 * `t` the time of the last one (s). The last ARGV is the time before which that one, and with it all, is forgotten.
 * Slots that fell out of the window are dropped when the level is next written; their units are added to `u-1` and `v-1`, the
 * slot before all slots, which an earlier version takes for one more that fell out. Sums: u, v, v before this slot, n, e, and
 * u and v of the past.
 */
const SUM = `
local forgotten = tonumber(ARGV[#ARGV])
local function sum(key, current, oldest)
  local u, v, earlier, n, e, t, pu, pv = 0, 0, 0, 0, 0, 0, 0, 0
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
        if kind == "u" then pu = pu + math.max(0, amount) end
        if kind == "v" then pv = pv + amount end
        if slot >= 0 then stale[#stale + 1] = field end
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
  return {u, v, earlier, n, e, pu, pv}, stale
end
`;

/** Sums that `SUM` returns for one level. */
const SUMS = 7;

/**
 * KEYS levels, then meters. ARGV number of levels; current and oldest slot of each. Returns seven sums for each level, then
 * each meter's total.
 */
const READ = `${SUM}
local sums, levels = {}, tonumber(ARGV[1])
for i = 1, levels do
  local found = sum(KEYS[i], tonumber(ARGV[2 * i]), tonumber(ARGV[2 * i + 1]))
  for _, value in ipairs(found) do sums[#sums + 1] = value end
end
for i = levels + 1, #KEYS do sums[#sums + 1] = tonumber(redis.call("GET", KEYS[i]) or "0") end
return sums`;

/**
 * Checks every level and meter, and only then takes from all of them. KEYS: levels, meters, the reservation's mark, the number's
 * open reservations. ARGV: number of levels, slow start and its factor, the reservation's id and JSON, and how much may be past;
 * for each level current slot, oldest slot, base, gain, most messages (-1: any), life, weight, 1 for a quick start; for each meter amount,
 * cap, life. Returns 1 and the meters' totals, 0 and the number of the level that is used up, or -1 and that of the meter.
 */
const RESERVE = `${SUM}
local levels, start, factor, most_past = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3]), tonumber(ARGV[6])
local stale, past, at = {}, {}, 7
for i = 1, levels do
  local current, oldest = tonumber(ARGV[at]), tonumber(ARGV[at + 1])
  local base, gain, most = tonumber(ARGV[at + 2]), tonumber(ARGV[at + 3]), tonumber(ARGV[at + 4])
  local found, old = sum(KEYS[i], current, oldest)
  local counted = found[2]
  if ARGV[at + 7] ~= "1" then counted = math.min(counted, start + factor * found[3]) end
  local budget = base + math.floor(gain * counted)
  if found[1] + tonumber(ARGV[at + 6]) > budget or (most >= 0 and found[4] >= most) then return {0, i} end
  stale[i] = old
  past[i] = {found[6], found[7]}
  at = at + 8
end
local meters = at
for i = levels + 1, #KEYS - 2 do
  local total = tonumber(redis.call("GET", KEYS[i]) or "0")
  if total + tonumber(ARGV[at]) > tonumber(ARGV[at + 1]) then return {-1, i - levels} end
  at = at + 3
end
at = 7
for i = 1, levels do
  if #stale[i] > 0 then
    redis.call("HDEL", KEYS[i], unpack(stale[i]))
    local pu, pv = past[i][1], past[i][2]
    if pv > most_past then pu, pv = math.floor(pu / 2), math.floor(pv / 2) end
    if pv > 0 then redis.call("HSET", KEYS[i], "u-1", pu, "v-1", pv) end
  end
  if ARGV[at + 6] ~= "0" then redis.call("HINCRBY", KEYS[i], "u" .. ARGV[at], ARGV[at + 6]) end
  redis.call("HINCRBY", KEYS[i], "n" .. ARGV[at], "1")
  if redis.call("TTL", KEYS[i]) < tonumber(ARGV[at + 5]) then redis.call("EXPIRE", KEYS[i], ARGV[at + 5]) end
  at = at + 8
end
local granted = {1}
at = meters
for i = levels + 1, #KEYS - 2 do
  granted[#granted + 1] = redis.call("INCRBY", KEYS[i], ARGV[at])
  redis.call("EXPIRE", KEYS[i], ARGV[at + 2])
  at = at + 3
end
redis.call("SET", KEYS[#KEYS - 1], "1", "EX", ARGV[#ARGV - 1])
if ARGV[5] ~= "" then
  redis.call("HSET", KEYS[#KEYS], ARGV[4], ARGV[5])
  redis.call("EXPIRE", KEYS[#KEYS], ARGV[#ARGV - 1])
end
return granted`;

/** Draws on one meter, or does not. KEYS the meter. ARGV amount, cap, life. Returns the total, or -1 where it has no room. */
const SPEND = `
if tonumber(redis.call("GET", KEYS[1]) or "0") + tonumber(ARGV[1]) > tonumber(ARGV[2]) then return -1 end
local total = redis.call("INCRBY", KEYS[1], ARGV[1])
redis.call("EXPIRE", KEYS[1], ARGV[3])
return total`;

/**
 * Takes back what was taken, once, and what is still there: a store that lost a key must not stand below zero, nor keep a
 * key without an end. KEYS: levels, meters, the reservation's mark, which is gone afterwards, and the number's open ones. ARGV:
 * number of levels, messages, the reservation's id; the slot and the weight of each level; the amount of each meter; amounts below zero.
 */
const GIVE_BACK = `
redis.call("HDEL", KEYS[#KEYS], ARGV[3])
if redis.call("DEL", KEYS[#KEYS - 1]) == 0 then return 0 end
local levels = tonumber(ARGV[1])
for i = 1, levels do
  local slot, weight = ARGV[2 + 2 * i], ARGV[3 + 2 * i]
  if redis.call("HEXISTS", KEYS[i], "n" .. slot) == 1 then
    if weight ~= "0" then redis.call("HINCRBY", KEYS[i], "u" .. slot, weight) end
    if ARGV[2] ~= "0" then redis.call("HINCRBY", KEYS[i], "n" .. slot, ARGV[2]) end
  end
end
for i = levels + 1, #KEYS - 2 do
  if redis.call("EXISTS", KEYS[i]) == 1 then redis.call("INCRBY", KEYS[i], ARGV[3 + levels + i]) end
end
return 1`;

/** Exposure budgets and spend meters on Upstash: one command reads all levels, one takes from all of them or from none. */
export function upstashBudgets(redis: Redis, nowMs: () => number): BudgetsPort {
  const slots = (level: Pick<Level, "windowSeconds" | "sinceMs">, atMs: number) => [
    slotOf(atMs, level.windowSeconds),
    oldestReadSlot(level, atMs),
  ];

  return {
    async read(levels, meters) {
      try {
        const now = nowMs();
        const answer = await redis.eval<number[], unknown>(
          READ,
          [...levels.map(({ key }) => redisKeys.level(key)), ...meters.map((meter) => meterKey(meter, now))],
          [levels.length, ...levels.flatMap((level) => slots(level, now)), forgottenAt(now)],
        );
        const sums = scriptNumbers(answer, SUMS * levels.length + meters.length);
        return {
          kind: "answered",
          readings: levels.map((level, i) => reading(level, sums.slice(SUMS * i, SUMS * (i + 1)))),
          totals: sums.slice(SUMS * levels.length),
        };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async reserve({ levels, reservation: hold, slowStart }: ReservationRequest) {
      const { meters, atMs } = hold;
      try {
        const answer = await redis.eval<(string | number)[], unknown>(
          RESERVE,
          [
            ...levels.map(({ key }) => redisKeys.level(key)),
            ...meters.map((meter) => meterKey(meter, atMs)),
            redisKeys.hold(hold.id),
            redisKeys.openReservations(hold.person ?? hold.id),
          ],
          [
            levels.length,
            slowStart.start,
            slowStart.factor,
            hold.id,
            hold.person === undefined ? "" : JSON.stringify(openPart(hold)),
            PAST_FADES_ABOVE_HUNDREDTHS,
            ...levels.flatMap((level) => [
              ...slots(level, atMs),
              level.base,
              level.rule.gain,
              level.maxMessages ?? -1,
              level.windowSeconds,
              weightIn(hold, level.key),
              level.quickStart ? 1 : 0,
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
      const now = nowMs();
      const sameNumber = await openOf(hold);
      const rest = [...others, ...sameNumber].filter(({ id }) => id !== hold.id);
      const distinct = [...new Map(rest.map((held) => [held.id, held])).values()];
      const [given, ...alsoGiven] = await Promise.all(
        [hold, ...distinct].map((held) => giveBack(held, 0, [])),
      );
      // Booked once: a hold that was given back, or booked before, has no mark any more.
      if (!given) return;
      const taken = hold.taken.filter(({ kept }) => !kept);
      const settled = distinct.filter((_, i) => alsoGiven[i]);
      await Promise.all(
        [...taken, ...hold.earns].flatMap(({ key, windowSeconds }) => [
          redis.hincrby(
            redisKeys.level(key),
            `v${slotOf(now, windowSeconds)}`,
            creditedWeight(key, hold, settled),
          ),
          redis.hincrby(redisKeys.level(key), "e", 1),
          redis.hset(redisKeys.level(key), { t: Math.floor(now / 1000) }),
          redis.expire(redisKeys.level(key), EARNED_SECONDS),
        ]),
      );
    },
  };

  /** The number's reservations that are neither released nor credited, whatever session they belong to. */
  async function openOf({ person }: Reservation): Promise<Reservation[]> {
    if (person === undefined) return [];
    const open = await redis.hgetall<Record<string, Pick<Reservation, "atMs" | "weight" | "taken">>>(
      redisKeys.openReservations(person),
    );
    return Object.entries(open ?? {}).map(([id, part]) => ({ ...part, id, person, earns: [], meters: [] }));
  }

  /** @returns false when there was nothing to give back: never taken, or given back or booked before */
  async function giveBack(held: Reservation, messages: number, meters: readonly SpendMeter[]) {
    const { id, taken, atMs, person = id } = held;
    const now = nowMs();
    const counted = taken.filter(
      ({ windowSeconds, kept }) =>
        slotOf(atMs, windowSeconds) >= oldestSlotOf(now, windowSeconds) && !(kept && messages === 0),
    );
    const given = await redis.eval<(number | string)[], number>(
      GIVE_BACK,
      [
        ...counted.map(({ key }) => redisKeys.level(key)),
        ...meters.map((meter) => meterKey(meter, atMs)),
        redisKeys.hold(id),
        redisKeys.openReservations(person),
      ],
      [
        counted.length,
        -messages,
        id,
        ...counted.flatMap(({ windowSeconds, weight = held.weight }) => [
          slotOf(atMs, windowSeconds),
          -weight,
        ]),
        ...meters.map(({ amount }) => -amount),
      ],
    );
    return given === 1;
  }
}

/** What another session needs of a reservation to give it back. */
const openPart = ({ atMs, weight, taken }: Reservation) => ({ atMs, weight, taken });

const forgottenAt = (nowMs: number) => Math.floor(nowMs / 1000) - EARNED_SECONDS;

function reading(level: Level, sums: number[]): LevelReading {
  const [u = 0, v = 0, earlier = 0, n = 0, e = 0, pastUnverified = 0, pastVerified = 0] = sums;
  const past = { unverified: pastUnverified, verified: pastVerified };
  return { level, unverified: u, verified: v, verifiedEarlier: earlier, messages: n, earned: e, past };
}

const meterArgs = ({ amount, cap, lifted, period }: SpendMeter): number[] => [
  amount,
  lifted ? Number.MAX_SAFE_INTEGER : cap,
  METER_SECONDS[period],
];

function meterKey({ scope, period }: SpendMeter, atMs: number): string {
  const digits = { minute: 16, hour: 13, day: 10, month: 7 }[period];
  return redisKeys.meter(scope, new Date(atMs).toISOString().slice(0, digits));
}
