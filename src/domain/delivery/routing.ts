/**
 * The choice of a provider for a message. Conversion decides first: each route draws once from what its recent verifications
 * leave open (Thompson sampling), so that a route without recent messages is tried now and then, in proportion to the chance
 * that it is the best, and no fixed share of traffic is wasted on it. Then the price decides: a route whose record converts as
 * well as the winner's and that costs less goes before it. Draws from few messages lie far apart even for routes that are
 * alike, so the records are compared and not the draws.
 *
 * UCB was the other candidate. It is deterministic, so every location would move to the same route in the same minute, on
 * figures that are a minute old; draws spread the locations over the routes.
 */

import type { Channel } from "../kernel/channel.ts";
import type { DeliveryPolicy } from "./delivery.policy.ts";

/** A provider's way to a country by a channel. */
export interface Route {
  provider: string;
  channel: Channel;
  costMicros: number;
}

/** The recent results of a route, with fading weight, and the time until which it rests. */
export interface RouteRecord {
  verified: number;
  unanswered: number;
  /** Failures in a row, refused or silent. */
  failures: number;
  restUntilMs: number;
}

/** An operator's preferences among routes: those of the policy, or what overrides make of them, which may name any provider. */
export interface RoutePreferences {
  pin: Readonly<Record<string, string>>;
  weight: Readonly<Record<string, number>>;
  drain: readonly string[];
}

/** The part of the delivery table by which routes are ordered and left to rest. */
export type RoutingPolicy = RoutePreferences & Pick<DeliveryPolicy, "equal_within" | "rest">;

export const NEW_ROUTE_RECORD: RouteRecord = { verified: 0, unanswered: 0, failures: 0, restUntilMs: 0 };

/** A route remembers about as many of its own messages as this; earlier ones have faded. */
const MEMORY = 24;

/** Its record also fades while others are used: after about so many messages elsewhere the route is worth another try. */
const FORGETS_IN = 90;

/** The belief about a new route, two verified messages of three, with the weight of as many messages. */
const PRIOR = { verified: 2, unanswered: 1 };

/** A record of fewer messages than this counts as none. */
const KNOWN = 0.5;

/** The choice of a route for one message. */
export interface RouteChoiceInput {
  routes: readonly Route[];
  /** By `routeKey`; a route without a record is new. */
  records: ReadonlyMap<string, RouteRecord>;
  policy: RoutingPolicy;
  /** ISO 3166-1 alpha-2, of the number. */
  country: string;
  /** Numbers from 0 up to, but not including, 1. */
  random: () => number;
  nowMs: number;
}

interface DrawnRoute {
  route: Route;
  score: number;
  mean: number;
  known: boolean;
  pinned: boolean;
  resting: boolean;
  drained: boolean;
}

/** Orders the routes, the best first. Those that rest or are drained come last, for when no other is left. */
export function orderRoutes(choice: RouteChoiceInput): Route[] {
  const drawn = choice.routes.map((route) => drawRoute(route, choice));
  const live = drawn.filter(({ resting, drained }) => !resting && !drained);
  const best = (live.length > 0 ? live : drawn).toSorted((a, b) => b.score - a.score)[0];
  // A winner without a record that still counts gets its try, whatever it costs: it may be better by now.
  const savings = ({ route, mean, known }: DrawnRoute) =>
    best !== undefined && (best.known || !known) && mean >= best.mean - choice.policy.equal_within
      ? Math.max(0, best.route.costMicros - route.costMicros)
      : 0;
  return drawn
    .toSorted(
      (a, b) =>
        Number(a.drained) - Number(b.drained) ||
        Number(a.resting) - Number(b.resting) ||
        Number(b.pinned) - Number(a.pinned) ||
        savings(b) - savings(a) ||
        b.score - a.score,
    )
    .map(({ route }) => route);
}

/** One draw from what a route's record leaves open about its conversion. */
function drawRoute(route: Route, { records, policy, country, random, nowMs }: RouteChoiceInput): DrawnRoute {
  const record = records.get(routeKey(route, country)) ?? NEW_ROUTE_RECORD;
  const good = PRIOR.verified + record.verified;
  const bad = PRIOR.unanswered + record.unanswered;
  const weight = policy.weight[route.provider] ?? 1;
  return {
    route,
    score: drawBeta(good, bad, random) * weight,
    mean: (good / (good + bad)) * weight,
    known: record.verified + record.unanswered >= KNOWN,
    pinned: policy.pin[country] === route.provider,
    resting: nowMs < record.restUntilMs,
    drained: policy.drain.includes(route.provider),
  };
}

/** The name of a route to a country: `<provider>/<channel>/<country>`. */
export const routeKey = ({ provider, channel }: Route, country: string): string =>
  `${provider}/${channel}/${country}`;

/**
 * A route's record after messages of which it is known whether they converted.
 *
 * @param answers of this route: verified messages, and messages that had their time and were not verified
 * @param elsewhere messages that went by other routes meanwhile
 */
export function learnFromConversion(
  record: RouteRecord,
  answers: { verified: number; unanswered: number },
  elsewhere: number,
): RouteRecord {
  const heard = answers.verified + answers.unanswered;
  // A minute with more messages than the memory holds counts by its ratio.
  const scale = heard > MEMORY ? MEMORY / heard : 1;
  const keep = Math.max(0, 1 - heard / MEMORY) * Math.exp(-elsewhere / FORGETS_IN);
  return {
    ...record,
    verified: record.verified * keep + answers.verified * scale,
    unanswered: record.unanswered * keep + answers.unanswered * scale,
  };
}

/** A route's record after a delivery attempt: failures in a row make it rest, each time for longer. */
export function learnFromDeliveryAttempt(
  record: RouteRecord,
  failed: boolean,
  { rest }: RoutingPolicy,
  nowMs: number,
): RouteRecord {
  if (!failed) return { ...record, failures: 0, restUntilMs: 0 };
  const failures = record.failures + 1;
  const rests = failures - rest.after_failures;
  if (rests < 0) return { ...record, failures };
  const seconds = rest.seconds[Math.min(rests, rest.seconds.length - 1)] ?? 0;
  return { ...record, failures, restUntilMs: nowMs + seconds * 1000 };
}

/** One draw from Beta(a, b), as the share of two gamma draws. */
function drawBeta(a: number, b: number, random: () => number): number {
  const x = drawGamma(a, random);
  const y = drawGamma(b, random);
  return x / (x + y);
}

/** Marsaglia and Tsang, "A Simple Method for Generating Gamma Variables" (2000); for shapes of at least 1. */
function drawGamma(shape: number, random: () => number): number {
  const d = shape - 1 / 3;
  const c = 1 / Math.sqrt(9 * d);
  for (;;) {
    const normal = Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
    const v = (1 + c * normal) ** 3;
    if (v <= 0) continue;
    if (Math.log(1 - random()) < 0.5 * normal ** 2 + d - d * v + d * Math.log(v)) return d * v;
  }
}
