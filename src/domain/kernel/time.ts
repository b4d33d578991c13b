/** Lengths of time, each with its unit in the name: `60 * MINUTE_MS` is one hour in milliseconds. */

export const MINUTE_MS = 60_000;
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

export const HOUR_SECONDS = 3600;
export const DAY_SECONDS = 86_400;

export const minuteOf = (ms: number): number => Math.floor(ms / 60_000);
