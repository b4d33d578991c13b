import type { CounterEntry, CounterUpdate } from "../../domain/monitor/tally.ts";

/** Entries wait no longer than this for others to go with. A Worker may work for 30 s behind an answer. */
const LONGEST_WAIT_MS = 10_000;

/** With so many different counters a batch is written at once. */
const MOST_COUNTERS = 200;

/** Counter entries of one isolate that wait for the next command. */
export interface CounterBatch {
  /** @returns when the entries are written, for the caller whose entries began the batch; at once for all others */
  add(updates: readonly CounterUpdate[]): Promise<void>;
  /** Takes everything that waits, to be written along. */
  take(): CounterUpdate[];
}

/**
 * Makes an empty batch. Whoever begins one waits for it to the end, even where another request took it along meanwhile: in a
 * Worker no request may touch another one's timer.
 *
 * @param write writes a batch that nothing took along
 */
export function counterBatch(
  write: (updates: readonly CounterUpdate[]) => Promise<void>,
  pause: (ms: number) => Promise<void>,
): CounterBatch {
  const minutes = new Map<number, Map<string, CounterEntry>>();
  let many = 0;
  let somebodyWaits = false;

  function take(): CounterUpdate[] {
    const updates = [...minutes].map(([minute, entries]) => ({ minute, entries: [...entries.values()] }));
    minutes.clear();
    many = 0;
    return updates;
  }

  function addEntry(minute: number, entry: CounterEntry): void {
    const entries = minutes.get(minute) ?? new Map<string, CounterEntry>();
    minutes.set(minute, entries);
    const { dimension, subject, metric, how } = entry;
    const member = "distinct" in how ? how.distinct : "";
    const key = `${dimension} ${subject}\n${metric}\n${member}`;
    const before = entries.get(key)?.how;
    if (before === undefined) many += 1;
    entries.set(key, before === undefined ? entry : { ...entry, how: together(before, how) });
  }

  return {
    take,
    async add(updates) {
      for (const { minute, entries } of updates) for (const entry of entries) addEntry(minute, entry);
      if (many >= MOST_COUNTERS) return write(take());
      if (somebodyWaits || many === 0) return;
      somebodyWaits = true;
      await pause(LONGEST_WAIT_MS).finally(() => {
        somebodyWaits = false;
      });
      if (many > 0) await write(take());
    },
  };
}

function together(before: CounterEntry["how"], how: CounterEntry["how"]): CounterEntry["how"] {
  if ("add" in before && "add" in how) return { add: before.add + how.add };
  if ("peak" in before && "peak" in how) return { peak: Math.max(before.peak, how.peak) };
  return how;
}
