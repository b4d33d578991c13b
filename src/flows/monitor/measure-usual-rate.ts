import { MINUTE_MS, minuteOf } from "../../domain/kernel/time.ts";
import { type History, QUARTER_MINUTES, quarterOfMinute } from "../../domain/monitor/history.ts";
import { tallyKey } from "../../domain/monitor/tally.ts";
import type { Deps } from "../../ports/deps.ts";

const DAYS = 7;
const QUARTERS_A_DAY = 96;
/** The history's sums lose half their weight in this time (see history.ts). */
const HALF_LIFE_MINUTES = 3 * 1440;

/** The rate of messages when nothing is wrong, and the source of that figure. */
export interface UsualRate {
  perMinute: number;
  from: "same_time" | "history" | "nothing";
}

/**
 * What is normal now: the median of this quarter of an hour on the past seven days (an attack yesterday at this time does
 * not make it normal), else the mean of the history, else nothing.
 */
export async function measureUsualRate(
  monitorState: Deps["monitorState"],
  nowMs: number,
): Promise<UsualRate> {
  const quarter = quarterOfMinute(minuteOf(nowMs));
  const days = Array.from({ length: DAYS }, (_, day) => quarter - (day + 1) * QUARTERS_A_DAY);
  const [left, ...answers] = await Promise.all([
    monitorState.look(),
    ...days.map((at) => monitorState.quarters(at, at)),
  ]);
  const sent = answers.flatMap((answer) =>
    answer.kind === "answered"
      ? answer.quarters.map(({ tally }) => tally.get(tallyKey("overall", "all"))?.sent ?? 0)
      : [],
  );
  if (sent.length > 0) return { perMinute: median(sent) / QUARTER_MINUTES, from: "same_time" };
  const mean = left.kind === "answered" && left.history !== null ? meanPerMinute(left.history, nowMs) : 0;
  return mean > 0 ? { perMinute: mean, from: "history" } : { perMinute: 0, from: "nothing" };
}

/**
 * The rate that, held since the history began, leaves the fading sum that is there: the sum of a steady rate over an age is
 * `rate * halfLife / ln 2 * (1 - 2^(-age / halfLife))`.
 */
export function meanPerMinute(history: History, nowMs: number): number {
  const sent = history.subjects[tallyKey("overall", "all")]?.sent ?? 0;
  const ageMinutes = Math.max(QUARTER_MINUTES, (nowMs - history.sinceMs) / MINUTE_MS);
  const weight = (HALF_LIFE_MINUTES / Math.LN2) * (1 - 2 ** (-ageMinutes / HALF_LIFE_MINUTES));
  return sent / weight;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? 0;
  return Number.isInteger(middle) ? ((sorted[middle - 1] ?? upper) + upper) / 2 : upper;
}
