/**
 * Refused requests in the ledger: a sample of them as rows, and the exact counts of all. An attack is refused a thousand times a
 * second and must not fill the database: each isolate queues its first few of a minute and reason, the database keeps
 * {@link SAMPLES_PER_MINUTE} of them in the whole service, and the counts come from the monitor's counters, as one row for each
 * minute and subject.
 */
import { MINUTE_MS } from "../kernel/time.ts";
import type { MinuteTally } from "../monitor/tally.ts";
import type { RefusalCount } from "./event.ts";

/** The most rows of refused requests that one isolate queues in a minute for one problem code. */
export const SAMPLES_PER_ISOLATE = 5;

/** The rows that an isolate has queued in the present minute. */
export interface RefusalSampleCounts {
  minute: number;
  byCode: ReadonlyMap<string, number>;
}

export const NO_REFUSAL_SAMPLES: RefusalSampleCounts = { minute: 0, byCode: new Map() };

/** Takes room for one more row; null when there is none. Codes are a closed list, so the memory is bounded. */
export function takeRefusalSample(
  samples: RefusalSampleCounts,
  code: string,
  minute: number,
): RefusalSampleCounts | null {
  const byCode = samples.minute === minute ? samples.byCode : NO_REFUSAL_SAMPLES.byCode;
  const taken = byCode.get(code) ?? 0;
  return taken >= SAMPLES_PER_ISOLATE ? null : { minute, byCode: new Map([...byCode, [code, taken + 1]]) };
}

const BY_CODE = "refused:";

/** The counter dimensions that count refusals, with their names in the ledger. */
const DIMENSIONS = { overall: "all", country: "country", flow: "flow", network: "network" } as const;

/** The counter dimensions that the ledger takes refusals from. */
export const REFUSAL_DIMENSIONS = Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[];

/**
 * Reads the exact counts of refused requests out of the monitor's counters. The subjects of a minute are bounded there
 * (`SUBJECTS_PER_MINUTE`): at most 250 countries, 100 networks and 64 flows, and all others under `*`.
 */
export function refusalCounts(minutes: readonly MinuteTally[]): RefusalCount[] {
  return minutes.flatMap(({ minute, tally }) =>
    [...tally].flatMap(([key, counts]): RefusalCount[] => {
      const [name = "", subject = ""] = key.split(" ");
      if (!isCounted(name)) return [];
      const atMs = minute * MINUTE_MS;
      const dimension = DIMENSIONS[name];
      const { refused = 0 } = counts;
      const codes = Object.entries(counts).flatMap(([metric, count]): RefusalCount[] =>
        name === "overall" && metric.startsWith(BY_CODE)
          ? [{ atMs, dimension: "code", subject: metric.slice(BY_CODE.length), count: count ?? 0 }]
          : [],
      );
      return [...(refused > 0 ? [{ atMs, dimension, subject, count: refused }] : []), ...codes];
    }),
  );
}

const isCounted = (name: string): name is keyof typeof DIMENSIONS => Object.hasOwn(DIMENSIONS, name);
