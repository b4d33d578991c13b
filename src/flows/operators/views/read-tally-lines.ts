/** The lines of a table of counters: a dimension over the window or the last day. */

import { DAY_MS, MINUTE_MS, minuteOf } from "../../../domain/kernel/time.ts";
import { answerCurve, type History } from "../../../domain/monitor/history.ts";
import type { Dimension, MinuteTally } from "../../../domain/monitor/tally.ts";
import type { Deps } from "../../../ports/deps.ts";
import { type DayDimension, readDayLines } from "./read-day-lines.ts";
import { type TallyLine, tallyLines } from "./summarise-tally.ts";

export const TALLY_SPANS = ["window", "day"] as const;
export type TallySpan = (typeof TALLY_SPANS)[number];

export interface TallyLinesRead {
  lines: readonly TallyLine[];
  fromMs: number;
  toMs: number;
  history: History | null;
  /** The window's minutes, where the span is the window: of the dimension, and of those beside it. */
  minutes: readonly MinuteTally[];
  faults: string[];
}

/**
 * The lines of a dimension over a span; none, and a fault, where they do not answer.
 *
 * @param beside dimensions that the window's minutes have too
 */
export async function readTallyLines(
  {
    policy,
    counters,
    monitorState,
    nowMs: clock,
  }: Pick<Deps, "policy" | "counters" | "monitorState" | "nowMs">,
  by: DayDimension,
  span: TallySpan,
  beside: readonly Dimension[] = [],
): Promise<TallyLinesRead> {
  const nowMs = clock();
  const { window_minutes, answer_curve } = policy.monitor;
  const [left, counted] = await Promise.all([
    monitorState.look(),
    span === "window" ? counters.window(minuteOf(nowMs), window_minutes, [by, ...beside]) : null,
  ]);
  const faults = left.kind === "answered" ? [] : [`watch: ${left.cause}`];
  const history = left.kind === "answered" ? left.history : null;
  const curve = answerCurve(history, answer_curve);
  if (counted !== null) {
    const fromMs = (minuteOf(nowMs) - window_minutes + 1) * MINUTE_MS;
    const minutes = counted.kind === "answered" ? counted.minutes : [];
    if (counted.kind !== "answered") faults.push(`counters: ${counted.cause}`);
    return { lines: tallyLines(minutes, by, curve, nowMs), fromMs, toMs: nowMs, history, minutes, faults };
  }
  const nothing = { lines: [], fromMs: nowMs - DAY_MS, toMs: nowMs, history, minutes: [] };
  if (left.kind !== "answered") return { ...nothing, faults };
  const foldedTo = left.memory?.foldedTo ?? 0;
  // Before the first quarter is over the day is empty: what was counted so far is in the window alone.
  if (foldedTo === 0) return { ...nothing, fromMs: nowMs, faults };
  const day = await readDayLines(monitorState, foldedTo, curve, nowMs);
  return day.kind === "answered"
    ? { ...nothing, lines: day.lines[by], fromMs: day.toMs - DAY_MS, toMs: day.toMs, faults }
    : { ...nothing, faults: [...faults, `quarters: ${day.cause}`] };
}
