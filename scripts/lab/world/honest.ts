/** Honest traffic: days of people asking, retrying, giving up and coming back. */

import type { TraceEvent } from "../trace.ts";
import { carriersOf, homeNetworksOf, ipv4Origin, type Network, type Origin } from "./networks.ts";
import { isMobile, randomNumber } from "./numbers.ts";
import { type HonestParams, type Person, population } from "./people.ts";
import { type Random, seededRandom } from "./random.ts";

export const HOUR = 3600;
export const DAY = 24 * HOUR;

/** Share of a day's requests by hour, from midnight at home: a night low, a midday and an evening high. */
const DAILY_CURVE: readonly number[] = [
  1.2, 0.7, 0.45, 0.3, 0.3, 0.45, 0.9, 1.8, 3.2, 4.6, 5.6, 6.1, 6.0, 5.6, 5.3, 5.3, 5.5, 5.9, 6.4, 6.9, 7.0,
  6.2, 4.4, 2.5,
];

/** What the honest do; the specials happen on the last day. */
export interface HonestPlan {
  params: HonestParams;
  days: number;
  /** Times the usual traffic on the last day. */
  lastDayFactor?: number;
  /** A campaign: that many extra first-time people within these hours. */
  rush?: { people: number; startHour: number; hours: number };
  /** People of a country that was never seen before, over the whole day. */
  launch?: { country: string; people: number };
  /** Nobody's message arrives. */
  outage?: { startHour: number; minutes: number };
  /** People of one office behind one address, all signing up for the first time. */
  office?: { people: number; startHour: number; minutes: number };
  /** People of one city: numbers of one series, one carrier and one home network, all for the first time. */
  city?: { people: number; startHour: number; hours: number };
}

interface Asking {
  t: number;
  flow: "signup" | "returning";
  country?: string;
  origin?: Origin;
  fromCity?: boolean;
}

/** Flows of people who come back, by weight. */
const RETURNING_FLOWS = ["login", "recovery", "payment"] as const;
const RETURNING_WEIGHTS = [80, 8, 12];

/** Seconds, drawn from the daily curve. */
export function timeOfDay(random: Random): number {
  return (random.weighted(DAILY_CURVE) + random.next()) * HOUR;
}

/**
 * The whole of the honest traffic, ordered by time.
 *
 * @returns first requests and their conditional retries; ids are `h1`, `h2`, ...
 */
export function honestTraffic(random: Random, plan: HonestPlan): TraceEvent[] {
  const { params } = plan;
  const people = population(random.fork("people"), params);
  const events: TraceEvent[] = [];
  const lastDay = plan.days - 1;
  for (let day = 0; day < plan.days; day++) {
    const special = day === lastDay ? specialAskings(random, plan) : [];
    const isWeekend = day % 7 >= 5;
    const factor = (day === lastDay ? (plan.lastDayFactor ?? 1) : 1) * (isWeekend ? params.weekendFactor : 1);
    const usual = usualAskings(random, params, Math.round(params.askingsPerDay * factor));
    const askings = [...usual, ...special].sort((a, b) => a.t - b.t);
    for (const asking of askings) {
      const t = day * DAY + asking.t;
      const returning = asking.flow === "returning" ? people.someoneKnown(t) : null;
      const stranger = returning ?? people.newPerson(asking.country);
      const person = asking.fromCity ? movedToCity(random, stranger) : stranger;
      person.lastAskedAt = t;
      const willing = params.willingShare * (returning ? params.returningWillingFactor : 1);
      const originNow = () => asking.origin ?? people.originOf(person);
      const story = tell(random, plan, person, { at: t, willing, originNow });
      const flow = returning ? (RETURNING_FLOWS[random.weighted(RETURNING_WEIGHTS)] ?? "login") : "signup";
      const user = returning ? person.user : null;
      events.push(...story.map((event) => ({ ...event, flow, user })));
      const verifiedAt = verifiedIn(story);
      if (verifiedAt !== null && params.soonAgainShare > 0 && random.chance(params.soonAgainShare)) {
        const soon = verifiedAt + random.between(5, 60);
        const again = tell(random, plan, person, { at: soon, willing, originNow });
        events.push(...again.map((event) => ({ ...event, flow: "login", user: person.user })));
      }
      if (!returning && story.some((event) => event.verify_after !== null)) people.remember(person);
    }
  }
  return numberEvents(events, "h");
}

/** When the right code of the first message that is answered is typed, if all goes well; null where none is. */
function verifiedIn(story: readonly TraceEvent[]): number | null {
  const answered = story.find((event) => event.verify_after !== null);
  return answered?.verify_after == null ? null : answered.t + answered.verify_after;
}

