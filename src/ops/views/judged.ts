/** Figures against what is usual: a tone, and words that say the same. */
import type { Exposure } from "../../flows/operators/views/read-exposures.ts";
import type { DurationSummary } from "../../flows/operators/views/read-routes.ts";
import type { Tone } from "../parts.tsx";
import type { PageFormats } from "../words.ts";

export interface JudgedFigure {
  text: string;
  /** The figure it is compared with, in words; empty for none. */
  note: string;
  tone: Tone;
}

/** Fewer messages than this, or times, say nothing. */
const ENOUGH = 5;

/** A conversion against its own history; where there is none, against the policy's alarm. */
export function judgeRatio(
  { ratio, usualRatio, sent }: { ratio: number | null; usualRatio: number | null; sent: number },
  alarmRatio: number,
  { share }: Pick<PageFormats, "share">,
): JudgedFigure {
  const note = usualRatio === null ? "" : `usually ${share(usualRatio)}`;
  if (ratio === null) return { text: share(null), note, tone: "quiet" };
  const text = share(ratio);
  if (sent < ENOUGH) return { text, note, tone: "quiet" };
  const expected = usualRatio ?? alarmRatio * 2;
  if (ratio < expected / 2) return { text, note: note === "" ? "low" : `low, ${note}`, tone: "bad" };
  return { text, note, tone: ratio < expected * 0.75 ? "warn" : "good" };
}

/** Unanswered units against the budget. */
export function judgeExposure(
  exposure: Exposure | null,
  { count }: Pick<PageFormats, "count">,
): JudgedFigure & { share: number } {
  if (exposure === null) return { text: "–", note: "", tone: "quiet", share: 0 };
  const { unverified, budget, messages, most } = exposure;
  const text = `${count(unverified)} of ${count(budget)}`;
  if (most !== null && messages >= most) return { text, note: "all messages used", tone: "bad", share: 1 };
  const share = budget > 0 ? unverified / budget : unverified > 0 ? 1 : 0;
  if (budget - unverified < 1) return { text, note: "used up", tone: "bad", share };
  return { text, note: share >= 0.8 ? "nearly used up" : "", tone: share >= 0.8 ? "warn" : "good", share };
}

/** Bounds of a time; one in twenty may take longer. */
export interface TimeBounds {
  longMs: number;
  tooLongMs: number;
}

/** The median, judged by what nineteen in twenty wait at most. */
export function judgeTime(
  taken: DurationSummary | null,
  { longMs, tooLongMs }: TimeBounds,
  { took }: Pick<PageFormats, "took">,
): JudgedFigure {
  if (taken === null) return { text: "–", note: "", tone: "quiet" };
  const [text, note] = [took(taken.medianMs), `95 % in ${took(taken.p95Ms)}`];
  if (taken.count < ENOUGH) return { text, note, tone: "quiet" };
  if (taken.p95Ms >= tooLongMs) return { text, note: `slow, ${note}`, tone: "bad" };
  return { text, note, tone: taken.p95Ms >= longMs ? "warn" : "good" };
}

/** A volume against the usual one: worth a word from twice the usual on. */
export function judgeVolume(
  timesUsual: number | null,
  count: (value: number) => string,
): { note: string; tone: Tone } {
  if (timesUsual === null || timesUsual < 2) return { note: "", tone: "quiet" };
  return { note: `${count(timesUsual)}× usual`, tone: timesUsual >= 5 ? "bad" : "warn" };
}
