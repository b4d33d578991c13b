import { UsageError } from "./command.ts";

const UNIT_SECONDS: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 };

/**
 * Reads the duration that an option was given, such as `90s`, `15m`, `1h` or `2d`.
 *
 * @param option its name, for the message
 * @param from the shortest one allowed, written the same way
 * @param to the longest one allowed
 * @returns seconds
 * @throws UsageError when it is no duration or out of range
 */
export function readDuration(option: string, text: string, from: string, to: string): number {
  const seconds = toSeconds(text);
  if (Number.isNaN(seconds)) throw new UsageError(`${option} "${text}" is no duration: 90s, 15m, 1h, 2d.`);
  if (seconds < toSeconds(from) || seconds > toSeconds(to)) {
    throw new UsageError(`${option} "${text}" is not from ${from} to ${to}.`);
  }
  return seconds;
}

/** NaN for text that is no duration. */
function toSeconds(text: string): number {
  const [, amount, unit = ""] = /^(\d+)([smhd])$/.exec(text) ?? [];
  return Number(amount) * (UNIT_SECONDS[unit] ?? Number.NaN);
}