/** Sorts by time and gives ids, keeping who retries whom; until then `id` and `retry_of` are positions in the list. */
export function numberEvents(events: TraceEvent[], prefix: string): TraceEvent[] {
  for (const [index, event] of events.entries()) {
    event.id = `${prefix}${index + 1}`;
    if (event.retry_of !== null) event.retry_of = `${prefix}${index}`;
  }
  return events.sort((a, b) => a.t - b.t);
}

/** Milliseconds are enough, and make short lines. */
export const roundSeconds = (seconds: number): number => Math.round(seconds * 1000) / 1000;

function usualAskings(random: Random, params: HonestParams, count: number): Asking[] {
  return Array.from({ length: count }, () => ({
    t: timeOfDay(random),
    flow: random.chance(params.returningShare) ? "returning" : "signup",
  }));
}

function specialAskings(random: Random, { params, rush, launch, office, city }: HonestPlan): Asking[] {
  const askings: Asking[] = [];
  const add = (count: number, startSeconds: number, seconds: number, more: Partial<Asking> = {}): void => {
    for (let at = 0; at < count; at++) {
      askings.push({ t: startSeconds + random.next() * seconds, flow: "signup", ...more });
    }
  };
  if (rush) add(rush.people, rush.startHour * HOUR, rush.hours * HOUR);
  if (launch) {
    for (let at = 0; at < launch.people; at++) {
      askings.push({ t: timeOfDay(random), flow: "signup", country: launch.country });
    }
  }
  if (office) {
    const network = homeNetworksOf(params.homeCountry)[4] as Network;
    const origin = ipv4Origin(network, 123_456);
    add(office.people, office.startHour * HOUR, office.minutes * 60, { country: params.homeCountry, origin });
  }
  if (city) {
    const more = { country: params.homeCountry, fromCity: true };
    add(city.people, city.startHour * HOUR, city.hours * HOUR, more);
  }
  return askings;
}

/** The same person as someone of the city: two series of ten million numbers, the first carrier, the first home network. */
function movedToCity(random: Random, person: Person): Person {
  const [carrier] = carriersOf(person.country);
  const [network] = homeNetworksOf(person.country);
  if (!carrier || !network) return person;
  return {
    ...person,
    phone: cityNumber(random, person),
    carrier,
    home: person.home && { network, line: person.home.line },
  };
}

/** A number of the city's two series, which are the same whoever asks. */
function cityNumber(random: Random, { country, phone }: Person): string {
  const map = seededRandom(`city/${country}`);
  const series = [randomNumber(map, country), randomNumber(map, country)].map((one) => one.slice(0, -7));
  for (let tries = 0; tries < 50; tries++) {
    const number = random.pick(series) + random.digits(7);
    if (isMobile(number, country)) return number;
  }
  return phone;
}

/** One person's asking: the first request and what they would do if it did not work. `retry_of` marks a retry. */
function tell(
  random: Random,
  { params, outage, days }: HonestPlan,
  person: Person,
  { at: firstAt, willing: willingShare, originNow }: { at: number; willing: number; originNow: () => Origin },
): TraceEvent[] {
  const outageStart = outage ? (days - 1) * DAY + outage.startHour * HOUR : Number.POSITIVE_INFINITY;
  const outageEnd = outageStart + (outage?.minutes ?? 0) * 60;
  const willing = random.chance(willingShare);
  const again = willing ? params.retryShare : params.idleRetryShare;
  const firstOrigin = originNow();

  const request = (t: number, isRetry: boolean): TraceEvent => {
    const arrives = random.chance(params.arrivalShare) && !(t >= outageStart && t < outageEnd);
    const afterSeconds = random.lognormal(params.verifyMedianSeconds, params.verifySigma);
    return {
      t: roundSeconds(t),
      id: "",
      label: "honest",
      phone: person.phone,
      ...(isRetry && person.home === null ? originNow() : firstOrigin),
      device: person.device,
      user: null,
      flow: "signup",
      captcha: random.chance(params.captchaPass) ? "pass" : "fail",
      step_up: person.stepUp,
      verify_after: willing && arrives ? roundSeconds(Math.max(4, afterSeconds)) : null,
      wrong_first: random.chance(params.wrongCodeShare) ? (random.chance(0.2) ? 2 : 1) : 0,
      retry_of: isRetry ? "the one before" : null,
      ...(arrives ? {} : { arrives: false }),
    };
  };

  const story = [request(firstAt, false)];
  let t = firstAt + 61 + random.exponential(30);
  if (random.chance(again)) {
    story.push(request(t, true));
    t += 100 + random.exponential(90);
    if (random.chance(again)) story.push(request(t, true));
  }
  const failedInOutage = firstAt >= outageStart && firstAt < outageEnd && willing;
  if (failedInOutage && random.chance(0.5)) {
    story.push(request(outageEnd + random.exponential(30 * 60), true));
  }
  return story;
}
