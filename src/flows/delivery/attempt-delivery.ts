import { type Route, routeKey } from "../../domain/delivery/routing.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { countDeliveryAttempt, countDeliveryFate } from "../../domain/monitor/counting.ts";
import type { CounterUpdate } from "../../domain/monitor/tally.ts";
import type { DeliveryResult, OutgoingMessage } from "../../ports/delivery.ts";
import type { Deps } from "../../ports/deps.ts";

export interface DeliveryAttempt {
  /** The last one that was tried. */
  route: Route;
  result: DeliveryResult;
  /** When that one was asked. */
  handedOverMs: number;
  /** What every route that was tried did, for the watch. */
  bookings: CounterUpdate[];
}

/**
 * Whoever asks again did not get the last one: another provider goes first, but none that rests, which would lose this one
 * too. No route is dropped.
 */
export async function untriedFirst(
  { routes, nowMs }: Pick<Deps, "routes" | "nowMs">,
  ways: readonly Route[],
  tried: readonly string[],
  country: string,
): Promise<readonly Route[]> {
  if (tried.length === 0 || ways.length < 2) return ways;
  const records = await routes.records();
  const rests = (route: Route) => nowMs() < (records.get(routeKey(route, country))?.restUntilMs ?? 0);
  const rank = (route: Route) => (rests(route) ? 2 : tried.includes(route.provider) ? 1 : 0);
  return ways.toSorted((a, b) => rank(a) - rank(b));
}

/**
 * Hands a message to the first route that takes it. Only what was refused for certain, and might pass elsewhere, goes on to
 * the next one: a message whose fate is unknown may have left, and a second one would be a second bill.
 */
export async function attemptDelivery(
  { policy, providers, routes, log, nowMs }: Pick<Deps, "policy" | "providers" | "routes" | "log" | "nowMs">,
  ways: readonly Route[],
  message: Omit<OutgoingMessage, "idempotencyKey">,
  idempotencyKey: string,
): Promise<DeliveryAttempt> {
  const { country, channel, correlationId } = message;
  const startMs = nowMs();
  const bookings: CounterUpdate[] = [];
  for (const [attempt, route] of ways.entries()) {
    const provider = providers.get(route.provider);
    if (!provider) throw new Error("compose.ts offers no route without its provider");
    const handedOverMs = nowMs();
    const result = await provider.send({ ...message, idempotencyKey: `${idempotencyKey}.${attempt}` });
    // In a Worker the clock moves with I/O alone: this is the provider's time, and none of ours.
    const answeredMs = nowMs();
    const tookMs = answeredMs - handedOverMs;
    const accepted = result.kind === "accepted";
    // A number the provider does not know is no failure of the route: strangers could make it rest.
    const ofNumber = result.kind === "refused" && !result.retryable;
    if (!ofNumber) routes.heard(routeKey(route, country), !accepted);
    log(`message_${result.kind}`, {
      correlation_id: correlationId,
      provider: route.provider,
      channel,
      cost_micros: route.costMicros,
      took_ms: tookMs,
      cause: accepted ? null : result.cause,
    });
    const entries = countDeliveryAttempt(route.provider, tookMs);
    // Silence is counted as sent. What never left is the provider's doing, or (but for the route) the number's.
    if (result.kind === "refused" || (result.kind === "unknown" && result.connectionLost)) {
      const fate = countDeliveryFate({ country, provider: route.provider, channel }, "rejected");
      entries.push(...(ofNumber ? fate.filter(({ dimension }) => dimension !== "route") : fate));
    }
    bookings.push({ minute: minuteOf(answeredMs), entries });
    const last = attempt === ways.length - 1;
    // Each route may take half of the time: no other is begun in the second half.
    const late = answeredMs - startMs > policy.delivery.timeout_ms / 2;
    if (result.kind !== "refused" || !result.retryable || last || late) {
      return { route, result, handedOverMs, bookings };
    }
  }
  throw new Error("admission lets no message through without a route");
}
