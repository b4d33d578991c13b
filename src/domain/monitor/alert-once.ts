/** Alerts that no run of the watch stands behind: money on the way to a cap, and the watch itself. */

import type { SpendReading } from "../delivery/money.ts";
import { dayOf, duration, instantMs } from "../kernel/instant.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import { type AddressedAlert, type AlertContext, address, dedupKey, perHour } from "./alert.ts";
import { alertMoneyText } from "./alert-words.ts";

/**
 * A spend meter that passed a share of its cap (`passedShares` says when): told once per UTC period.
 *
 * @param share of the cap, 1 for all of it
 */
export function spendAlert(
  context: AlertContext,
  { meter, total }: SpendReading,
  share: number,
): AddressedAlert {
  const { environment, currency, nowMs } = context;
  const { period, cap } = meter;
  const scope = meter.scope.replace(/^spend:/, "");
  const sinceMs = periodStart(period, nowMs);
  const key = dedupKey(environment, "spend", scope, period, String(share), String(sinceMs / MINUTE_MS));
  const where = scope === "all" ? "all countries" : scope;
  return address(context, {
    kind: "spend",
    id: `${key}:trigger`,
    dedupKey: key,
    phase: "trigger",
    severity: share >= 1 ? "critical" : share >= 0.8 ? "warning" : "info",
    title:
      share >= 1
        ? `${alertMoneyText(total, currency)} spent: the ${period}'s cap of ${alertMoneyText(cap, currency)} for ${where} is used up, ${meter.lifted ? "sends go on over it" : "sends are paused"}`
        : `${alertMoneyText(total, currency)} spent: ${Math.round(share * 100)} % of the ${period}'s cap of ${alertMoneyText(cap, currency)} for ${where}`,
    sinceMs,
    spentMicros: total,
    perHourMicros: perHour(total, nowMs - sinceMs),
    facts: [
      { label: "Cap", value: `${alertMoneyText(cap, currency)} per ${period}, ${where}` },
      { label: "Left", value: alertMoneyText(Math.max(0, cap - total), currency) },
      { label: "Period began", value: `${duration(nowMs - sinceMs)} ago` },
    ],
    done: share >= 1 && !meter.lifted ? [`sends (${where}) are paused until the next ${period}`] : [],
  });
}

function periodStart(period: SpendReading["meter"]["period"], nowMs: number): number {
  if (period === "month") return instantMs(`${dayOf(nowMs).slice(0, 7)}-01T00:00:00Z`);
  const lengthMs = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS }[period];
  return nowMs - (nowMs % lengthMs);
}

/** What went wrong with the watch itself: its run was late, it could not read its counters, or its word was not taken. */
export interface MonitorFault {
  what: "late" | "blind" | "control_refused";
  /** In one sentence, with figures. */
  says: string;
  sinceMs: number;
}

/**
 * A fault of the watch, for a run that has no memory to say what was told: its key and id stay the same for
 * `repeat_minutes`, so that receivers and the queue can tell a repetition. A run with a memory makes a `watch_late` finding
 * of it instead.
 */
export function monitorFaultAlert(
  context: AlertContext,
  { what, says, sinceMs }: MonitorFault,
): AddressedAlert {
  const stretch = Math.floor(context.nowMs / (context.policy.repeat_minutes * MINUTE_MS));
  const key = dedupKey(context.environment, "watch", what, String(stretch));
  return address(context, {
    kind: "watch",
    id: `${key}:trigger`,
    dedupKey: key,
    phase: "trigger",
    severity: "warning",
    title: says,
    sinceMs,
    spentMicros: null,
    facts: sinceMs < context.nowMs ? [{ label: "For", value: duration(context.nowMs - sinceMs) }] : [],
    done: [],
  });
}
