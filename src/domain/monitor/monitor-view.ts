/** The counters of one run of the monitor, prepared for the detectors. */
import {
  type AnswerCurve,
  type Cohort,
  cohortsOf,
  dueShare,
  type RatioReading,
  ratioOfCohorts,
} from "./cohorts.ts";
import { answerCurve, type History, type QuarterTally } from "./history.ts";
import type { Incident } from "./incident.ts";
import type { MonitorPolicy } from "./monitor.policy.ts";
import {
  type Counts,
  type Dimension,
  type MinuteTally,
  OTHER_SUBJECTS,
  OVERALL_TALLY_KEY,
  splitTallyKey,
  type Tally,
} from "./tally.ts";

/** Everything that one run has read. */
export interface MonitorReadings {
  nowMs: number;
  /** The window up to and with the present minute, the oldest first. */
  minutes: readonly MinuteTally[];
  history: History | null;
  /** The same quarter of an hour of up to seven past days. */
  sameTime: readonly QuarterTally[];
  /** The last quarters of an hour, twice `outcomes.window_minutes` back; empty where nobody reports outcomes. */
  lately: readonly QuarterTally[];
  /** Spend of this UTC hour and day; null while the meters cannot be read. */
  spent: { hourMicros: number; dayMicros: number } | null;
  /** The planned cost of a day; null without a plan. */
  planDayMicros: number | null;
  /** The open incident. */
  incident: Incident | null;
}

/** One subject's sums over the window; `numbers` is the largest seen. */
interface SubjectSums {
  sent: number;
  verified: number;
  rejected: number;
  undelivered: number;
  numbers: number;
  fraud: number;
}

/** One subject with its sums over the window. */
export interface MonitoredSubject {
  dimension: Dimension;
  key: string;
  /** The subject without its dimension. */
  name: string;
  sums: SubjectSums;
}

/** The counters with everything that several detectors derive from them. */
export interface MonitorView extends MonitorReadings {
  policy: MonitorPolicy;
  /** Time to verify, as measured. */
  curve: AnswerCurve;
  overall: SubjectSums & { turned_away: number };
  reading: RatioReading;
  subjects: readonly MonitoredSubject[];
  cohorts(key: string): Cohort[];
  /** The share of a minute's messages that could have been verified by now. */
  ripe(minute: number): number;
}

/** Prepares the counters of a run for the detectors. */
export function viewCounts(counts: MonitorReadings, policy: MonitorPolicy): MonitorView {
  const { minutes, history, nowMs } = counts;
  const curve = answerCurve(history, policy.answer_curve);
  const ripe = new Map(minutes.map(({ minute }) => [minute, dueShare(minute, nowMs, curve)]));
  const sums = sumSubjects(minutes.map(({ tally }) => tally));
  const overall = sums.get(OVERALL_TALLY_KEY) ?? nothing();
  const turnedAway = minutes.reduce(
    (sum, { tally }) => sum + (tally.get(OVERALL_TALLY_KEY)?.turned_away ?? 0),
    0,
  );
  const subjects: MonitoredSubject[] = [];
  for (const [key, sum] of sums) {
    const [dimension, name] = splitTallyKey(key);
    if (name !== OTHER_SUBJECTS) subjects.push({ dimension, key, name, sums: sum });
  }
  return {
    ...counts,
    policy,
    curve,
    overall: { ...overall, turned_away: turnedAway },
    reading: ratioOfCohorts(cohortsOf(minutes, OVERALL_TALLY_KEY), nowMs, curve),
    subjects,
    cohorts: (key) => cohortsOf(minutes, key),
    ripe: (minute) => ripe.get(minute) ?? 1,
  };
}

/** The messages of a subject that had their time to be verified. */
export const dueMessagesOf = ({ cohorts, ripe }: MonitorView, key: string): number =>
  cohorts(key).reduce((sum, { minute, sent, verified }) => sum + Math.max(verified, sent * ripe(minute)), 0);

const nothing = (): SubjectSums => ({
  sent: 0,
  verified: 0,
  rejected: 0,
  undelivered: 0,
  numbers: 0,
  fraud: 0,
});

function sumSubjects(tallies: readonly Tally[]): Map<string, SubjectSums> {
  const sums = new Map<string, SubjectSums>();
  for (const tally of tallies) {
    for (const [key, counts] of tally) {
      const sum = sums.get(key);
      if (sum) addTo(sum, counts);
      else sums.set(key, addTo(nothing(), counts));
    }
  }
  return sums;
}

function addTo(sum: SubjectSums, counts: Counts): SubjectSums {
  sum.sent += counts.sent ?? 0;
  sum.verified += counts.verified ?? 0;
  sum.rejected += counts.rejected ?? 0;
  sum.undelivered += counts.undelivered ?? 0;
  sum.fraud += counts.fraud ?? 0;
  sum.numbers = Math.max(sum.numbers, counts.numbers ?? 0);
  return sum;
}
