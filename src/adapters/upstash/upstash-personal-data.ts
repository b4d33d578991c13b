import type { Redis } from "@upstash/redis/cloudflare";
import { CHANNELS } from "../../domain/kernel/channel.ts";
import type { PersonalEntry, PersonStoreKeys } from "../../domain/ledger/person.ts";
import type { PersonalDataPort } from "../../ports/people.ts";
import { redisKeys } from "../redis-keys.ts";
import { bookOfLevel } from "./places.ts";
import { upstashUnavailable } from "./upstash-client.ts";

/** A place for data: a whole key, or a member of a key that is not the person's alone; packed ones are texts. */
type Place = { store: string; key: string } & (
  | { kind: "text" | "log" | "packed log" | "hash" }
  | { kind: "sorted member" | "packed member" | "set member"; member: string }
);

/** Takes a member out of a packed log, whose life stays. KEYS the log. ARGV the member. Returns how many were taken. */
const TAKE_MEMBER = `
local parts, taken = {}, 0
for entry in string.gmatch(redis.call("GET", KEYS[1]) or "", "%S+") do
  if string.match(entry, ":(.*)$") == ARGV[1] then taken = taken + 1 else parts[#parts + 1] = entry end
end
if taken == 0 then return 0 end
local life = redis.call("PTTL", KEYS[1])
if #parts == 0 or life <= 0 then
  redis.call("DEL", KEYS[1])
else
  redis.call("SET", KEYS[1], table.concat(parts, " "), "PX", life)
end
return taken`;

/**
 * What Upstash holds of one person, see redis-keys.ts. Everything is found by name, never by a scan: under an attack there are
 * millions of keys, and every one of them is somebody else's.
 */
export function upstashPersonalData(redis: Redis): PersonalDataPort {
  const value = async (place: Place): Promise<PersonalEntry["value"] | null> => {
    switch (place.kind) {
      case "text": {
        const found = await redis.get<unknown>(place.key);
        return found === null ? null : typeof found === "number" ? found : asText(found);
      }
      case "log":
        return (await redis.zcard(place.key)) || null;
      case "packed log": {
        const found = await redis.get<unknown>(place.key);
        return found === null ? null : String(found).split(" ").length;
      }
      case "packed member": {
        const entries = String((await redis.get<unknown>(place.key)) ?? "").split(" ");
        const found = entries.find((entry) => entry.slice(entry.indexOf(":") + 1) === place.member);
        return found === undefined ? null : Number.parseInt(found, 10);
      }
      case "hash":
        return (await redis.hgetall<Record<string, string | number>>(place.key)) ?? null;
      case "sorted member":
        return redis.zscore(place.key, place.member);
      case "set member":
        return (await redis.sismember(place.key, place.member)) || null;
    }
  };
  const take = (place: Place): Promise<number> => {
    if (place.kind === "sorted member") return redis.zrem(place.key, place.member);
    if (place.kind === "packed member") {
      return redis.eval<string[], number>(TAKE_MEMBER, [place.key], [place.member]);
    }
    if (place.kind === "set member") return redis.srem(place.key, place.member);
    return redis.del(place.key);
  };

  return {
    async held(traces) {
      try {
        const marks = await Promise.all(
          placesOf(traces).map(async (place): Promise<PersonalEntry[]> => {
            const [found, life] = await Promise.all([value(place), redis.ttl(place.key)]);
            return found === null
              ? []
              : [{ store: place.store, value: found, lifeSeconds: life < 0 ? null : life }];
          }),
        );
        return { kind: "answered", marks: marks.flat() };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },

    async remove(traces) {
      try {
        const places = placesOf(traces);
        const taken = await Promise.all(places.map(take));
        const entries: Record<string, number> = {};
        for (const [i, { store }] of places.entries())
          entries[store] = (entries[store] ?? 0) + (taken[i] ?? 0);
        return { kind: "removed", entries };
      } catch (error) {
        return upstashUnavailable(error);
      }
    },
  };
}

const asText = (found: unknown): string => (typeof found === "string" ? found : JSON.stringify(found));

function placesOf(traces: PersonStoreKeys): Place[] {
  const { numberTags, deviceIds, addressTags, askTags, messages, sources } = traces;
  // The owner's devices count apart from strangers.
  const both = numberTags.flatMap((tag) => [tag, `${tag}.own`]);
  return [
    ...numberTags.map((tag): Place => ({ store: "known numbers", kind: "text", key: redisKeys.known(tag) })),
    ...numberTags.map(
      (tag): Place => ({ store: "number insights", kind: "text", key: redisKeys.insight(tag) }),
    ),
    ...numberTags.flatMap((tag) =>
      CHANNELS.map(
        (channel): Place => ({
          store: "refused numbers",
          kind: "text",
          key: redisKeys.refused(channel, tag),
        }),
      ),
    ),
    ...both.flatMap((tag): Place[] => [
      { store: "number limits", kind: "packed log", key: redisKeys.draws("number", tag) },
      { store: "number limits", kind: "log", key: redisKeys.log("number", tag) },
    ]),
    ...both.map((tag): Place => ({ store: "failed attempts", kind: "text", key: redisKeys.failures(tag) })),
    ...[
      ...numberTags.flatMap((tag) => [`known:number:${tag}`, `known:number:${tag}.own`]),
      ...deviceIds.map((id) => `known:device:${id}`),
    ].flatMap((level): Place[] => [
      { store: "exposure budgets", kind: "text", key: bookOfLevel(level) },
      { store: "exposure budgets", kind: "hash", key: redisKeys.level(level) },
    ]),
    ...both.map(
      (tag): Place => ({
        store: "unanswered messages",
        kind: "hash",
        key: redisKeys.openReservations(`known:number:${tag}`),
      }),
    ),
    ...askTags.map(
      (tag): Place => ({ store: "demanded challenges", kind: "text", key: redisKeys.asked(tag) }),
    ),
    ...messages.flatMap(({ provider, messageId }): Place[] => [
      { store: "message owners", kind: "text", key: redisKeys.message(provider, messageId) },
      { store: "early receipts", kind: "text", key: redisKeys.earlyReceipt(provider, messageId) },
    ]),
    ...addressTags.flatMap((address) =>
      numberTags.flatMap((member): Place[] => {
        const store = "numbers an address asked for";
        return [
          { store, kind: "packed member", key: redisKeys.draws("numbers_per_ip", address), member },
          { store, kind: "sorted member", key: redisKeys.log("numbers_per_ip", address), member },
        ];
      }),
    ),
    ...sources.flatMap(({ asn, quarter }) =>
      numberTags.map(
        (member): Place => ({
          store: "numbers a network asked for",
          kind: "set member",
          key: redisKeys.members(quarter, "network", `AS${asn}`),
          member,
        }),
      ),
    ),
  ];
}
