import {
  learnFromConversion,
  NEW_ROUTE_RECORD,
  type RouteRecord,
  type RoutingPolicy,
} from "../delivery/routing.ts";
import { dueShare } from "./cohorts.ts";
import type { MonitorView } from "./sight.ts";

/** Minutes in which a route that only fails is found out. */
const FAILING_MINUTES = 3;

/** A busy minute elsewhere is no more reason to forget than this: forgetting all would mean trying a bad route anew each minute. */
const ELSEWHERE_A_MINUTE = 60;

/**
 * What the window says of each route, minute by minute, so that the latest ripe answers count most. A route that refused
 * more than it took in the last minutes rests until the next words of the watch.
 */
export function learnRoutes(
  { subjects, minutes, curve, nowMs }: MonitorView,
  { rest }: RoutingPolicy,
): Map<string, RouteRecord> {
  const keys = subjects.filter(({ dimension }) => dimension === "route");
  const ripeIn = minutes.map(({ minute }) => dueShare(minute, nowMs, curve));
  const sentOf = (key: string, i: number) => minutes[i]?.tally.get(key)?.sent ?? 0;
  return new Map(
    keys.map(({ key, name }) => {
      const country = name.split("/").at(-1);
      const siblings = keys.filter((other) => other.key !== key && other.name.endsWith(`/${country}`));
      const record = minutes.reduce((before, { tally }, i) => {
        const { sent = 0, verified = 0 } = tally.get(key) ?? {};
        const unanswered = Math.max(0, sent * (ripeIn[i] ?? 0) - verified);
        const elsewhere = siblings.reduce((sum, other) => sum + sentOf(other.key, i), 0);
        return learnFromConversion(before, { verified, unanswered }, Math.min(elsewhere, ELSEWHERE_A_MINUTE));
      }, NEW_ROUTE_RECORD);
      const latest = minutes.slice(-FAILING_MINUTES).map(({ tally }) => tally.get(key) ?? {});
      const rejected = latest.reduce((sum, counts) => sum + (counts.rejected ?? 0), 0);
      const sent = latest.reduce((sum, counts) => sum + (counts.sent ?? 0), 0);
      const failing = rejected >= rest.after_failures && rejected > sent;
      const restMs = (rest.seconds[0] ?? 0) * 1000;
      return [name, failing ? { ...record, failures: rejected, restUntilMs: nowMs + restMs } : record];
    }),
  );
}
