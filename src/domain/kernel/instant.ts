/**
 * Instants as text, always in UTC. This file alone may use the global `Date` (biome.json): it only converts, and never reads
 * the clock.
 */
import { MINUTE_MS } from "./time.ts";

const RFC_3339 = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?(?:Z|([+-])(\d\d):(\d\d))$/i;

/**
 * Milliseconds since 1970 of an RFC 3339 time, whose seconds may be left out; NaN for anything else, such as 30 February: a
 * date that is moved to another day without a word would put a report or a stop where nobody asked for it.
 *
 * `Date.parse` alone would also take dates without a time or an offset, and reads those in the zone of the machine.
 */
export function instantMs(text: string): number {
  const parts = RFC_3339.exec(text);
  if (!parts) return Number.NaN;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0] = parts.slice(1, 6).map(Number);
  const seconds = Number(parts[6] ?? 0);
  const [offsetHours, offsetMinutes] = [Number(parts[8] ?? 0), Number(parts[9] ?? 0)];
  // A leap second is in the clock's range, and ends as the next minute begins.
  if (hour > 23 || minute > 59 || seconds >= 61 || offsetHours > 23 || offsetMinutes > 59) return Number.NaN;
  const offset = (parts[7] === "-" ? -1 : 1) * (offsetHours * 60 + offsetMinutes);
  // `Date.UTC` would take the years 0 to 99 for those of the twentieth century.
  const midnight = new Date(0);
  const midnightMs = midnight.setUTCFullYear(year, month - 1, day);
  if (midnight.getUTCMonth() !== month - 1 || midnight.getUTCDate() !== day) return Number.NaN;
  return midnightMs + (hour * 60 + minute - offset) * MINUTE_MS + seconds * 1000;
}

/** `2026-11-20T22:04:31Z`; milliseconds are cut off. */
export const rfc3339 = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;

/** `2026-11-20 22:04:31 UTC`. */
export const instantText = (ms: number): string => `${rfc3339(ms).slice(0, -1).replace("T", " ")} UTC`;

/** `2026-07-16`. */
export const dayOf = (ms: number): string => rfc3339(ms).slice(0, 10);

const clock = new Intl.DateTimeFormat("en-GB", {
  timeZone: "UTC",
  day: "numeric",
  month: "short",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

/** `16 Jul, 02:14 UTC`. */
export const dateTimeText = (ms: number): string => `${clock.format(ms)} UTC`;

/** `9 min`, `2 h 10 min`, `3 d 4 h`; never less than a minute. */
export function durationText(ms: number): string {
  const minutes = Math.max(1, Math.round(ms / MINUTE_MS));
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return minutes % 60 === 0 ? `${hours} h` : `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}
