/** The lines of a table of counters: one per subject of a dimension, with its sums and its course over time. */
import { type AnswerCurve, dueShare } from "../../../domain/monitor/cohorts.ts";
import {
  addCounts,
  type Counts,
  type Dimension,
  type Tally,
  tallyKey,
} from "../../../domain/monitor/tally.ts";

/** Counters and the minute (since 1970) they begin with. */
export interface TallyPart {
  minute: number;
  tally: Tally;
}

export interface TallyLine {
  subject: string;
  counts: Counts;
  /** Messages that left in each part, the oldest first. */
  course: number[];
  /** Verified messages divided by those that could have been verified by now; null while there are none. */
  ratio: number | null;
}

/** @returns a line for every subject of the dimension, in no order; what found no more room counts under `*` */
export function tallyLines(
  parts: readonly TallyPart[],
  dimension: Dimension,
  curve: AnswerCurve,
  nowMs: number,
): TallyLine[] {
  const start = tallyKey(dimension, "");
  const lines = new Map<string, TallyLine & { due: number }>();
  for (const [i, { minute, tally }] of parts.entries()) {
    const ripe = dueShare(minute, nowMs, curve);
    for (const [key, counts] of tally) {
      if (!key.startsWith(start)) continue;
      const subject = key.slice(start.length);
      const line = lines.get(subject) ?? {
        subject,
        counts: {},
        course: new Array<number>(parts.length).fill(0),
        ratio: null,
        due: 0,
      };
      lines.set(subject, line);
      addCounts(line.counts, counts);
      const { sent = 0, verified = 0 } = counts;
      line.course[i] = sent;
      line.due += Math.max(verified, sent * ripe);
    }
  }
  return [...lines.values()].map(({ due, ...line }) => ({
    ...line,
    ratio: due > 0 ? Math.min(1, (line.counts.verified ?? 0) / due) : null,
  }));
}

/** The share of verified messages in a subject's history; null for a subject without one. */
export function usualRatio(history: Readonly<Record<string, Counts>>, key: string): number | null {
  const { sent = 0, verified = 0 } = history[key] ?? {};
  return sent < USUAL_FROM_SENT ? null : Math.min(1, verified / sent);
}

/** Fewer messages than this in a history that fades say nothing of a share. */
const USUAL_FROM_SENT = 1;

export interface TallyPage<T> {
  rows: T[];
  /** The number of rows on all pages. */
  total: number;
  /** From 1. */
  page: number;
  pages: number;
}

/** One page of a list; a page that is not there is the nearest one that is. */
export function pageOfLines<T>(all: readonly T[], page: number, size: number): TallyPage<T> {
  const pages = Math.max(1, Math.ceil(all.length / size));
  const at = Math.min(pages, Math.max(1, Math.trunc(page) || 1));
  return { rows: all.slice((at - 1) * size, at * size), total: all.length, page: at, pages };
}
