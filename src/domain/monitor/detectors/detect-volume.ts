/** Detectors of volume: more messages than usual, requests at used-up budgets, and new destinations. */
import { DAY_MS, minuteOf } from "../../kernel/time.ts";
import { type Finding, isConversionAlarm } from "../finding.ts";
import { DAY_QUARTERS, QUARTER_MINUTES, quarterOfMinute } from "../history.ts";
import type { MonitorView } from "../monitor-view.ts";
import type { Metric } from "../tally.ts";
import { OVERALL_TALLY_KEY } from "../tally.ts";

/** With fewer past days than this, nothing is known about the time of day. */
const LEAST_DAYS = 2;

/** Standard deviations over the usual: once in 30,000 minutes by the normal law, and in longer runs than single minutes. */
const FAR_OUT = 4;

/** This many times the remarkable number is an attack by itself. */
const VERY_MANY = 10;

const FEW = 5;

/**
 * The values of a metric in a window at this time of day, one for each past day on which the monitor ran. A day without the
 * quarter had no traffic in it.
 */
function sameTimes(view: MonitorView, metric: Metric): number[] {
  const { nowMs, sameTime, history, policy } = view;
  if (history === null) return [];
  const minute = minuteOf(nowMs);
  const quarter = quarterOfMinute(minute);
  const within = ((minute % QUARTER_MINUTES) + 1) / QUARTER_MINUTES;
  const days = Math.min(7, Math.floor((nowMs - history.sinceMs) / DAY_MS));
  const at = new Map(
    sameTime.map((past) => [past.quarter, past.tally.get(OVERALL_TALLY_KEY)?.[metric] ?? 0]),
  );
  return Array.from({ length: Math.max(0, days) }, (_, day) => {
    const then = quarter - (day + 1) * DAY_QUARTERS;
    const count = within * (at.get(then) ?? 0) + (1 - within) * (at.get(then - 1) ?? 0);
    return (count * policy.window_minutes) / QUARTER_MINUTES;
  });
}

const mean = (values: readonly number[]): number =>
  values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

/**
 * Many more messages than at this time of the past days. It only notifies people, because a good campaign looks the same.
 *
 * False alarms: the excess must also be four standard deviations, of a Poisson law widened to the spread that the past days
 * show: under one in 10,000 windows of honest days that are alike.
 */
export function detectHighVolume(view: MonitorView): Finding[] {
  const { factor, min_sent } = view.policy.volume;
  const { sent } = view.overall;
  const past = sameTimes(view, "sent");
  if (past.length < LEAST_DAYS || sent < min_sent) return [];
  const expected = mean(past);
  const spread = past.reduce((sum, value) => sum + (value - expected) ** 2, 0) / (past.length - 1);
  const deviation = Math.sqrt(Math.max(1, expected, spread) * (1 + 1 / past.length));
  if (sent <= factor * expected || sent - expected < FAR_OUT * deviation) return [];
  return [
    {
      kind: "volume_high",
      subject: OVERALL_TALLY_KEY,
      severity: "notice",
      says: `${sent} messages in ${view.policy.window_minutes} minutes, usually ${Math.round(expected)} at this time of day`,
      evidence: { sent, usual_sent: Math.round(expected), days: past.length },
      block: false,
    },
  ];
}

/**
 * Many requests that met a used-up budget, as those of an attack do once it gets no more messages. `elevated`; an emergency when
 * destinations are found silent at the same time or conversion is low, or when it is ten times as many and no sound conversion
 * speaks for an honest rush.
 *
 * False alarms: none by chance, for `min` requests and `factor` times what is usual at this time of day or with as many
 * messages never come together by chance; an honest rush can do it, and is `elevated` at most while its people verify.
 */
export function detectExhaustedBudgets(view: MonitorView, others: readonly Finding[]): Finding[] {
  const { min, factor } = view.policy.turned_away;
  const { turned_away, sent } = view.overall;
  const past = view.history?.subjects[OVERALL_TALLY_KEY] ?? {};
  const perMessage = (past.turned_away ?? 0) / Math.max(1, past.sent ?? 0);
  const expected = Math.max(mean(sameTimes(view, "turned_away")), perMessage * sent);
  const threshold = Math.max(min, factor * expected);
  if (turned_away < threshold) return [];
  const { due, ratio } = view.reading;
  const silent = others.some(isConversionAlarm) || (due >= FEW && (ratio ?? 1) < view.policy.alarm_ratio);
  const sound = due > view.policy.min_sends && (ratio ?? 0) >= view.policy.clear_ratio;
  const emergency = silent || (turned_away >= VERY_MANY * threshold && !sound);
  return [
    {
      kind: "turned_away",
      subject: OVERALL_TALLY_KEY,
      severity: emergency ? "emergency" : "elevated",
      says: `${turned_away} requests met a used-up budget in ${view.policy.window_minutes} minutes, usually ${Math.round(expected)}`,
      evidence: { turned_away, usual_turned_away: Math.round(expected), sent },
      block: false,
    },
  ];
}

/**
 * Countries and prefixes that get messages and are not in the history; not on the monitor's first day, when all are new. It
 * notifies people of the busiest five of each.
 *
 * False alarms: it states a fact. A prefix is forgotten after some weeks, or when 150 others are busier.
 */
export function detectNewDestinations(view: MonitorView): Finding[] {
  const { history, nowMs, policy } = view;
  if (history === null || nowMs - history.sinceMs < DAY_MS) return [];
  return (["country", "prefix"] as const).flatMap((dimension) =>
    view.subjects
      .filter(
        ({ dimension: own, key, sums }) =>
          own === dimension &&
          sums.sent >= policy.new_destination.min_sent &&
          history.subjects[key] === undefined,
      )
      .sort((a, b) => b.sums.sent - a.sums.sent)
      .slice(0, FEW)
      .map(({ key, name, sums: { sent, verified } }) => ({
        kind: "new_destination" as const,
        subject: key,
        severity: "notice" as const,
        says: `${dimension} ${name}: ${sent} messages, none ever before`,
        evidence: { sent, verified },
        block: false,
      })),
  );
}
