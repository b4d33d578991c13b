import type { Redis } from "@upstash/redis/cloudflare";
import { oldestReadSlot, slotOf } from "../../domain/admission/exposure.ts";
import { CHALLENGE_DEMAND_SECONDS } from "../../domain/admission/lifetimes.ts";
import { NUMBER_REFUSALS } from "../../domain/delivery/judgement.ts";
import type { AdmissionPort, AdmissionQuestion, TakenFromStore } from "../../ports/admission.ts";
import type { Recalled, RecallQuestion } from "../../ports/people.ts";
import { redisKeys } from "../redis-keys.ts";
import { WITH_LOGS } from "./packed-lua.ts";
import { addLevel, addMeter, addReservation, forgottenAt } from "./places.ts";
import { RESERVATIONS } from "./reservations-lua.ts";
import { packable, scriptArguments, scriptOn } from "./script-arguments.ts";
import { LEVEL_SUMS, levelReading } from "./upstash-budgets.ts";
import { upstashUnavailable } from "./upstash-client.ts";
import { DRAW_RESULTS, packableDraws, type StoredLimits } from "./upstash-limits.ts";

/**
 * ARGV: time before which verifications are forgotten; levels with their current and oldest slot; meters; draws; the claims
 * with value and life; the marks; the failure counts. Returns the results of each draw, seven sums of each level, each meter's
 * total; then as texts the holder of the key and the marks, and for each failure count its value and remaining life (ms).
 */
const ASK = `${WITH_LOGS}
local forgotten, levels, meters, draws, answer = num(), {}, {}, {}, {}
for i = 1, num() do
  levels[i] = read_level()
  levels[i].current, levels[i].oldest = num(), num()
end
for i = 1, num() do meters[i] = read_meter() end
for i = 1, num() do draws[i] = read_draw() end
copy(levels, draws)
local function tell(list)
  for _, one in ipairs(list) do answer[#answer + 1] = one end
end
for _, draw in ipairs(draws) do
  look(draw)
  if draw.wait == 0 and not draw.peek then add(draw) end
  tell(result(draw))
end
for _, one in ipairs(levels) do tell(sum(level(one.name, one.id), one.current, one.oldest, forgotten)) end
for _, meter in ipairs(meters) do answer[#answer + 1] = spent(meter) end
for i = 1, num() do
  local name, mine, life = key(), word(), word()
  local held = value(name)
  if held == "" then
    redis.call("SET", name, mine, "EX", life)
    held = mine
  end
  answer[#answer + 1] = "=" .. held
end
for i = 1, num() do answer[#answer + 1] = "=" .. value(key()) end
for i = 1, num() do
  local name = key()
  local count = value(name)
  answer[#answer + 1] = "=" .. count
  answer[#answer + 1] = count == "" and 0 or redis.call("PTTL", name)
end
return answer`;

/**
 * ARGV: the reservation, if there is one, with its meters and their amounts; draws with the member to take out and their longest
 * window (ms); the claims with their value; the demands with their life.
 */
const GIVE_BACK = `${WITH_LOGS}${RESERVATIONS}
for i = 1, num() do
  local reservation = read_reservation()
  local open = close(reservation)
  if open then release(reservation, 1) end
  for m = 1, num() do
    local meter, amount = read_meter(), num()
    if open then unspend(meter, amount) end
  end
end
save()
for i = 1, num() do
  local name, before, member, longest = key(), word(), word(), word()
  local parts = {}
  for entry in string.gmatch(value(name), "%S+") do
    if string.match(entry, ":(.*)$") ~= member then parts[#parts + 1] = entry end
  end
  if #parts == 0 then
    redis.call("DEL", name)
  else
    redis.call("SET", name, table.concat(parts, " "), "PX", longest)
  end
  if young then redis.call("ZREM", before, member) end
end
for i = 1, num() do
  local name = key()
  if value(name) == word() then redis.call("DEL", name) end
end
for i = 1, num() do redis.call("SET", key(), whole(now), "EX", word(), "NX") end
return 1`;

