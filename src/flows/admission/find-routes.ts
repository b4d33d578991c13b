import { messagePriceMicros } from "../../domain/delivery/money.ts";
import { overrideRouting } from "../../domain/delivery/route-overrides.ts";
import { orderRoutes, type Route, routeKey } from "../../domain/delivery/routing.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import { isProviderPaused } from "../../domain/monitor/pause.ts";
import type { Deps } from "../../ports/deps.ts";
import type { EffectiveControl } from "../control/read-effective-control.ts";

/** No more routes than this are tried for one message. */
const MAX_ROUTES = 3;

/** A message on its way to a country. */
export interface RouteQuestion {
  /** ISO 3166-1 alpha-2. */
  country: string;
  channel: Channel;
  /** Segments of its text: each is billed as a message. */
  segments: number;
}

export type RouteNeeds = Pick<Deps, "policy" | "providers" | "routes" | "prices" | "random" | "nowMs">;

/**
 * Finds the routes a message may take to a country, the best first; none where no provider goes there. Operators' overrides
 * win over the policy. A drained provider gets nothing while another route is live; a message that has one route takes it,
 * drained or not; by a paused provider nothing goes.
 */
export async function findRoutes(
  { policy, providers, routes, prices, random, nowMs }: RouteNeeds,
  { routes: overrides, pauses }: EffectiveControl,
  { country, channel, segments }: RouteQuestion,
): Promise<Route[]> {
  const open = policy.delivery.providers.flatMap((name): Route[] => {
    if (isProviderPaused(pauses, name, nowMs())) return [];
    const provider = providers.get(name);
    const serves = provider?.channels.includes(channel) && (provider.countries?.includes(country) ?? true);
    return serves
      ? [
          {
            provider: name,
            channel,
            costMicros: segments * messagePriceMicros(prices, country, name, channel),
          },
        ]
      : [];
  });
  if (open.length < 2) return open;
  const records = await routes.records();
  const routing = { ...policy.delivery, ...overrideRouting(policy.delivery, overrides, nowMs()) };
  const ordered = orderRoutes({ routes: open, records, policy: routing, country, random, nowMs: nowMs() });
  const drained = ({ provider }: Route) => routing.drain.includes(provider);
  const rests = (route: Route) => nowMs() < (records.get(routeKey(route, country))?.restUntilMs ?? 0);
  const live = ordered.some((route) => !drained(route) && !rests(route));
  const [first, ...others] = live ? ordered.filter((route) => !drained(route)) : ordered;
  if (first === undefined) return [];
  // The money reserved is that of the dearest route a message may end up with: the policy says how far that may be off.
  const most = first.costMicros * policy.delivery.failover_price_factor;
  const affordable = others.filter(({ costMicros }) => first.costMicros === 0 || costMicros <= most);
  return [first, ...affordable].slice(0, MAX_ROUTES);
}
