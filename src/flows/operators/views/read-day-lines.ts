/**
 * The last day by subject. Ninety-six quarters of an hour are megabytes when all are full, and change once in fifteen
 * minutes: they are read and summed once, and kept until the monitor has folded the next one.
 */
import { MINUTE_MS } from "../../../domain/kernel/time.ts";
import type { AnswerCurve } from "../../../domain/monitor/cohorts.ts";
import { DAY_QUARTERS, QUARTER_MINUTES } from "../../../domain/monitor/history.ts";
import type { Deps } from "../../../ports/deps.ts";
import type { Unavailable } from "../../../ports/result.ts";
import { type TallyLine, tallyLines } from "./summarise-tally.ts";

const DAY_DIMENSIONS = ["country", "prefix", "block", "network", "rule"] as const;
export type DayDimension = (typeof DAY_DIMENSIONS)[number];

export interface DayLines {
  kind: "answered";
  /** The end of its last quarter. */
  toMs: number;
  lines: Readonly<Record<DayDimension, readonly TallyLine[]>>;
}

const QUARTER_MS = QUARTER_MINUTES * MINUTE_MS;

const kept = new WeakMap<Deps["monitorState"], { foldedTo: number; day: DayLines }>();

/** @param foldedTo the last quarter that the monitor has folded, from its memory */
export async function readDayLines(
  monitorState: Deps["monitorState"],
  foldedTo: number,
  curve: AnswerCurve,
  nowMs: number,
): Promise<DayLines | Unavailable> {
  const held = kept.get(monitorState);
  if (held?.foldedTo === foldedTo) return held.day;
  const first = foldedTo - DAY_QUARTERS + 1;
  const answer = await monitorState.quarters(first, foldedTo);
  if (answer.kind !== "answered") return answer;
  const found = new Map(answer.quarters.map(({ quarter, tally }) => [quarter, tally]));
  const parts = Array.from({ length: DAY_QUARTERS }, (_, i) => ({
    minute: (first + i) * QUARTER_MINUTES,
    tally: found.get(first + i) ?? new Map(),
  }));
  const lines = Object.fromEntries(
    DAY_DIMENSIONS.map((dimension) => [dimension, tallyLines(parts, dimension, curve, nowMs)]),
  ) as Record<DayDimension, TallyLine[]>;
  const day: DayLines = { kind: "answered", toMs: (foldedTo + 1) * QUARTER_MS, lines };
  kept.set(monitorState, { foldedTo, day });
  return day;
}
