import { MINUTE_MS } from "../kernel/time.ts";
import type { MinuteTally } from "../monitor/tally.ts";
import type { RefusalCount } from "./event.ts";

const BY_CODE = "refused:";

/** Counter dimensions that count refusals, and what the ledger calls them. */
const DIMENSIONS = { overall: "all", country: "country", flow: "flow", network: "network" } as const;

export const REFUSAL_DIMENSIONS = Object.keys(DIMENSIONS) as (keyof typeof DIMENSIONS)[];

/**
 * The exact counts of refused requests that the watch's counters hold. What one minute tells apart is bounded there
 * (`SUBJECTS_PER_MINUTE`): at most 250 countries, 100 networks and 64 flows, and what comes after under `*`.
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
