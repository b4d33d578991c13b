import {
  type CounterEntry,
  type CounterUpdate,
  type Dimension,
  RUNNING_TOTAL_DIMENSIONS,
  tallyKey,
} from "./tally.ts";

/** All that one subject's counters are changed by, in one minute or in the totals. */
export interface GroupedCounterUpdate {
  minute: number | "totals";
  dimension: Dimension;
  subject: string;
  entries: CounterEntry[];
}

/**
 * Puts all entries of one subject together, so that its counters are read and written once.
 *
 * @returns one change for each subject and minute, by minute in the order in which they come, because a store keeps each minute
 *   for itself: distinct members of a quarter of an hour count in the minute that hears of them first
 */
export function groupCounterUpdates(
  updates: readonly CounterUpdate[],
): Map<GroupedCounterUpdate["minute"], GroupedCounterUpdate[]> {
  const changes = new Map<string, GroupedCounterUpdate>();
  const add = (minute: GroupedCounterUpdate["minute"], entry: CounterEntry) => {
    const subject = plainName(entry.subject);
    const id = `${minute} ${tallyKey(entry.dimension, subject)}`;
    const change = changes.get(id) ?? { minute, dimension: entry.dimension, subject, entries: [] };
    change.entries.push(entry);
    changes.set(id, change);
  };
  for (const { minute, entries } of updates) {
    for (const entry of entries) {
      add(minute, entry);
      if (RUNNING_TOTAL_DIMENSIONS.has(entry.dimension) && "add" in entry.how) add("totals", entry);
    }
  }
  return Map.groupBy(changes.values(), ({ minute }) => minute);
}

/** A name that needs no escape inside JSON: a name that comes from outside must not make a minute unreadable. */
export function plainName(name: string): string {
  return name.replaceAll(/[^ !#-[\]-~]/g, "_");
}
