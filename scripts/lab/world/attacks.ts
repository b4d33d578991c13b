/** Attacks: what they aim at, where they come from, how fast, and what their bots can do. */

import type { TraceEvent } from "../trace.ts";
import { DAY, HOUR, numberEvents, roundSeconds, timeOfDay } from "./honest.ts";
import {
  allCountries,
  carriersOf,
  homeNetworksOf,
  hostingNetworks,
  ipv4Origin,
  ipv6Origin,
  type Network,
  type Origin,
  pickNetwork,
} from "./networks.ts";
import { numberInBlock, randomBlock, randomNumber } from "./numbers.ts";
import type { Random } from "./random.ts";

/** Which numbers: some blocks in each of some countries, numbers all over a country, or one victim (null: to be chosen). */
export type Aim =
  | { kind: "blocks"; countries: readonly string[]; blocksEach: number }
  | { kind: "anywhere"; country: string }
  | { kind: "victim"; phone: string | null };

/** Which addresses: one hosted machine, a rented pool from all over, or home lines and phones of one country. */
export type Source =
  | { kind: "one" }
  | { kind: "rotating"; addresses: number }
  | { kind: "homes"; country: string; addresses: number };

/** When: evenly, like people's day, or in bursts with pauses. */
type Pace =
  | { kind: "steady" }
  | { kind: "daily" }
  | { kind: "bursts"; onMinutes: number; offMinutes: number };

export interface AttackPlan {
  requests: number;
  /** Hours from midnight of the attack day. */
  startHour: number;
  hours: number;
  aim: Aim;
  source: Source;
  pace?: Pace;
  /** Buys solved challenges: passes every one. */
  solver?: boolean;
  /** Share of its messages that the attacker answers itself. */
  verifyShare?: number;
  /** Times each number asks, a good minute apart: how a caller gets from SMS to voice. */
  asksPerNumber?: number;
}

/** Bots without a solver get past a fresh CAPTCHA this often; they never have a second factor. */
export const BOT_CAPTCHA_PASS = 0.1;

/**
 * One day's attack.
 *
 * @param attackDay number of the day in the trace, from 0
 * @param idPrefix ids are this and a number
 * @returns exactly `plan.requests` events, ordered by time
 */
export function attack(random: Random, plan: AttackPlan, attackDay: number, idPrefix = "a"): TraceEvent[] {
  const drawPhone = phoneSource(random, plan.aim);
  const drawOrigin = originSource(random, plan.source);
  const asks = plan.asksPerNumber ?? 1;
  const events: TraceEvent[] = [];
  for (const t of startTimes(random, plan, Math.ceil(plan.requests / asks))) {
    const phone = drawPhone();
    for (let ask = 0; ask < asks && events.length < plan.requests; ask++) {
      const seconds = attackDay * DAY + t + ask * random.between(62, 75);
      events.push(botEvent(random, plan, { t: seconds, phone, origin: drawOrigin(), isRetry: ask > 0 }));
    }
  }
  return numberEvents(events, idPrefix);
}

/**
 * Sleeper numbers: they verify like honest people for days, then the same devices and their neighbours pump.
 *
 * @param perDay warm-up requests on each day before the attack day, 9 in 10 of them answered
 */
