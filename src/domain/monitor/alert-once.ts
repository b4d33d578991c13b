/** Alerts that do not come from a run's findings: spend on the way to a cap, and faults of the monitor itself. */

import type { SpendReading } from "../delivery/money.ts";
import { dayOf, durationText, instantMs } from "../kernel/instant.ts";
import { moneyText } from "../kernel/text.ts";
import { DAY_MS, HOUR_MS, MINUTE_MS } from "../kernel/time.ts";
import { type AddressedAlert, type AlertContext, completeAlert, dedupKey, microsPerHour } from "./alert.ts";

/**
 * The alert about a spend meter that crossed a share of its cap (see `crossedShares`): once per UTC period.
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
  return completeAlert(context, {
    kind: "spend",
    id: `${key}:trigger`,
    dedupKey: key,
    phase: "trigger",
    severity: share >= 1 ? "critical" : share >= 0.8 ? "warning" : "info",
    title:
      share >= 1
        ? `${moneyText(total, currency)} spent: the ${period}'s cap of ${moneyText(cap, currency)} for ${where} is used up, ${meter.lifted ? "sends go on over it" : "sends are paused"}`
        : `${moneyText(total, currency)} spent: ${Math.round(share * 100)} % of the ${period}'s cap of ${moneyText(cap, currency)} for ${where}`,
    sinceMs,
    spentMicros: total,
    perHourMicros: microsPerHour(total, nowMs - sinceMs),
    facts: [
      { label: "Cap", value: `${moneyText(cap, currency)} per ${period}, ${where}` },
      { label: "Left", value: moneyText(Math.max(0, cap - total), currency) },
      { label: "Period began", value: `${durationText(nowMs - sinceMs)} ago` },
    ],
    done: share >= 1 && !meter.lifted ? [`sends (${where}) are paused until the next ${period}`] : [],
  });
}

function periodStart(period: SpendReading["meter"]["period"], nowMs: number): number {
  if (period === "month") return instantMs(`${dayOf(nowMs).slice(0, 7)}-01T00:00:00Z`);
  const lengthMs = { minute: MINUTE_MS, hour: HOUR_MS, day: DAY_MS }[period];
  return nowMs - (nowMs % lengthMs);
}

/**
 * Providers' refusals came to the bound of what is given back in a minute (`delivery.refunds_per_minute`): either the provider
 * refuses nearly everything, or it says so of messages that leave. Told once per provider, country and `repeat_minutes`.
 */
export function refundBoundAlert(
  context: AlertContext,
  { provider, country, perMinute }: { provider: string; country: string; perMinute: number },
): AddressedAlert {
  const { environment, nowMs, policy } = context;
  const stretch = Math.floor(nowMs / (policy.repeat_minutes * MINUTE_MS));
  const key = dedupKey(environment, "refunds", provider, country, String(stretch));
  return completeAlert(context, {
    kind: "delivery",
    id: `${key}:trigger`,
    dedupKey: key,
    phase: "trigger",
    severity: "warning",
    title: `${provider} refused ${perMinute} messages to ${country} within a minute: no more of their room and money is given back`,
    sinceMs: nowMs - (nowMs % MINUTE_MS),
    spentMicros: null,
    facts: [
      { label: "Bound", value: `${perMinute} a minute for each provider and country` },
      { label: "Provider", value: provider },
      { label: "Country", value: country },
    ],
    done: ["further refused messages of this minute count as unanswered, in budgets and in spend"],
  });
}

/** A fault of the monitor itself: a late run, unreadable counters, or a control document that could not be written. */
export interface MonitorFault {
  what: "late" | "blind" | "control_refused";
  /** In one sentence, with figures. */
  says: string;
  sinceMs: number;
}

/**
 * The alert about a fault of the monitor, for a run without a memory of earlier alerts: its key and id stay the same for
 * `repeat_minutes`, so that receivers and the queue recognise a repetition. A run with a memory makes a `watch_late` finding
 * instead.
 */
export function monitorFaultAlert(
  context: AlertContext,
  { what, says, sinceMs }: MonitorFault,
): AddressedAlert {
  const stretch = Math.floor(context.nowMs / (context.policy.repeat_minutes * MINUTE_MS));
  const key = dedupKey(context.environment, "watch", what, String(stretch));
  return completeAlert(context, {
    kind: "watch",
    id: `${key}:trigger`,
    dedupKey: key,
    phase: "trigger",
    severity: "warning",
    title: says,
    sinceMs,
    spentMicros: null,
    facts: sinceMs < context.nowMs ? [{ label: "For", value: durationText(context.nowMs - sinceMs) }] : [],
    done: [],
  });
}
