/** Sliding windows over keyed events, as the opponents count them. */
export interface SlidingCounts {
  add(key: string, nowMs: number): void;
  /** Events of this key in the window that ends now. */
  count(key: string, nowMs: number): number;
  /** Forgets what has left the window, so that memory follows the window and not the trace. */
  sweep(nowMs: number): void;
}

/** Exact counts: keeps each event's time. Time must never fall. */
export function slidingCounts(windowMs: number): SlidingCounts {
  const times = new Map<string, number[]>();
  const prune = (list: number[], nowMs: number): number => {
    const firstInside = list.findIndex((at) => at > nowMs - windowMs);
    if (firstInside !== 0) list.splice(0, firstInside < 0 ? list.length : firstInside);
    return list.length;
  };
  return {
    add(key, nowMs) {
      const list = times.get(key);
      if (list) list.push(nowMs);
      else times.set(key, [nowMs]);
    },
    count(key, nowMs) {
      const list = times.get(key);
      return list ? prune(list, nowMs) : 0;
    },
    sweep(nowMs) {
      for (const [key, list] of times) {
        if (prune(list, nowMs) === 0) times.delete(key);
      }
    },
  };
}
