/** A moment on this device's own clocks, told by the server as seconds from now. */
export interface Deadline {
  /** Whole seconds until then, rounded up; 0 from then on. */
  secondsLeft(): number;
  isOver(): boolean;
}

/** Milliseconds that only go forward, but that stand still on some devices while they sleep. 0 where there are none. */
const monotonicMs = (): number =>
  typeof performance === "object" && typeof performance.now === "function" ? performance.now() : 0;

/**
 * Runs by the clock that has gone further since: the monotonic one does not count a phone's sleep, and the wall clock may
 * be set back. A wall clock that is set forward ends a deadline early, which costs one refused request at most.
 *
 * @param seconds from now, as the server told them
 */
export function deadlineIn(seconds: number): Deadline {
  const startMonotonicMs = monotonicMs();
  const startWallMs = Date.now();
  const elapsedMs = () => Math.max(monotonicMs() - startMonotonicMs, Date.now() - startWallMs);
  const secondsLeft = () => Math.max(0, Math.ceil((seconds * 1000 - elapsedMs()) / 1000));
  return { secondsLeft, isOver: () => secondsLeft() === 0 };
}

/** Of a page, where there is one; apps have none. */
type Waker = Pick<EventTarget, "addEventListener" | "removeEventListener">;

/**
 * Follows a deadline in whole seconds, and looks anew when a page is seen again after a sleep.
 *
 * @param onTick called at once, then each second, at last once with 0
 * @returns stops it
 */
export function countDown(deadline: Deadline, onTick: (secondsLeft: number) => void): () => void {
  const page = (globalThis as { document?: Waker }).document;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let ended = false;
  const stop = () => {
    ended = true;
    clearTimeout(timer);
    page?.removeEventListener("visibilitychange", tick);
  };
  const tick = () => {
    if (ended) return;
    clearTimeout(timer);
    const left = deadline.secondsLeft();
    // Asked anew each time and not counted: a background tab's timers are slow.
    if (left > 0) timer = setTimeout(tick, 1000);
    else stop();
    onTick(left);
  };
  page?.addEventListener("visibilitychange", tick);
  tick();
  return stop;
}
