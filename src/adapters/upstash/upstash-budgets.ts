import type { Redis } from "@upstash/redis/cloudflare";
import {
  type Level,
  type LevelReading,
  oldestReadSlot,
  PAST_FADES_ABOVE_HUNDREDTHS,
  slotOf,
} from "../../domain/admission/exposure.ts";
import { reservationSeconds } from "../../domain/admission/lifetimes.ts";
import { type LimitDraw, tightestRefusal } from "../../domain/admission/limits.ts";
import { weightIn } from "../../domain/admission/reservation.ts";
import type { SpendMeter } from "../../domain/delivery/money.ts";
import type { BudgetsPort, ReservationRequest, ReservationResult } from "../../ports/admission.ts";
import { METER_SECONDS } from "../redis-keys.ts";
import { WITH_BOOKS, WITH_LOGS } from "./packed-lua.ts";
import { addLevel, addMeter, addReservation, forgottenAt } from "./places.ts";
import { RESERVATIONS } from "./reservations-lua.ts";
import { type CallInMaking, scriptArguments, scriptOn } from "./script-arguments.ts";
import { scriptNumbers, upstashUnavailable } from "./upstash-client.ts";
import { DRAW_RESULTS, packableDraws, type StoredLimits } from "./upstash-limits.ts";

/** Sums that a script tells of one level. */
export const LEVEL_SUMS = 7;

/** ARGV: time before which verifications are forgotten; levels with their slots; meters. Returns sums, then totals. */
const READ = `${WITH_BOOKS}
local forgotten, levels, meters, answer = num(), {}, {}, {}
for i = 1, num() do
  levels[i] = read_level()
  levels[i].current, levels[i].oldest = num(), num()
end
for i = 1, num() do meters[i] = read_meter() end
copy(levels)
for _, one in ipairs(levels) do
  for _, value in ipairs(sum(level(one.name, one.id), one.current, one.oldest, forgotten)) do answer[#answer + 1] = value end
end
for _, meter in ipairs(meters) do answer[#answer + 1] = spent(meter) end
return answer`;

/**
 * Checks every limit, level and meter, and only then takes from all of them. ARGV: time before which verifications are forgotten;
 * slow start and its factor; how much may be past; a reservation's life; draws; levels with current slot, oldest slot, base, gain, most
 * messages (-1: any), window, weight, 1 for a quick start; meters with amount, cap and life; the reservation. Returns 1, the
 * meters' totals, then the draws' results; 0 and the number of the level that is used up; -1 and that of the meter; or -2 and the results of
 * the draws.
 */
const RESERVE = `${WITH_LOGS}${RESERVATIONS}
local forgotten, start, factor, most_past, life = num(), num(), num(), num(), num()
local draws, levels, meters, limited = {}, {}, {}, false
for i = 1, num() do draws[i] = read_draw() end
for i = 1, num() do
  local one = read_level()
  one.current, one.oldest, one.base, one.gain, one.most = num(), num(), num(), num(), num()
  one.window, one.weight, one.quick = num(), num(), word() == "1"
  levels[i] = one
end
for i = 1, num() do
  local meter = read_meter()
  meter.amount, meter.cap, meter.life = num(), num(), num()
  meters[i] = meter
end
local reservation = read_reservation()
copy(levels, draws)
for _, draw in ipairs(draws) do
  if look(draw) > 0 then limited = true end
end
local answer = {limited and -2 or 1}
local function tell_draws()
  for _, draw in ipairs(draws) do
    for _, value in ipairs(result(draw)) do answer[#answer + 1] = value end
  end
  return answer
end
if limited then return tell_draws() end
for i, one in ipairs(levels) do
  local found = sum(level(one.name, one.id), one.current, one.oldest, forgotten)
  local counted = found[2]
  if not one.quick then counted = math.min(counted, start + factor * found[3]) end
  local budget = one.base + math.floor(one.gain * counted)
  if found[1] + one.weight > budget or (one.most >= 0 and found[4] >= one.most) then return {0, i} end
end
for i, meter in ipairs(meters) do
  meter.total = spent(meter) + meter.amount
  if meter.total > meter.cap then return {-1, i} end
end
for _, one in ipairs(levels) do
  local kept, slots, left = level(one.name, one.id), {}, false
  for _, slot in ipairs(kept.slots) do
    if slot.at >= one.oldest then
      slots[#slots + 1] = slot
    else
      kept.pu, kept.pv, left = kept.pu + math.max(0, slot.u), kept.pv + slot.v, true
    end
  end
  kept.slots, kept.changed = slots, true
  if kept.pv == 0 then kept.pu = 0 end
  if left and kept.pv > most_past then kept.pu, kept.pv = math.floor(kept.pu / 2), math.floor(kept.pv / 2) end
  if kept.t <= forgotten then kept.e = 0 end
  local slot = make_slot(kept, one.current)
  slot.u, slot.n = slot.u + one.weight, slot.n + 1
  kept.ends = math.max(kept.ends, seconds + one.window)
end
for _, meter in ipairs(meters) do
  local kept = line(meter.name, meter.id)
  put(meter.name, meter.id, seconds + meter.life, whole((kept and tonumber(kept.rest) or 0) + meter.amount))
  answer[#answer + 1] = meter.total
end
open(reservation, life)
save()
for _, draw in ipairs(draws) do add(draw) end
return tell_draws()`;

/**
 * Draws on one meter, or does not: as a value of its own, for the meters that no reservation runs on. ARGV: the meter, amount,
 * cap, life. Returns the total, or -1 where it has no room.
 */
