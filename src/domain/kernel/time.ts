/** Lengths of time, each with its unit in the name: `60 * MINUTE_MS` is one hour in milliseconds. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

export const HOUR_SECONDS = 3600;
export const DAY_SECONDS = 24 * HOUR_SECONDS;

export const DAY_MINUTES = 24 * 60;

/** The minute, counted since 1970, that a time in milliseconds lies in. */
export const minuteOf = (ms: number): number => Math.floor(ms / MINUTE_MS);

/** Whole seconds from now until a time, rounded up; 0 for a time that has passed. */
export const secondsUntil = (atMs: number, nowMs: number): number =>
  Math.max(0, Math.ceil((atMs - nowMs) / 1000));
