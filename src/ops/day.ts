/** The last 24 hours in quarters: those the watch has folded as it remembers them, the newest by their minutes. */
import { minuteOf } from "../domain/watch/cohorts.ts";
import { DAY_QUARTERS, type Point, pointOf } from "../domain/watch/day.ts";
import { QUARTER_MINUTES, quarterOf } from "../domain/watch/history.ts";
import type { Deps } from "../ports.ts";

/** The watch folds a quarter some 30 minutes after it began; until then its minutes tell. */
const UNFOLDED_MINUTES = 60;

/** Sessions live for ten minutes: an older minute changes no more. */
const RIPE_MINUTES = 12;

export interface Day {
  /** Each quarter with its beginning, the oldest first; null where it could not be read. */
  quarters: { startMs: number; point: Point | null }[];
  faults: string[];
}

type Minutes = Map<number, Point>;

const kept = new WeakMap<object, Minutes>();

/** Minutes that these dependencies' reader has seen, in this isolate. */
function minutesOf(deps: object): Minutes {
  const known = kept.get(deps) ?? new Map();
  kept.set(deps, known);
  return known;
}

const NONE: Point = { sent: 0, verified: 0, refused: 0, challenged: 0 };

const add = (a: Point, b: Point): Point => ({
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
export async function readDay(
  service: object,
  deps: Pick<Deps, "watch" | "counters">,
  windowMinutes: number,
  nowMs: number,
): Promise<Day> {
  const minutes = minutesOf(service);
  const [minute, running] = [minuteOf(nowMs), quarterOf(minuteOf(nowMs))];
  const [left, unread] = await Promise.all([
    deps.watch.look(),
    readMinutes(deps, minutes, windowMinutes, minute),
  ]);
  const folded = new Map(
    (left.kind === "answered" ? (left.memory?.day ?? []) : []).map((point) => [point.quarter, point]),
  );
  const faults = [
    ...(left.kind === "answered" ? [] : [`the past day: ${left.cause}`]),
    ...(unread === null ? [] : [unread]),
  ];
  const quarters = Array.from({ length: DAY_QUARTERS }, (_, i) => {
    const quarter = running - DAY_QUARTERS + 1 + i;
    const startMs = quarter * QUARTER_MINUTES * 60_000;
    const point = folded.get(quarter) ?? ofMinutes(minutes, quarter, minute);
    return { startMs, point: point ?? (faults.length === 0 ? NONE : null) };
  });
  return { quarters, faults };
}

/** @returns why they could not be read, if so */
async function readMinutes(
  { counters }: Pick<Deps, "counters">,
  minutes: Minutes,
  windowMinutes: number,
  minute: number,
): Promise<string | null> {
  for (const known of minutes.keys()) if (known < minute - UNFOLDED_MINUTES) minutes.delete(known);
  const fresh = Math.max(windowMinutes, RIPE_MINUTES);
  const ripe = Array.from({ length: UNFOLDED_MINUTES - fresh }, (_, i) => minute - fresh - i);
  const known = ripe.every((each) => minutes.has(each));
  const answer = await counters.window(minute, known ? fresh : UNFOLDED_MINUTES, ["overall"]);
  if (answer.kind !== "answered") return `the last hour: ${answer.cause}`;
  for (const { minute: at, tally } of answer.minutes) minutes.set(at, pointOf(tally));
  return null;
}

/** A quarter that is not folded yet, by its minutes; null where none of them is known. */
function ofMinutes(minutes: Minutes, quarter: number, now: number): Point | null {
  let sum: Point | null = null;
  for (let minute = quarter * QUARTER_MINUTES; minute < (quarter + 1) * QUARTER_MINUTES; minute++) {
    const point = minute <= now ? minutes.get(minute) : undefined;
    if (point !== undefined) sum = add(sum ?? NONE, point);
  }
  return sum;
}
