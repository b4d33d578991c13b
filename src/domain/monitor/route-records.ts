import {
  learnFromConversion,
  NEW_ROUTE_RECORD,
  type RouteRecord,
  type RoutingPolicy,
} from "../delivery/routing.ts";
import { dueShare } from "./cohorts.ts";
import type { MonitorView } from "./monitor-view.ts";

/** The minutes in which a route that only fails is recognised. */
const FAILING_MINUTES = 3;

/** Messages by other routes count up to this number a minute: else a busy minute would make a bad route worth a new try. */
const ELSEWHERE_A_MINUTE = 60;

/**
 * The record of each route from the window, minute by minute, so that the latest messages count most. A route that refused more
 * than it accepted in the last minutes rests until the monitor's next run.
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
