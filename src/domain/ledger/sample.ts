/**
 * Which refused requests get a row of their own. An attack is refused a thousand times a second and must not fill the
 * database: each isolate queues its first few of a minute and reason, the database keeps {@link SAMPLES_PER_MINUTE} of them
 * in the whole service, and the exact counts come from the watch's counters, as one row for each minute and subject.
 */

/** Rows of refused requests one isolate queues in a minute for one problem code. */
export const SAMPLES_PER_ISOLATE = 5;

/** What an isolate has queued in the minute it is in. */
export interface Samples {
  minute: number;
  byCode: ReadonlyMap<string, number>;
}

export const NO_SAMPLES: Samples = { minute: 0, byCode: new Map() };

/** Takes room for one more; null when there is none. Codes are a closed list, so what is remembered is bounded. */
export function drawSample(samples: Samples, code: string, minute: number): Samples | null {
  const byCode = samples.minute === minute ? samples.byCode : NO_SAMPLES.byCode;
  const taken = byCode.get(code) ?? 0;
  return taken >= SAMPLES_PER_ISOLATE ? null : { minute, byCode: new Map([...byCode, [code, taken + 1]]) };
}
