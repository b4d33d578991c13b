/** Detectors about money: spend against the plan and against reported outcomes, and messages that providers fail to deliver. */
import { minuteOf } from "../../kernel/time.ts";
import type { Finding } from "../finding.ts";
import { QUARTER_MINUTES, type QuarterTally, quarterOfMinute } from "../history.ts";
import type { MonitorView } from "../monitor-view.ts";
import { OVERALL_TALLY_KEY } from "../tally.ts";
import { probabilityAtLeast, probabilityAtMost } from "./chance.ts";

/** The outcomes of the same money may fall to this share for ordinary reasons; fewer are remarkable. */
const ORDINARY_VARIATION = 2 / 3;

/** This part of the failing share that is worth an alert counts as usual for a provider. */
const USUAL_PART = 1 / 3;
const DELIVERY_FALSE_ALARM = 1e-6;

/**
 * The hour cost more than `hour_factor` times its part of the day's plan, or the day more than all of it. It notifies people;
 * the caps are the limit. False alarms: none, it is counted.
 */
export function detectSpendOverPlan({ spent, planDayMicros, policy }: MonitorView): Finding[] {
  if (spent === null || planDayMicros === null) return [];
  const hourPlan = Math.round((planDayMicros / 24) * policy.spend.hour_factor);
  const over = (period: "hour" | "day", spentMicros: number, planMicros: number): Finding[] =>
    spentMicros <= planMicros
      ? []
      : [
          {
            kind: "spend_over_plan",
            subject: OVERALL_TALLY_KEY,
            severity: "notice",
            says: `this ${period} cost ${Math.round((spentMicros / planMicros) * 100)} % of what it may by plan`,
            evidence: { period, spent_micros: spentMicros, plan_micros: planMicros },
            block: false,
          },
        ];
  const day = over("day", spent.dayMicros, planDayMicros);
  return day.length > 0 ? day : over("hour", spent.hourMicros, hourPlan);
}

/**
 * Spend grew and outcomes did not: of the outcomes of this window and of the one before, too few came in this one for its share
 * of the money. It is the only sign of an attacker who types the codes. It notifies people only, because it is slow and may be a
 * broken sign-up page as well.
 *
 * False alarms: `outcomes.false_alarm` in each window by the binomial law, and only when the money brought less than two
 * thirds of what it used to.
 */
export function detectSpendWithoutOutcomes({ lately, policy, nowMs }: MonitorView): Finding[] {
  const { window_minutes, min_outcomes, spend_factor, false_alarm } = policy.outcomes;
  const length = Math.floor(window_minutes / QUARTER_MINUTES);
  const last = Math.max(...lately.map(({ quarter }) => quarter));
  if (quarterOfMinute(minuteOf(nowMs)) - last > length) return [];
  const now = broughtIn(lately, last - length + 1, last);
  const before = broughtIn(lately, last - 2 * length + 1, last - length);
  if (before.outcomes < min_outcomes || before.micros === 0) return [];
  if (now.micros < spend_factor * before.micros) return [];
  const part = now.micros / (now.micros + before.micros);
  const expected = (before.outcomes * now.micros) / before.micros;
  const remarkable =
    now.outcomes < ORDINARY_VARIATION * expected &&
    probabilityAtMost(now.outcomes, now.outcomes + before.outcomes, part) <= false_alarm;
  if (!remarkable) return [];
  return [
    {
      kind: "spend_without_outcomes",
      subject: OVERALL_TALLY_KEY,
      severity: "notice",
      says: `${now.outcomes} outcomes in ${window_minutes} minutes, ${Math.round(expected)} expected for what was spent`,
      evidence: {
        outcomes: now.outcomes,
        outcomes_before: before.outcomes,
        spent_micros: now.micros,
        spent_before_micros: before.micros,
      },
      block: false,
    },
  ];
}

function broughtIn(quarters: readonly QuarterTally[], from: number, to: number) {
  const sum = { micros: 0, outcomes: 0 };
  for (const { quarter, tally } of quarters) {
    if (quarter < from || quarter > to) continue;
    for (const [name, value] of Object.entries(tally.get(OVERALL_TALLY_KEY) ?? {})) {
      if (name === "micros") sum.micros += value ?? 0;
      if (name.startsWith("outcome:")) sum.outcomes += value ?? 0;
    }
  }
  return sum;
}

/**
 * A provider that refuses or fails to deliver a large share of its messages; for the owner of the contact to it.
 *
 * False alarms: at a third of `failing_share`, which counts as usual, one in a million windows for each provider.
 */
export function detectFailingDelivery({ subjects, policy }: MonitorView): Finding[] {
  const { min_sent, failing_share } = policy.delivery;
  return subjects.flatMap(({ dimension, key, name, sums }): Finding[] => {
    const { sent, rejected, undelivered } = sums;
    const tried = sent + rejected;
    const failed = Math.min(tried, rejected + undelivered);
    if (dimension !== "provider" || tried < min_sent || failed < failing_share * tried) return [];
    if (probabilityAtLeast(failed, tried, failing_share * USUAL_PART) > DELIVERY_FALSE_ALARM) return [];
    return [
      {
        kind: "delivery_failing",
        subject: key,
        severity: "notice",
        says: `${name}: ${rejected} refused and ${undelivered} undelivered of ${tried} messages`,
        evidence: { tried, rejected, undelivered },
        block: false,
      },
    ];
  });
}
