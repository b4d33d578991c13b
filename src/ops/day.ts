/** The last 24 hours in quarters, and what is remembered of them so that a view reads only what is new. */
import { minuteOf } from "../domain/watch/cohorts.ts";
import { QUARTER_MINUTES, quarterOf } from "../domain/watch/history.ts";
import { type Counts, type MinuteTally, type Tally, tallyKey } from "../domain/watch/tally.ts";
import type { Deps } from "../ports.ts";

export const DAY_QUARTERS = (24 * 60) / QUARTER_MINUTES;

/** The watch folds a quarter some 30 minutes after it began; until then its minutes tell. */
const UNFOLDED_MINUTES = 60;

/** Sessions live for ten minutes: an older minute changes no more. */
const RIPE_MINUTES = 12;

/** A quarter that was not folded this long after its end never will be. */
const FOLDED_WITHIN_QUARTERS = 8;

const ALL = tallyKey("overall", "all");

export interface Point {
  sent: number;
  verified: number;
  refused: number;
  challenged: number;
}

export interface Day {
  /** Each quarter with its beginning, the oldest first; null where it could not be read. */
  quarters: { startMs: number; point: Point | null }[];
  faults: string[];
}

interface Memory {
  quarters: Map<number, Point>;
  minutes: Map<number, Point>;
}

const memories = new WeakMap<object, Memory>();

/** What these dependencies' reader remembers, in this isolate. */
function memoryOf(deps: object): Memory {
  const known = memories.get(deps);
  if (known !== undefined) return known;
  const memory: Memory = { quarters: new Map(), minutes: new Map() };
  memories.set(deps, memory);
  return memory;
}

const NONE: Point = { sent: 0, verified: 0, refused: 0, challenged: 0 };

function pointOf(tally: Tally): Point {
  const { sent = 0, verified = 0, refused = 0, challenged = 0 }: Counts = tally.get(ALL) ?? {};
  return { sent, verified, refused, challenged };
}

const add = (a: Point, b: Point): Point => ({
  sent: a.sent + b.sent,
  verified: a.verified + b.verified,
  refused: a.refused + b.refused,
  challenged: a.challenged + b.challenged,
});

function keep(minutes: Memory["minutes"], read: readonly MinuteTally[]): void {
  for (const { minute, tally } of read) minutes.set(minute, pointOf(tally));
}

/**
 * @param service the same object each time, which the memory belongs to
 * @param deps what this view reads through
 * @param windowMinutes the last minutes, which the view reads anyway
 */
export async function readDay(
  service: object,
  deps: Pick<Deps, "watch" | "counters">,
  windowMinutes: number,
  nowMs: number,
): Promise<Day> {
  const memory = memoryOf(service);
  const [minute, running] = [minuteOf(nowMs), quarterOf(minuteOf(nowMs))];
  const first = running - DAY_QUARTERS + 1;
  forget(memory, first, minute);
  const causes = await Promise.all([
    readQuarters(deps, memory, first, running),
    readMinutes(deps, memory, windowMinutes, minute),
  ]);
  const faults = causes.filter((cause) => cause !== null);
  const quarters = Array.from({ length: DAY_QUARTERS }, (_, i) => {
    const quarter = first + i;
    const startMs = quarter * QUARTER_MINUTES * 60_000;
    const point = memory.quarters.get(quarter) ?? ofMinutes(memory, quarter, minute);
    return { startMs, point: point ?? (faults.length === 0 ? NONE : null) };
  });
  return { quarters, faults };
}

function forget(memory: Memory, first: number, minute: number): void {
  for (const quarter of memory.quarters.keys()) if (quarter < first) memory.quarters.delete(quarter);
  for (const known of memory.minutes.keys()) {
    if (known < minute - UNFOLDED_MINUTES) memory.minutes.delete(known);
  }
}

/** @returns why it could not be read, if so */
async function readQuarters(
  { watch }: Pick<Deps, "watch">,
  { quarters }: Memory,
  first: number,
  running: number,
): Promise<string | null> {
  let from = first;
  while (from < running && quarters.has(from)) from += 1;
  if (from >= running) return null;
  const answer = await watch.quarters(from, running - 1);
  if (answer.kind !== "answered") return `the past day: ${answer.cause}`;
  for (const { quarter, tally } of answer.quarters) quarters.set(quarter, pointOf(tally));
  for (let quarter = from; quarter < running - FOLDED_WITHIN_QUARTERS; quarter++) {
    if (!quarters.has(quarter)) quarters.set(quarter, NONE);
  }
  return null;
}

async function readMinutes(
  { counters }: Pick<Deps, "counters">,
  { minutes }: Memory,
  windowMinutes: number,
  minute: number,
): Promise<string | null> {
  const fresh = Math.max(windowMinutes, RIPE_MINUTES);
  const ripe = Array.from({ length: UNFOLDED_MINUTES - fresh }, (_, i) => minute - fresh - i);
  const known = ripe.every((each) => minutes.has(each));
  const answer = await counters.window(minute, known ? fresh : UNFOLDED_MINUTES);
  if (answer.kind !== "answered") return `the last hour: ${answer.cause}`;
  keep(minutes, answer.minutes);
  return null;
}

/** A quarter that is not folded yet, by its minutes; null where none of them is known. */
function ofMinutes({ minutes }: Memory, quarter: number, now: number): Point | null {
  let sum: Point | null = null;
  for (let minute = quarter * QUARTER_MINUTES; minute < (quarter + 1) * QUARTER_MINUTES; minute++) {
    const point = minute <= now ? minutes.get(minute) : undefined;
    if (point !== undefined) sum = add(sum ?? NONE, point);
  }
  return sum;
}
