/** What is going to happen: a heap of things ordered by time, first come first served at the same time. */
export interface Timeline<T> {
  add(atSeconds: number, thing: T): void;
  /** When the next thing is due; Infinity when there is none. */
  nextAt(): number;
  take(): T | undefined;
}

interface Entry<T> {
  at: number;
  turn: number;
  thing: T;
}

/** An empty timeline. */
export function timeline<T>(): Timeline<T> {
  const heap: Entry<T>[] = [];
  let turns = 0;
  const before = (a: Entry<T>, b: Entry<T>): boolean => a.at < b.at || (a.at === b.at && a.turn < b.turn);

  const sink = (entry: Entry<T>): void => {
    let at = 0;
    for (;;) {
      let child = 2 * at + 1;
      const right = heap[child + 1];
      let least = heap[child];
      if (least === undefined) break;
      if (right && before(right, least)) {
        least = right;
        child++;
      }
      if (!before(least, entry)) break;
      heap[at] = least;
      at = child;
    }
    heap[at] = entry;
  };

  return {
    add(atSeconds, thing) {
      const entry = { at: atSeconds, turn: turns++, thing };
      let at = heap.length;
      while (at > 0) {
        const parent = (at - 1) >> 1;
        const above = heap[parent] as Entry<T>;
        if (!before(entry, above)) break;
        heap[at] = above;
        at = parent;
      }
      heap[at] = entry;
    },
    nextAt: () => heap[0]?.at ?? Number.POSITIVE_INFINITY,
    take() {
      const first = heap[0];
      const last = heap.pop();
      if (first && last && heap.length > 0) sink(last);
      return first?.thing;
    },
  };
}
