/** An adaptive opponent: turns a plan into requests, one at a time, and learns from what became of each. */

import { COSTS_MICROS, REVENUE_SHARE } from "../play/profit.ts";
import type { TraceEvent } from "../trace.ts";
import { BOT_CAPTCHA_PASS } from "../world/attacks.ts";
import { DAY, roundSeconds } from "../world/honest.ts";
import {
  carriersOf,
  homeNetworksOf,
  hostingNetworks,
  ipv4Origin,
  type Origin,
  pickNetwork,
} from "../world/networks.ts";
import { countryOf, numberInBlock, randomBlock, randomNumber } from "../world/numbers.ts";
import type { Random } from "../world/random.ts";
import { ABROAD_COUNTRIES, DEAR_COUNTRIES } from "../world/scenarios.ts";
import type { Adversary } from "./adversary.ts";
import { bandit } from "./bandit.ts";
import { ADDRESS_KINDS, type AddressKind, type OpponentPlan } from "./plan.ts";

/** What an opponent knows of the world before it begins. */
export interface OpponentWorld {
  home: string;
  carrierAddresses: number;
  fromSeconds: number;
  untilSeconds: number;
  /** Numbers of the service's customers, as leaked lists have them. */
  knownNumbers: readonly string[];
  priceMicros(country: string): number;
}

interface Destination {
  country: string;
  /** null for numbers all over the country. */
  range: string | null;
}

interface Arm extends Destination {
  kind: AddressKind;
}

interface SimCard {
  phone: string;
  origin: Origin;
  device: string;
  freeAt: number;
  verified: boolean;
}

const FLOWS = ["signup", "login", "recovery", "payment"];
/** A SIM card and a patient bot ask again after this: a number gets one message in 60 s. */
const AGAIN_SECONDS = 62;
/** A waiting opponent's pause doubles while it is refused, up to the shortest window it has heard of. */
const LONGEST_PAUSE_SECONDS = 600;
/** Of a waiting opponent's requests, some still come in while it pauses, or it would never see a window open. */
const PAUSE_GROWTH = 1.5;

