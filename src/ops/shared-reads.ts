import type { Dimension } from "../domain/monitor/tally.ts";
import type { Deps } from "../ports/deps.ts";

type Read = Pick<Deps, "control" | "monitorState" | "counters">;

/**
 * The same ports, of which one view asks each question once: several flows look at the same documents and minutes, and a page
 * must not cost a round trip and a parse for each of them. For reading only: what is written goes past it.
 *
 * @param shared the window that the view's flows look at, and what all of them together want of it
 */
export function sharedReads<D extends Read>(
  deps: D,
  shared: { minutes: number; of: readonly Dimension[] },
): D {
  const { control, monitorState, counters } = deps;
  const documents = once(() => control.documents());
  const look = once(() => monitorState.look());
  const windows = new Map<number, ReturnType<Deps["counters"]["window"]>>();
  return {
    ...deps,
    control: { ...control, documents },
    monitorState: { ...monitorState, look },
    counters: {
      ...counters,
      window(minute: number, minutes: number, wanted?: readonly Dimension[]) {
        // Who wants something else than the view has said asks alone.
        const fits = wanted?.every((dimension) => shared.of.includes(dimension)) ?? false;
        if (!fits || minutes !== shared.minutes) return counters.window(minute, minutes, wanted);
        const known = windows.get(minute) ?? counters.window(minute, minutes, shared.of);
        windows.set(minute, known);
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
