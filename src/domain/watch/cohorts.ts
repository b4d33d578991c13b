/** Messages that left in one minute, and how many of them were answered by now. */
export interface Cohort {
  /** Minutes since 1970, of sending. */
  minute: number;
  sent: number;
  verified: number;
}

export interface RatioReading {
  sent: number;
  verified: number;
  /** Sends that had their time, a young cohort counting by the part that could have answered by now. */
  due: number;
  /** verified / due, at most 1; null while nothing is due. */
  ratio: number | null;
}

/**
 * The share of people who have answered by an age, as points `[ageSeconds, share]`, rising. A message counts against
 * the ratio only as far as it could have been answered: otherwise every rush of honest sign-ups looks like an attack
 * for its first minute.
 */
export type AnswerCurve = readonly (readonly [ageSeconds: number, share: number])[];

export const minuteOf = (ms: number): number => Math.floor(ms / 60_000);

/** Reads the answer curve by linear interpolation; 0 before its first point, its last share after the last. */
export function answeredBy(ageSeconds: number, curve: AnswerCurve): number {
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

/** Send-to-verify ratio over cohorts; each cohort's age is taken from the middle of its minute. */
export function readRatio(cohorts: readonly Cohort[], nowMs: number, curve: AnswerCurve): RatioReading {
  let [sent, verified, due] = [0, 0, 0];
  for (const cohort of cohorts) {
    const ageSeconds = Math.max(0, nowMs / 1000 - cohort.minute * 60 - 30);
    sent += cohort.sent;
    verified += cohort.verified;
    due += Math.max(cohort.verified, cohort.sent * answeredBy(ageSeconds, curve));
  }
  return { sent, verified, due, ratio: due > 0 ? Math.min(1, verified / due) : null };
}