/** Admission on Upstash: one script, and beside it in the same round trip what `@upstash/ratelimit` counts. */
export function upstashAdmission(
  redis: Redis,
  limits: StoredLimits,
  nowMs: () => number,
  failureMemorySeconds: number,
): Omit<AdmissionPort, "mayAsk"> {
  const ask = scriptOn(redis, ASK);
  const giveBack = scriptOn(redis, GIVE_BACK);
  return {
    async ask(question) {
      try {
        const { packed, others } = packableDraws(question.draws);
        const now = nowMs();
        const [answer, rest] = await Promise.all([
          ask(askCall({ ...question, draws: packed }, limits, now)),
          limits.takeAlone(others),
        ]);
        const read = readAnswer(answer, question, packed.length);
        const drawn = packed.map((draw, i) => limits.resultOf(draw, read.draws.slice(DRAW_RESULTS * i)));
        const results = new Map([...drawn, ...rest].map((result) => [result.take, result]));
        return {
          kind: "answered",
          limits: question.draws.flatMap((draw) => results.get(draw) ?? []),
          held: read.held,
          recalled: recalledFrom(read.marks, read.failures, now, failureMemorySeconds),
          readings: read.readings,
          totals: read.totals,
        };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async giveBack(taken) {
      const { draws, ...rest } = taken;
      const { packed, others } = packableDraws(draws);
      await Promise.all([
        limits.refundAlone(others),
        ...(packed.length > 0 || Object.values(rest).some((one) => one !== null)
          ? [giveBack(giveBackCall({ ...taken, draws: packed }, limits, nowMs()))]
          : []),
      ]);
    },
  };
}

function askCall(
  { draws, claim, person, levels, meters }: AdmissionQuestion,
  limits: StoredLimits,
  nowMs: number,
) {
  const call = scriptArguments(nowMs);
  call.add(forgottenAt(nowMs));
  call.addList(levels, (level) => {
    addLevel(call, level.key);
    call.add(slotOf(nowMs, level.windowSeconds), oldestReadSlot(level, nowMs));
  });
  call.addList(meters, (meter) => addMeter(call, meter, nowMs));
  call.addList(draws, (draw) => limits.addTo(call, draw));
  call.addList(claim ? [claim] : [], ({ key, value, ttlSeconds }) => {
    call.addKey(redisKeys.idempotency(key));
    call.add(value, ttlSeconds);
  });
  call.addList(person === null ? [] : marksOf(person), call.addKey);
  call.addList(person?.failureTags ?? [], (tag) => call.addKey(redisKeys.failures(tag)));
  return call.withValues();
}

const marksOf = ({ numberTag, askTag, channel }: RecallQuestion): string[] => [
  redisKeys.known(numberTag),
  redisKeys.asked(askTag),
  redisKeys.refused(channel, numberTag),
];

/** @throws for anything that the script does not answer: what cannot be read must never count as room */
function readAnswer(answer: unknown, { claim, person, levels, meters }: AdmissionQuestion, draws: number) {
  const numbers = DRAW_RESULTS * draws + LEVEL_SUMS * levels.length + meters.length;
  const failureTags = person?.failureTags ?? [];
  const names = (claim ? 1 : 0) + (person === null ? 0 : marksOf(person).length);
  const texts = names + 2 * failureTags.length;
  if (!Array.isArray(answer) || answer.length !== numbers + texts) throw new Error(NO_ANSWER);
  const counted: unknown[] = answer.slice(0, numbers);
  const told: unknown[] = answer.slice(numbers);
  if (!counted.every((one) => Number.isSafeInteger(one))) throw new Error(NO_ANSWER);
  const sums = counted.slice(DRAW_RESULTS * draws) as number[];
  const text = (one: unknown): string => {
    if (typeof one !== "string" || !one.startsWith("=")) throw new Error(NO_ANSWER);
    return one.slice(1);
  };
  const [held, ...marks] = [...(claim ? [] : [null]), ...told.slice(0, names)];
  const failures = told.slice(names);
  return {
    draws: counted as number[],
    readings: levels.map((level, i) => levelReading(level, sums.slice(LEVEL_SUMS * i, LEVEL_SUMS * (i + 1)))),
    totals: sums.slice(LEVEL_SUMS * levels.length),
    held: held === null ? null : text(held),
    marks: marks.map(text),
    failures: failureTags.map((_, i) => ({
      count: Number(text(failures[2 * i]) || 0),
      lifeMs: Number(failures[2 * i + 1]),
    })),
  };
}

const NO_ANSWER = "an answer that no script of ours gives";

function recalledFrom(
  [known = "", asked = "", refused = ""]: readonly string[],
  failures: readonly { count: number; lifeMs: number }[],
  nowMs: number,
  failureMemorySeconds: number,
): Recalled {
  return {
    numberKnown: known !== "",
    // The mark of an earlier version is a 1: long ago.
    knownSinceMs: known === "" ? null : Number(known) <= 1 ? 0 : Number(known),
    askedAtMs: asked === "" ? null : Number(asked),
    refusal: NUMBER_REFUSALS.find((refusal) => refusal === refused) ?? null,
    failures: failures.map(({ count, lifeMs }) =>
      count === 0 ? null : { count, lastAtMs: nowMs - (failureMemorySeconds * 1000 - lifeMs) },
    ),
  };
}

function giveBackCall(
  { reservation, draws, claim, askTag }: TakenFromStore,
  limits: StoredLimits,
  nowMs: number,
) {
  const call = scriptArguments(nowMs);
  call.addList(reservation ? [reservation] : [], (held) => {
    addReservation(call, held);
    call.addList(held.meters, (meter) => {
      addMeter(call, meter, held.atMs);
      call.add(meter.amount);
    });
  });
  call.addList(
    draws.flatMap((draw) => limits.takeMember(draw) ?? []),
    ({ draw, member }) => {
      call.addKey(redisKeys.draws(draw.name, packable(draw.subject)));
      call.add(redisKeys.log(draw.name, draw.subject), member);
      call.add(1000 * Math.max(...draw.rules.map((rule) => rule.window_seconds)));
    },
  );
  call.addList(claim ? [claim] : [], ({ key, value }) => {
    call.addKey(redisKeys.idempotency(key));
    call.add(value);
  });
  call.addList(askTag === null ? [] : [askTag], (tag) => {
    call.addKey(redisKeys.asked(tag));
    call.add(CHALLENGE_DEMAND_SECONDS);
  });
  return call.withValues();
}
