import type { Dimension } from "../domain/watch/tally.ts";
import type { Deps } from "../ports.ts";

type Read = Pick<Deps, "control" | "watch" | "counters">;

/**
 * The same ports, of which one view asks each question once: several flows look at the same documents and minutes, and a page
 * must not cost a round trip and a parse for each of them. For reading only: what is written goes past it.
 *
 * @param of what all the view's flows together want of the counters
 */
export function sharedReads<D extends Read>(deps: D, of: readonly Dimension[]): D {
  const { control, watch, counters } = deps;
  const documents = once(() => control.documents());
  const look = once(() => watch.look());
  const windows = new Map<string, ReturnType<Deps["counters"]["window"]>>();
  return {
    ...deps,
    control: { ...control, documents },
    watch: { ...watch, look },
    counters: {
      ...counters,
      window(minute: number, minutes: number, wanted?: readonly Dimension[]) {
        // Who wants more than the view has said asks alone.
        if (!wanted?.every((dimension) => of.includes(dimension))) {
          return counters.window(minute, minutes, wanted);
        }
        const key = `${minute} ${minutes}`;
        const known = windows.get(key) ?? counters.window(minute, minutes, of);
        windows.set(key, known);
        return known;
      },
    },
  };
}

function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let answer: Promise<T> | null = null;
  return () => {
    answer ??= ask();
    return answer;
  };
}
