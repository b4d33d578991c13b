/** A moment on this device's own clock, told by the server as seconds from now. */
export interface Deadline {
  /** Whole seconds until then, rounded up; 0 from then on. */
  secondsLeft(): number;
  isOver(): boolean;
}

/**
 * Milliseconds that only go forward. Setting the device's clock, by hand or by the network, does not move them; only
 * where there is no `performance` does the wall clock stand in.
 */
function monotonicMs(): number {
  return typeof performance === "object" && typeof performance.now === "function"
    ? performance.now()
    : Date.now();
}

/** @param seconds from now, as the server told them */
export function deadlineIn(seconds: number): Deadline {
  const atMs = monotonicMs() + seconds * 1000;
  const secondsLeft = () => Math.max(0, Math.ceil((atMs - monotonicMs()) / 1000));
  return { secondsLeft, isOver: () => secondsLeft() === 0 };
}

/**
 * Follows a deadline in whole seconds.
 *
 * @param onTick called at once, then each second, at last with 0
 * @returns stops it
 */
export function countDown(deadline: Deadline, onTick: (secondsLeft: number) => void): () => void {
  let stopped = false;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const tick = () => {
    if (stopped) return;
    const left = deadline.secondsLeft();
    // Asked anew each time and not counted: a background tab's timers are slow.
    if (left > 0) timer = setTimeout(tick, 1000);
    onTick(left);
  };
  tick();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
