import { CONSEQUENCES, type Judgement } from "../../domain/delivery/judgement.ts";
import { type Route, routeKey } from "../../domain/delivery/routing.ts";
import type { DeliveryResult, OutgoingMessage } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";
import type { RouteAttempt } from "../publish/facts.ts";

/** A message, and the routes it may take. */
export interface TryRoutesInput {
  /** The best first; at least one. */
  routes: readonly Route[];
  /** Providers of earlier messages of the session. */
  tried: readonly string[];
  message: Omit<OutgoingMessage, "idempotencyKey">;
  /** One per message of a session; each route gets one of its own. */
  idempotencyKey: string;
}

export type TryRoutesNeeds = Pick<Deps, "policy" | "providers" | "routes" | "nowMs">;

/**
 * Hands a message to the first route that takes it. Only a message that was refused for certain, for a reason that is none of
 * the number's and no fraud, goes on to the next route: one whose fate is unknown may have left, and a second one would be a second bill.
 *
 * @returns every route that was tried, in order, and the attempt after which no other was
 */
export async function tryRoutes(
  deps: TryRoutesNeeds,
  { routes, tried, message, idempotencyKey }: TryRoutesInput,
): Promise<{ attempts: RouteAttempt[]; decisive: RouteAttempt }> {
  const { policy, nowMs } = deps;
  const startMs = nowMs();
  const ordered = await untriedFirst(deps, routes, tried, message.country);
  const attempts: RouteAttempt[] = [];
  for (const [i, route] of ordered.entries()) {
    const attempt = await tryRoute(deps, route, { ...message, idempotencyKey: `${idempotencyKey}.${i}` });
    attempts.push(attempt);
    const { result, answeredMs } = attempt;
    const last = i === ordered.length - 1;
    // Each route may take half of the time: no other is begun in the second half.
    const late = answeredMs - startMs > policy.delivery.timeout_ms / 2;
    const asksNext = result.kind === "refused" && CONSEQUENCES[result.judgement].asksNextRoute;
    if (!asksNext || last || late) {
      return { attempts, decisive: attempt };
    }
  }
  throw new Error("admission lets no message through without a route");
}

async function tryRoute(
  { providers, routes, nowMs }: TryRoutesNeeds,
  route: Route,
  message: OutgoingMessage,
): Promise<RouteAttempt> {
  const provider = providers.get(route.provider);
  if (!provider) throw new Error("compose.ts offers no route without its provider");
  const handedOverMs = nowMs();
  const result = await provider.send(message);
  const answeredMs = nowMs();
  const key = routeKey(route, message.country);
  if (result.kind === "accepted") routes.heard(key, false);
  else if (CONSEQUENCES[judgementOf(result)].countsAgainstRoute) routes.heard(key, true);
  return { route, result, handedOverMs, answeredMs };
}

/** The judgement in an answer that is no acceptance. */
const judgementOf = (result: Exclude<DeliveryResult, { kind: "accepted" }>): Judgement =>
  result.kind === "refused" ? result.judgement : "unknown";

/**
 * Puts providers of earlier messages last, since the code did not come by them, and after them those that rest, which would
 * lose this one too. No route is dropped.
 */
async function untriedFirst(
  { routes, nowMs }: Pick<Deps, "routes" | "nowMs">,
  candidates: readonly Route[],
  tried: readonly string[],
  country: string,
): Promise<readonly Route[]> {
  if (tried.length === 0 || candidates.length < 2) return candidates;
  const records = await routes.records();
  const rests = (route: Route) => nowMs() < (records.get(routeKey(route, country))?.restUntilMs ?? 0);
  const rank = (route: Route) => (rests(route) ? 2 : tried.includes(route.provider) ? 1 : 0);
  return candidates.toSorted((a, b) => rank(a) - rank(b));
}
