/** Figures over time, for the plots: one bucket every few minutes. */
import { POSTURES } from "../../../src/domain/kernel/posture.ts";
import type { Readings } from "../rule.ts";
import type { TraceEvent } from "../trace.ts";

/** What became of one request, apart from its message. */
export type Fate = "left" | "stepped_up" | "challenge_failed" | "refused";

export interface Series {
  from_seconds: number;
  bucket_seconds: number;
  /** Requests by label and fate, and messages that were answered later, booked to the bucket they left in. */
  honest: Record<Fate | "answered", number[]>;
  attack: Record<Fate | "answered", number[]>;
  spend_micros: { honest: number[]; attack: number[] };
  /** 0 normal, 1 elevated, 2 emergency, 3 shutdown: the worst in the bucket. */
  posture: number[];
  /** The rule's own readings, the last in the bucket; null where it has none. */
  ratio: (number | null)[];
  exposure: (number | null)[];
  exposure_room: (number | null)[];
}

export interface SeriesRecorder {
  request(event: TraceEvent, fate: Fate, costMicros: number): void;
  answered(label: TraceEvent["label"], sentAt: number): void;
  reading(atSeconds: number, readings: Readings): void;
  series: Series;
}

/** @param buckets how many points a plot may have at most */
export function recordSeries(fromSeconds: number, toSeconds: number, buckets = 144): SeriesRecorder {
  const width = Math.max(300, Math.ceil((toSeconds - fromSeconds) / buckets / 300) * 300);
  const count = Math.max(1, Math.ceil((toSeconds - fromSeconds) / width));
  const zeros = (): number[] => new Array<number>(count).fill(0);
  const blanks = (): (number | null)[] => new Array<number | null>(count).fill(null);
  const fates = () => ({
    left: zeros(),
    stepped_up: zeros(),
    challenge_failed: zeros(),
    refused: zeros(),
    answered: zeros(),
  });
  const series: Series = {
    from_seconds: fromSeconds,
    bucket_seconds: width,
    honest: fates(),
    attack: fates(),
    spend_micros: { honest: zeros(), attack: zeros() },
    posture: zeros(),
    ratio: blanks(),
    exposure: blanks(),
    exposure_room: blanks(),
  };
  const bucketOf = (atSeconds: number): number | null => {
    if (atSeconds < fromSeconds) return null;
    return Math.min(count - 1, Math.floor((atSeconds - fromSeconds) / width));
  };
  const add = (list: number[], bucket: number | null, amount: number): void => {
    if (bucket !== null) list[bucket] = (list[bucket] ?? 0) + amount;
  };
  return {
    series,
    request(event, fate, costMicros) {
      add(series[event.label][fate], bucketOf(event.t), 1);
      add(series.spend_micros[event.label], bucketOf(event.t), costMicros);
    },
    answered: (label, sentAt) => add(series[label].answered, bucketOf(sentAt), 1),
    reading(atSeconds, readings) {
      const bucket = bucketOf(atSeconds);
      if (bucket === null) return;
      series.posture[bucket] = Math.max(series.posture[bucket] ?? 0, POSTURES.indexOf(readings.posture));
      series.ratio[bucket] = readings.ratio ?? null;
      series.exposure[bucket] = readings.exposure ?? null;
      series.exposure_room[bucket] = readings.exposureRoom ?? null;
    },
  };
}
