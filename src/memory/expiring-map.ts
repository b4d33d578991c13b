/** Least number of entries before the ended ones are looked for. */
const SWEEP_FROM = 1000;

/** Entries that end by themselves, as a store's keys do. */
export interface ExpiringMap<Value> {
  /** Reads an entry; undefined where there is none, or its life is over. */
  get(key: string): Value | undefined;
  /** Writes an entry whose life begins now. */
  set(key: string, value: Value, lifeSeconds: number): void;
  /** Removes an entry. @returns whether a live one was there */
  delete(key: string): boolean;
}

/** Makes an empty map; ended entries are removed each time it has doubled, so that it holds no more than twice the live ones. */
export function expiringMap<Value>(nowMs: () => number): ExpiringMap<Value> {
  const entries = new Map<string, { value: Value; endsAtMs: number }>();
  let sweepAt = SWEEP_FROM;
  const get = (key: string): Value | undefined => {
    const found = entries.get(key);
    return found !== undefined && nowMs() < found.endsAtMs ? found.value : undefined;
  };
  return {
    get,
    set(key, value, lifeSeconds) {
      entries.set(key, { value, endsAtMs: nowMs() + lifeSeconds * 1000 });
      if (entries.size < sweepAt) return;
      for (const [each, { endsAtMs }] of entries) if (nowMs() >= endsAtMs) entries.delete(each);
      sweepAt = Math.max(SWEEP_FROM, 2 * entries.size);
    },
    delete(key) {
      const live = get(key) !== undefined;
      entries.delete(key);
      return live;
    },
  };
}
