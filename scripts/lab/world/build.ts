/** Builds a scenario's trace: honest days, and an attack or something special on the last of them. */
import type { TraceEvent } from "../trace.ts";
import { type AttackPlan, attack, wakeUpAttack } from "./attacks.ts";
import { DAY, HOUR, type HonestPlan, honestTraffic } from "./honest.ts";
import { HONEST_DEFAULTS, type HonestParams } from "./people.ts";
import { seededRandom } from "./random.ts";

/** The world the scenarios happen in; everything may be changed from the command line. */
export interface World {
  seed: string;
  learningDays: number;
  /** Times the size of every attack. */
  attackScale: number;
  honest: HonestParams;
  /** Days that count, after the learning ones; a part of a day ends early. */
  countedDays: number;
  /** Prices of a message by country that differ from the lab's own, in micros. */
  prices: Readonly<Record<string, number>>;
}

export const DEFAULT_WORLD: World = {
  seed: "1",
  learningDays: 14,
  attackScale: 1,
  honest: HONEST_DEFAULTS,
  countedDays: 1,
  prices: {},
};

/** What a scenario may cost at most. */
export interface Goal {
  /** Attack messages that leave; null where there is no attack. */
  left: number | null;
  honestLostPercent: number;
  /** Counts only honest people of this country. */
  country?: string;
}

export interface Scenario {
  id: string;
  /** What happens, for people who do not read code. */
  title: string;
  goal: Goal | null;
  /** The attack, given the home country; absent on days without one. */
  plan?: (home: string) => AttackPlan;
  /** Requests a day with which the attack's numbers verify beforehand. */
  warmUpPerDay?: number;
  /** What is special about the honest on the last day. */
  special?: Partial<HonestPlan>;
}

/** Seconds from which events count: the attack day. */
export const countedFrom = (world: World): number => world.learningDays * DAY;

/** Seconds at which counting ends. */
export const countedUntil = (world: World): number => (world.learningDays + world.countedDays) * DAY;

/** All events of the scenario, ordered by time. The same world gives the same events. */
export function buildScenario({ id, plan, warmUpPerDay, special }: Scenario, world: World): TraceEvent[] {
  const { seed, learningDays, attackScale, honest: params } = world;
  const days = learningDays + Math.ceil(world.countedDays);
  const untilSeconds = countedUntil(world);
  const honest = honestTraffic(seededRandom(`${seed}/${id}/honest`), { params, days, ...special }).filter(
    ({ t }) => world.countedDays >= 1 || t < untilSeconds,
  );
  if (plan === undefined) return honest;

  const random = seededRandom(`${seed}/${id}/attack`);
  const unscaled = plan(params.homeCountry);
  const scaled = { ...unscaled, requests: Math.round(unscaled.requests * attackScale) };
  if (scaled.aim.kind === "victim" && scaled.aim.phone === null) {
    const victim = someoneKnown(honest, world);
    const bombs = attack(random, { ...scaled, aim: { kind: "victim", phone: victim.phone } }, learningDays);
    return merge(honest, [...victimLogins(victim, world, scaled), ...bombs]);
  }
  const bots =
    warmUpPerDay === undefined
      ? attack(random, scaled, learningDays)
      : wakeUpAttack(random, scaled, learningDays, warmUpPerDay);
  return merge(honest, bots);
}

/** The first of somebody with a device who verified in the learning days. */
function someoneKnown(honest: readonly TraceEvent[], world: World): TraceEvent {
  const knows = ({ t, verify_after: verifyAfter, device }: TraceEvent): boolean =>
    t < countedFrom(world) && verifyAfter !== null && device !== null;
  const found = honest.find(knows);
  if (found === undefined) throw new RangeError("nobody verified in the learning days");
  return found;
}

/** The victim wants to log in three times while the bombs fall. */
function victimLogins(victim: TraceEvent, world: World, { startHour, hours }: AttackPlan): TraceEvent[] {
  return [0.25, 0.5, 0.75].map((part, index) => ({
    ...victim,
    t: countedFrom(world) + (startHour + part * hours) * HOUR,
    id: `v${index + 1}`,
    flow: "login",
    retry_of: null,
  }));
}

const merge = (one: TraceEvent[], other: TraceEvent[]): TraceEvent[] =>
  [...one, ...other].sort((a, b) => a.t - b.t);
