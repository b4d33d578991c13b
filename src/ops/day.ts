/** The last 24 hours in quarters of an hour: older ones from the monitor's memory, the newest from the counters' minutes. */
import { MINUTE_MS, minuteOf } from "../domain/kernel/time.ts";
import {
  DAY_QUARTERS,
  QUARTER_MINUTES,
  quarterOfMinute,
  type TrafficPoint,
  trafficPointOf,
} from "../domain/monitor/history.ts";
import type { Deps } from "../ports/deps.ts";

/** The monitor folds a quarter some 30 minutes after it began; until then the minutes of the counters have it. */
const UNFOLDED_MINUTES = 60;

/** Sessions live for ten minutes: a minute that was read when it was older changes no more. */
const RIPE_MINUTES = 12;

/** The first quarter was folded so many quarters after it began, or sooner. */
const FOLDED_WITHIN = 2;

export interface DayPlotData {
  /** Each quarter with its beginning, the oldest first; null where it is not known. */
  quarters: { startMs: number; point: TrafficPoint | null }[];
  /** Quarters without figures although everything answered: the monitor did not run then, or has yet to read them. */
  gaps: number;
  faults: string[];
}

type Minutes = ReadonlyMap<number, TrafficPoint>;

const kept = new WeakMap<object, Map<number, TrafficPoint>>();

/** Minutes that these dependencies' reader has seen ripe, in this isolate. */
function ripeMinutesOf(deps: object): Map<number, TrafficPoint> {
  const known = kept.get(deps) ?? new Map();
  kept.set(deps, known);
  return known;
}

const NONE: TrafficPoint = { sent: 0, verified: 0, refused: 0, challenged: 0 };

const add = (a: TrafficPoint, b: TrafficPoint): TrafficPoint => ({
  sent: a.sent + b.sent,
  verified: a.verified + b.verified,
  refused: a.refused + b.refused,
  challenged: a.challenged + b.challenged,
});

/**
 * @param service the same object each time, which the minutes seen so far belong to
 * @param deps what this view reads through
 * @param windowMinutes the last minutes, which the view reads anyway
 */
export async function readDayPlot(
  service: object,
  deps: Pick<Deps, "monitorState" | "counters">,
  windowMinutes: number,
  nowMs: number,
): Promise<DayPlotData> {
  const [minute, running] = [minuteOf(nowMs), quarterOfMinute(minuteOf(nowMs))];
  const [left, counted] = await Promise.all([
    deps.monitorState.look(),
    readMinutes(deps, ripeMinutesOf(service), windowMinutes, minute),
  ]);
  const faults = [
    ...(left.kind === "answered" ? [] : [`the past day: ${left.cause}`]),
    ...(counted.fault === null ? [] : [`the last hour: ${counted.fault}`]),
  ];
  const { memory = null, history = null } = left.kind === "answered" ? left : {};
  const folded = new Map((memory?.day ?? []).map((point) => [point.quarter, point]));
  // Quarters before the first run are empty; after it a quarter without figures is a gap and no zero.
  const first = history === null ? running : quarterOfMinute(minuteOf(history.sinceMs)) - FOLDED_WITHIN;
  const quarters = Array.from({ length: DAY_QUARTERS }, (_, i) => {
    const quarter = running - DAY_QUARTERS + 1 + i;
    const before = quarter < first && faults.length === 0 ? NONE : null;
    const point = folded.get(quarter) ?? ofMinutes(counted.minutes, quarter, minute) ?? before;
    return { startMs: quarter * QUARTER_MINUTES * MINUTE_MS, point };
  });
  const gaps = faults.length > 0 ? 0 : quarters.filter(({ point }) => point === null).length;
  return { quarters, gaps, faults };
}

/** The minutes of the last hour; those the isolate has seen ripe are not asked for again. */
async function readMinutes(
  { counters }: Pick<Deps, "counters">,
  ripe: Map<number, TrafficPoint>,
  windowMinutes: number,
  minute: number,
): Promise<{ minutes: Minutes; fault: string | null }> {
  for (const known of ripe.keys()) if (known <= minute - UNFOLDED_MINUTES) ripe.delete(known);
  const fresh = Math.max(windowMinutes, RIPE_MINUTES);
  const older = Array.from({ length: UNFOLDED_MINUTES - fresh }, (_, i) => minute - fresh - i);
  const known = older.every((each) => ripe.has(each));
  const answer = await counters.window(minute, known ? fresh : UNFOLDED_MINUTES, ["overall"]);
  if (answer.kind !== "answered") return { minutes: ripe, fault: answer.cause };
  const minutes = new Map(ripe);
  for (const { minute: at, tally } of answer.minutes) {
    minutes.set(at, trafficPointOf(tally));
    if (at <= minute - RIPE_MINUTES) ripe.set(at, trafficPointOf(tally));
  }
  return { minutes, fault: null };
}

/** A quarter that is not folded yet, by its minutes; null where one of them is not known. */
function ofMinutes(minutes: Minutes, quarter: number, now: number): TrafficPoint | null {
  let sum = NONE;
  const end = Math.min(now, (quarter + 1) * QUARTER_MINUTES - 1);
  for (let minute = quarter * QUARTER_MINUTES; minute <= end; minute++) {
    const point = minutes.get(minute);
    if (point === undefined) return null;
    sum = add(sum, point);
  }
  return sum;
}