export function wakeUpAttack(
  random: Random,
  plan: AttackPlan,
  attackDay: number,
  perDay: number,
): TraceEvent[] {
  const drawPhone = phoneSource(random, plan.aim);
  const sleepers: { phone: string; device: string }[] = [];
  const events: TraceEvent[] = [];
  const warmUpOrigin = originSource(random, { kind: "rotating", addresses: 40 });
  for (let day = 0; day < attackDay; day++) {
    for (let at = 0; at < perDay; at++) {
      const sleeper = { phone: drawPhone(), device: `sleeper${sleepers.length}` };
      sleepers.push(sleeper);
      const t = day * DAY + timeOfDay(random);
      const event = botEvent(random, plan, {
        t,
        phone: sleeper.phone,
        origin: warmUpOrigin(),
        isRetry: false,
      });
      const answered = random.chance(0.9) ? roundSeconds(random.lognormal(15, 0.4)) : null;
      events.push({ ...event, device: sleeper.device, captcha: "pass", verify_after: answered });
    }
  }
  const drawOrigin = originSource(random, plan.source);
  for (const start of startTimes(random, plan, plan.requests)) {
    const sleeper = random.pick(sleepers);
    const phone = random.chance(0.5) ? sleeper.phone : drawPhone();
    const t = attackDay * DAY + start;
    const event = botEvent(random, plan, { t, phone, origin: drawOrigin(), isRetry: false });
    events.push({ ...event, device: sleeper.device });
  }
  return numberEvents(events, "a");
}

interface BotRequest {
  t: number;
  phone: string;
  origin: Origin;
  isRetry: boolean;
}

function botEvent(random: Random, plan: AttackPlan, { t, phone, origin, isRetry }: BotRequest): TraceEvent {
  const answered = random.chance(plan.verifyShare ?? 0);
  const passes = random.chance(plan.solver === true ? 1 : BOT_CAPTCHA_PASS);
  return {
    t: roundSeconds(t),
    id: "",
    label: "attack",
    phone,
    ...origin,
    device: null,
    user: null,
    flow: "signup",
    captcha: passes ? "pass" : "fail",
    step_up: "fail",
    verify_after: answered ? roundSeconds(random.lognormal(20, 0.5)) : null,
    wrong_first: 0,
    retry_of: isRetry ? "the one before" : null,
  };
}

/** Seconds into the attack day, in order. */
function startTimes(random: Random, { startHour, hours, pace }: AttackPlan, count: number): number[] {
  const draw = (): number => {
    const share = random.next();
    if (pace?.kind === "daily") return timeOfDay(random);
    if (pace?.kind !== "bursts") return startHour * HOUR + share * hours * HOUR;
    const roundSeconds = (pace.onMinutes + pace.offMinutes) * 60;
    const rounds = Math.floor((hours * HOUR) / roundSeconds);
    return startHour * HOUR + random.int(rounds) * roundSeconds + share * pace.onMinutes * 60;
  };
  return Array.from({ length: count }, draw).sort((a, b) => a - b);
}

function phoneSource(random: Random, aim: Aim): () => string {
  if (aim.kind === "victim") {
    const { phone } = aim;
    if (phone === null) throw new RangeError("an attack on a victim needs the victim's number");
    return () => phone;
  }
  if (aim.kind === "anywhere") return () => randomNumber(random, aim.country);
  const blocks = aim.countries.map((country) =>
    Array.from({ length: aim.blocksEach }, () => randomBlock(random, country)),
  );
  return () => numberInBlock(random, random.pick(random.pick(blocks)));
}

function originSource(random: Random, source: Source): () => Origin {
  if (source.kind === "one") {
    const machine = ipv4Origin(random.pick(hostingNetworks()), random.int(1000));
    return () => machine;
  }
  const pool = Array.from({ length: source.addresses }, () =>
    source.kind === "homes" ? homeOrigin(random, source.country) : rentedOrigin(random),
  );
  return () => random.pick(pool);
}

/** A line in somebody's home, or a phone with an address of its own: what residential proxies sell. */
function homeOrigin(random: Random, country: string): Origin {
  const networks: Network[] = [...homeNetworksOf(country), ...carriersOf(country)];
  const network = pickNetwork(random, networks);
  const line = 1000 + random.int(2 ** 18 - 1000);
  return random.chance(0.3) ? ipv6Origin(random, network, line) : ipv4Origin(network, line);
}

/** Half hosting, half home lines of any country. */
function rentedOrigin(random: Random): Origin {
  if (random.chance(0.5)) return ipv4Origin(random.pick(hostingNetworks()), random.int(2 ** 18));
  return homeOrigin(random, random.pick(allCountries()));
}
