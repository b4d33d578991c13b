import { priceMicros } from "../domain/delivery/money.ts";
import { orderRoutes, type Route } from "../domain/delivery/routing.ts";
import type { Channel, Deps } from "../ports.ts";

/** No more routes than this are tried for one message. */
const MAX_ROUTES = 3;

/** The ways a message may take to a country, the best first; none where no provider goes there. */
export async function routesFor(
  { policy, providers, routes, prices, random, nowMs }: Deps,
  country: string,
  channel: Channel,
): Promise<Route[]> {
  const open = policy.delivery.providers.flatMap((name): Route[] => {
    const provider = providers.get(name);
    const serves = provider?.channels.includes(channel) && (provider.countries?.includes(country) ?? true);
    return serves
      ? [{ provider: name, channel, costMicros: priceMicros(prices, country, name, channel) }]
      : [];
  });
  if (open.length < 2) return open;
  const ordered = orderRoutes(open, await routes.records(), policy.delivery, country, random, nowMs());
  return ordered.slice(0, MAX_ROUTES);
}