const SPEND = `${WITH_BOOKS}
local meter, amount, cap, life = read_meter(), num(), num(), word()
local total = spent(meter) + amount
if total > cap then return -1 end
redis.call("INCRBY", meter.before, whole(amount))
redis.call("EXPIRE", meter.before, life)
return total`;

/** Exposure budgets and spend meters on Upstash: one command reads all levels, one takes from all of them or from none. */
export function upstashBudgets(redis: Redis, limits: StoredLimits, nowMs: () => number): BudgetsPort {
  const read = scriptOn(redis, READ);
  const reserve = scriptOn(redis, RESERVE);
  const spend = scriptOn(redis, SPEND);
  return {
    async read(levels, meters) {
      try {
        const now = nowMs();
        const call = scriptArguments(now);
        call.add(forgottenAt(now));
        call.addList(levels, (level) => {
          addLevel(call, level.key);
          call.add(slotOf(now, level.windowSeconds), oldestReadSlot(level, now));
        });
        call.addList(meters, (meter) => addMeter(call, meter, now));
        const sums = scriptNumbers(await read(call.withValues()), LEVEL_SUMS * levels.length + meters.length);
        return {
          kind: "answered",
          readings: levels.map((level, i) =>
            levelReading(level, sums.slice(LEVEL_SUMS * i, LEVEL_SUMS * (i + 1))),
          ),
          totals: sums.slice(LEVEL_SUMS * levels.length),
        };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async reserve(request) {
      try {
        const { packed, others } = packableDraws(request.limitDraws);
        const [answer, alone] = await Promise.all([
          reserve(reserveCall({ ...request, limitDraws: packed }, limits)),
          limits.takeAlone(others),
        ]);
        const reserved = readReservation(answer, { ...request, limitDraws: packed }, limits);
        const limit = tightestRefusal(alone);
        // The others are the caller's to give back, whatever became of the rest.
        if (limit === null || reserved.kind === "limited") return reserved;
        return { kind: "limited", limit };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async spend(meter) {
      try {
        const now = nowMs();
        const call = scriptArguments(now);
        addMeter(call, meter, now);
        addMeterTerms(call, meter);
        const [total = -1] = scriptNumbers([await spend(call.withValues())], 1);
        return total < 0 ? { kind: "capped" } : { kind: "granted", total };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },
  };
}

function reserveCall(
  { levels, reservation, slowStart, limitDraws }: ReservationRequest,
  limits: StoredLimits,
) {
  const { atMs, meters } = reservation;
  const call = scriptArguments(atMs);
  call.add(
    forgottenAt(atMs),
    slowStart.start,
    slowStart.factor,
    PAST_FADES_ABOVE_HUNDREDTHS,
    reservationSeconds(reservation.taken),
  );
  call.addList(limitDraws, (draw) => limits.addTo(call, draw));
  call.addList(levels, (level) => {
    addLevel(call, level.key);
    call.add(slotOf(atMs, level.windowSeconds), oldestReadSlot(level, atMs), level.base, level.rule.gain);
    call.add(level.maxMessages ?? -1, level.windowSeconds, weightIn(reservation, level.key));
    call.add(level.quickStart ? 1 : 0);
  });
  call.addList(meters, (meter) => {
    addMeter(call, meter, atMs);
    addMeterTerms(call, meter);
  });
  addReservation(call, reservation);
  return call.withValues();
}

function addMeterTerms(call: CallInMaking, { amount, cap, lifted, period }: SpendMeter): void {
  call.add(amount, lifted ? Number.MAX_SAFE_INTEGER : cap, METER_SECONDS[period]);
}

/** @throws for anything that the script does not answer */
function readReservation(
  answer: unknown,
  { levels, reservation, limitDraws }: ReservationRequest,
  limits: StoredLimits,
): Exclude<ReservationResult, { kind: "unavailable" }> {
  const { meters } = reservation;
  const draws = DRAW_RESULTS * limitDraws.length;
  const outcome: unknown = Array.isArray(answer) ? answer[0] : null;
  const rest = { "1": meters.length + draws, "0": 1, "-1": 1, "-2": draws }[String(outcome)];
  if (rest === undefined) throw new Error("an outcome that no script of ours gives");
  const numbers = scriptNumbers(answer, 1 + rest).slice(1);
  const results = (from: number) =>
    limitDraws.map((draw: LimitDraw, i) => limits.resultOf(draw, numbers.slice(from + DRAW_RESULTS * i)));
  const which = (numbers[0] ?? 1) - 1;
  switch (outcome) {
    case 1:
      results(meters.length);
      return { kind: "granted", meters: meters.map((meter, i) => ({ meter, total: numbers[i] ?? 0 })) };
    case 0:
      return { kind: "exhausted", level: levels[which]?.key ?? "" };
    case -1:
      return { kind: "capped", meter: known(meters[which]) };
    default:
      return { kind: "limited", limit: known(tightestRefusal(results(0))) };
  }
}

function known<T extends SpendMeter | object>(one: T | undefined | null): T {
  if (one === undefined || one === null) throw new Error("a part that was not asked about");
  return one;
}

/** A level's reading from the sums that a script tells of it. */
export function levelReading(level: Level, sums: readonly number[]): LevelReading {
  const [u = 0, v = 0, earlier = 0, n = 0, e = 0, pastUnverified = 0, pastVerified = 0] = sums;
  const past = { unverified: pastUnverified, verified: pastVerified };
  return { level, unverified: u, verified: v, verifiedEarlier: earlier, messages: n, earned: e, past };
}
