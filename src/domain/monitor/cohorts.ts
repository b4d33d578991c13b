import type { MinuteTally } from "./tally.ts";

/** The messages that left in one minute, and how many of them are verified by now. */
export interface Cohort {
  /** Minutes since 1970, of sending. */
  minute: number;
  sent: number;
  verified: number;
}

/** The conversion of some cohorts. */
export interface RatioReading {
  sent: number;
  verified: number;
  /** Messages that had their time; a young cohort counts by the share that could have been verified by now. */
  due: number;
  /** verified / due, at most 1; null while nothing is due. */
  ratio: number | null;
}

/**
 * The share of people who have typed their code by the age of its message, as rising points `[ageSeconds, share]`. A message
 * counts against the ratio only by that share: otherwise every rush of honest sign-ups would look like an attack in its first
 * minute.
 */
export type AnswerCurve = readonly (readonly [ageSeconds: number, share: number])[];

/** The share of people who have typed their code by an age, read from the curve by linear interpolation. */
export function verifiedShareBy(ageSeconds: number, curve: AnswerCurve): number {
  let [previousAge, previousShare] = [0, 0];
  for (const [age, share] of curve) {
    if (ageSeconds <= previousAge) return previousShare;
    if (ageSeconds < age) {
      const part = (ageSeconds - previousAge) / (age - previousAge);
      return previousShare + part * (share - previousShare);
    }
    [previousAge, previousShare] = [age, share];
  }
  return previousShare;
}

/** Seconds into its minute at which a message may have left: four of them stand for all. */
const SECONDS = [7.5, 22.5, 37.5, 52.5];

/** The share of a minute's messages that could have been verified by now, on average over the minute. */
export const dueShare = (minute: number, nowMs: number, curve: AnswerCurve): number =>
  SECONDS.reduce((sum, second) => sum + verifiedShareBy(nowMs / 1000 - minute * 60 - second, curve), 0) /
  SECONDS.length;

/** One subject's messages, minute by minute, in the order of the minutes. */
export function cohortsOf(minutes: readonly MinuteTally[], key: string): Cohort[] {
  return minutes.map(({ minute, tally }) => {
    const { sent = 0, verified = 0 } = tally.get(key) ?? {};
    return { minute, sent, verified };
  });
}

/** Adds up cohorts and reads their send-to-verify ratio. */
export function ratioOfCohorts(cohorts: readonly Cohort[], nowMs: number, curve: AnswerCurve): RatioReading {
  let [sent, verified, due] = [0, 0, 0];
  for (const cohort of cohorts) {
    sent += cohort.sent;
    verified += cohort.verified;
    due += Math.max(cohort.verified, cohort.sent * dueShare(cohort.minute, nowMs, curve));
  }
  return { sent, verified, due, ratio: due > 0 ? Math.min(1, verified / due) : null };
}
