/**
 * Counts down in whole seconds.
 *
 * @param {number} seconds
 * @param {(secondsLeft: number) => void} onTick called at once, then each second, at last with 0
 * @returns {() => void} stops it
 */
export function countDown(seconds, onTick) {
  const endsAtMs = Date.now() + seconds * 1000;
  /** @type {number | undefined} */
  let timer;
  const tick = () => {
    // From the clock and not from the ticks: a browser slows the timers of a page in the background.
    const left = Math.max(0, Math.ceil((endsAtMs - Date.now()) / 1000));
    if (left > 0) timer = setTimeout(tick, Math.min(1000, endsAtMs - Date.now()));
    onTick(left);
  };
  tick();
  return () => clearTimeout(timer);
}

/**
 * A duration as people read it: `42 s`, `2:05 min`, `23 h 59 min`.
 *
 * @param {number} seconds
 */
export function duration(seconds) {
  const minutes = Math.floor(seconds / 60);
  if (minutes === 0) return `${seconds} s`;
  if (minutes < 60) return `${minutes}:${String(seconds % 60).padStart(2, "0")} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** @param {number} ms */
export const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
