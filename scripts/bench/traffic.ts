/** Traffic for the benches, the same in every run: what became of each message, as the counters take it. */
import {
  type CountingPlace,
  countAddressWithManyNumbers,
  countChallenge,
  countDeliveryAttemptTime,
  countDeliveryFate,
  countDeliveryTime,
  countOutcome,
  countRefused,
  countSent,
  countVerified,
  countWrongCode,
} from "../../src/domain/monitor/counting.ts";
import {
  countRulesMet,
  countSentDespiteRules,
  countVerifiedDespiteRules,
  rulesThatWouldStop,
} from "../../src/domain/monitor/rule-counts.ts";
import type { CounterEntry } from "../../src/domain/monitor/tally.ts";

const SEED = 20_260_701;

/**
 * A minute of honest traffic, each message with what became of it: few prefixes, countries and networks have most of it
 * (Zipf's law), 70 % verify, a fifth of all requests are refused.
 */
export function dayTraffic(perMinute: number, prefixes: number): () => CounterEntry[][] {
  const chance = makeChance(SEED);
  const pick = (count: number) => Math.floor(count ** chance()) - 1;
  return () =>
    Array.from({ length: perMinute }, () => {
      const prefix = pick(prefixes);
      const place = placeOf(prefix, prefix % 120, pick(3000), Math.floor(chance() * 10_000_000), prefix % 3);
      return whatBecame(place, chance);
    });
}

/** A minute in which every dimension has more subjects than it can tell apart, and each subject every metric. */
export function fullTraffic(perMinute: number): () => CounterEntry[][] {
  const chance = makeChance(SEED);
  let next = 0;
  return () =>
    Array.from({ length: perMinute }, () => {
      const i = next++;
      const place = placeOf(i, i % 260, i, i * 10_007, i % 70);
      return [
        ...whatBecame(place, () => 0),
        ...whatBecame(place, chance),
        ...countDeliveryFate(fateOf(place), "undelivered"),
        ...countDeliveryFate(fateOf(place), "rejected"),
        ...countChallenge(place.phone.country, "challenged"),
        ...countChallenge(place.phone.country, "passed"),
        ...countWrongCode(place.phone.country, place.flow),
        ...countAddressWithManyNumbers(`${String(i).padStart(8, "0")}abcdefghijklmnopqrstuvwxyz012345678`, 9),
        ...countOutcome(`type_${i % 100}`),
        ...ruleEntries(place.flow),
      ];
    });
}

function ruleEntries(flow: string): CounterEntry[] {
  const uncounted = (["challenge", "step_up", "deny"] as const).map((would) => ({
    rule: "hosting_network" as const,
    would,
  }));
  const stoppers = rulesThatWouldStop(uncounted, flow);
  return [
    ...countRulesMet(uncounted, flow),
    ...countSentDespiteRules(stoppers, 7000),
    ...countVerifiedDespiteRules(stoppers),
  ];
}

function whatBecame(place: CountingPlace, chance: () => number): CounterEntry[] {
  const tag = `${Math.floor(chance() * 1e9)}`.padStart(43, "x");
  return [
    ...countSent(place, 7000, tag),
    ...countDeliveryAttemptTime(fateOf(place).provider, chance() * 6000),
    ...countDeliveryFate(fateOf(place), "delivered"),
    ...countDeliveryTime(fateOf(place), { handedOverMs: 0, statedMs: null, heardMs: chance() * 700_000 }),
    ...(chance() < 0.7 ? countVerified(place, chance() * 90) : []),
    ...(chance() < 0.2
      ? countRefused({ country: place.phone.country, flow: place.flow, asn: place.asn }, "rate_limited", true)
      : []),
  ];
}

function fateOf({ phone, channel, provider }: CountingPlace) {
  return { country: phone.country, channel, provider: provider ?? "none" };
}

function placeOf(
  prefix: number,
  country: number,
  network: number,
  line: number,
  flow: number,
): CountingPlace {
  const e164 = `+${String(10_000 + prefix).slice(0, 6)}${String(line).padStart(7, "0").slice(-7)}`;
  const letter = (i: number) => String.fromCharCode(65 + (i % 26));
  return {
    phone: {
      e164,
      country: letter(country) + letter(Math.floor(country / 26)),
      type: "mobile",
      block: e164.slice(0, -4),
      prefix: e164.slice(0, -7),
    },
    channel: "sms",
    flow: `flow_${flow}`,
    provider: `provider_${flow % 15}`,
    asn: 60_000 + network,
  };
}

/** Numbers from 0 to 1 that are the same in every run (a linear congruence, Knuth's constants). */
function makeChance(seed: number): () => number {
  let state = BigInt(seed);
  return () => {
    state = BigInt.asUintN(64, state * 6_364_136_223_846_793_005n + 1_442_695_040_888_963_407n);
    return Number(state >> 32n) / 2 ** 32;
  };
}