export function opponent(random: Random, plan: OpponentPlan, world: OpponentWorld): Adversary {
  const countries = countriesOf(plan, world);
  const kinds = plan.aim === "everywhere" ? ADDRESS_KINDS : [plan.addressKind];
  const destinations = countries.flatMap((country): Destination[] =>
    plan.rangesEach === 0
      ? [{ country, range: null }]
      : Array.from({ length: plan.rangesEach }, () => ({ country, range: randomBlock(random, country) })),
  );
  const arms: Arm[] = destinations.flatMap((to) => kinds.map((kind) => ({ ...to, kind })));
  const choice = bandit(random.fork("arms"), arms);
  const sims: SimCard[] = Array.from({ length: plan.sims }, (_, i) => {
    const country = countries[i % countries.length] as string;
    const origin = originOf(random, "homes", country, world, i);
    return { phone: randomNumber(random, country), origin, device: `sim${i}`, freeAt: 0, verified: false };
  });
  const origins = new Map<string, Origin[]>();
  const spacing = DAY / plan.asksPerDay;
  const armOf = new Map<string, Arm>();
  const simOf = new Map<string, SimCard>();
  /** Numbers it will ask for again, with where it asked from. */
  const again: { at: number; event: TraceEvent; left: number }[] = [];
  const leftOf = new Map<string, number>();
  const patientSpacing = DAY / plan.patientAsks;
  let nextAt = Math.max(0, world.fromSeconds - plan.patientDays * DAY) + spacing;
  let pause = spacing;
  let asked = 0;

  const addressFor = (kind: AddressKind, country: string): Origin => {
    const key = `${kind} ${country}`;
    const pool = origins.get(key) ?? [];
    origins.set(key, pool);
    const size =
      kind === "shared"
        ? Math.min(plan.addresses, 3 * world.carrierAddresses)
        : plan.addresses / kinds.length;
    if (pool.length < size && (pool.length === 0 || random.chance(0.5))) {
      const made = originOf(random, kind, country, world, pool.length);
      pool.push(made);
      return made;
    }
    return random.pick(pool);
  };

  const request = (phone: string, origin: Origin, more: Partial<TraceEvent>): TraceEvent => ({
    t: roundSeconds(nextAt),
    id: `x${asked}`,
    label: "attack",
    phone,
    ...origin,
    device: null,
    user: null,
    flow: plan.mixesFlows ? random.pick(FLOWS) : "signup",
    captcha: random.chance(plan.solver ? 1 : BOT_CAPTCHA_PASS) ? "pass" : "fail",
    step_up: "fail",
    verify_after: null,
    wrong_first: 0,
    retry_of: null,
    ...more,
  });
  const isPatient = (): boolean => nextAt < world.fromSeconds;
  const answerAfter = (): number => roundSeconds(random.lognormal(15, 0.4));

  const simRequest = (): TraceEvent | null => {
    const card = sims.reduce<SimCard | null>(
      (first, one) => (first && first.freeAt <= one.freeAt ? first : one),
      null,
    );
    if (card === null || card.freeAt > nextAt) return null;
    card.freeAt = nextAt + AGAIN_SECONDS;
    const leavesUnanswered = isPatient() && card.verified;
    const event = request(card.phone, card.origin, {
      device: card.device,
      verify_after: leavesUnanswered ? null : answerAfter(),
    });
    card.verified = true;
    simOf.set(event.id, card);
    return event;
  };

  const freshRequest = (): TraceEvent => {
    if (random.chance(plan.knownShare) && world.knownNumbers.length > 0) {
      const phone = random.pick(world.knownNumbers);
      return request(phone, addressFor(plan.addressKind, countryOf(phone)), {});
    }
    const arm = choice.choose();
    const phone = arm.range === null ? randomNumber(random, arm.country) : numberInBlock(random, arm.range);
    const answers = !isPatient() && arm.range !== null && random.chance(plan.answerShare);
    const event = request(phone, addressFor(arm.kind, arm.country), {
      verify_after: answers ? answerAfter() : null,
    });
    armOf.set(event.id, arm);
    leftOf.set(event.id, plan.perNumber - 1);
    return event;
  };

  const nextRequest = (): TraceEvent => {
    const due = again[0];
    if (due && due.at <= nextAt) {
      again.shift();
      const { phone, ip, asn, ip_country, verify_after } = due.event;
      const event = request(phone, { ip, asn, ip_country }, { verify_after });
      leftOf.set(event.id, due.left - 1);
      return event;
    }
    return (sims.length > 0 && random.chance(plan.simShare) ? simRequest() : null) ?? freshRequest();
  };

  return {
    sims: plan.sims,
    nextAt: () => (nextAt >= world.untilSeconds ? Number.POSITIVE_INFINITY : nextAt),
    act() {
      const event = nextRequest();
      asked++;
      return event;
    },
    heard(event, outcome, solved) {
      const left = outcome.kind === "left";
      const earned = left ? REVENUE_SHARE * outcome.costMicros : 0;
      const paid =
        (solved ? COSTS_MICROS.solvedChallenge : 0) +
        (left && event.verify_after !== null ? COSTS_MICROS.answer : 0);
      const arm = armOf.get(event.id);
      if (arm) choice.reward(arm, earned - paid);
      armOf.delete(event.id);
      const card = simOf.get(event.id);
      // A card that was refused is left alone for a while; one that got its message comes back as soon as it may.
      if (card && !left) card.freeAt = nextAt + 10 * AGAIN_SECONDS;
      simOf.delete(event.id);
      const more = leftOf.get(event.id) ?? 0;
      leftOf.delete(event.id);
      if (more > 0 && !(left && event.verify_after !== null)) {
        again.push({ at: nextAt + AGAIN_SECONDS + random.int(10), event, left: more });
      }
      if (isPatient()) {
        nextAt += patientSpacing * random.between(0.5, 1.5);
        return;
      }
      if (plan.waits) pause = left ? spacing : Math.min(LONGEST_PAUSE_SECONDS, pause * PAUSE_GROWTH);
      nextAt += plan.waits ? pause * random.between(0.5, 1.5) : spacing;
    },
  };
}

function countriesOf({ aim }: OpponentPlan, { home }: OpponentWorld): readonly string[] {
  if (aim === "home") return [home];
  if (aim === "dear") return DEAR_COUNTRIES;
  return aim === "abroad" ? ABROAD_COUNTRIES : [home, ...ABROAD_COUNTRIES];
}

function originOf(
  random: Random,
  kind: AddressKind,
  country: string,
  world: OpponentWorld,
  nth: number,
): Origin {
  if (kind === "hosting") return ipv4Origin(random.pick(hostingNetworks()), random.int(2 ** 18));
  if (kind === "shared") {
    const carriers = carriersOf(country);
    const carrier = carriers[nth % carriers.length];
    if (carrier) return ipv4Origin(carrier, Math.floor(nth / carriers.length) % world.carrierAddresses);
  }
  const networks = [...homeNetworksOf(country), ...carriersOf(country)];
  return ipv4Origin(pickNetwork(random, networks), 1000 + random.int(2 ** 18 - 1000));
}
