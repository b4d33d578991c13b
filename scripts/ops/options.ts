/** What the operator's commands may be told, and how it is read. */
import { CommandError, UsageError } from "../lib/command.ts";
import { readDuration } from "../lib/duration.ts";

/** Options of single commands; every one also knows --env, --url, --json and --help. */
export const OPTIONS = {
  for: { type: "string" },
  why: { type: "string" },
  by: { type: "string" },
  minutes: { type: "string" },
  hours: { type: "string" },
  limit: { type: "string" },
  span: { type: "string" },
  exempt: { type: "string" },
  role: { type: "string" },
  from: { type: "string" },
  to: { type: "string" },
  since: { type: "string" },
  country: { type: "string" },
  out: { type: "string" },
  policy: { type: "string" },
  "lift-caps": { type: "boolean" },
  challenge: { type: "boolean" },
} as const;

export type Option = keyof typeof OPTIONS;
type Flag = "lift-caps" | "challenge";
export type Values = { [O in Exclude<Option, Flag>]?: string | undefined } & {
  [O in Flag]?: boolean | undefined;
};

export const SHORTEST = "60s";
export const LONGEST = "30d";
export const FOR = `  --for DURATION  90s, 15m, 1h, 2d; from ${SHORTEST} to ${LONGEST}`;
export const WHY = '  --why "..."     3 to 200 characters; written down with who and when';

/** How long something is to hold. */
export const seconds = (values: Values, fallback: string): number =>
  usage(() => readDuration("--for", values.for ?? fallback, SHORTEST, LONGEST));

/** The reason, which every action must have. */
export function why({ why: text }: Values): string {
  const length = text?.trim().length ?? 0;
  if (text === undefined || length < 3 || length > 200) {
    throw new UsageError(
      'Say why, in 3 to 200 characters: --why "...". Whoever looks next will want to know.',
    );
  }
  return text.trim();
}

/** A whole number as the service takes it. */
export function count(option: Option, text: string, most: number): string {
  const value = /^\d{1,6}$/.test(text) ? Number(text) : 0;
  if (value >= 1 && value <= most) return text;
  throw new UsageError(`--${option} "${text}" is no whole number from 1 to ${most}.`);
}

/** A mistake in an option is one of usage. */
export function usage<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw error instanceof CommandError ? new UsageError(error.message) : error;
  }
}

/** A query of what was given. */
export const query = (parts: Record<string, string | undefined>): string => {
  const given = Object.entries(parts).filter((part): part is [string, string] => part[1] !== undefined);
  return given.length === 0 ? "" : `?${new URLSearchParams(given)}`;
};

/** What `block` and `unblock` take: told apart by their looks, and checked by the service. */
export function readTarget(text: string): { range: string } | { network: string } | { ip: string } {
  if (text.startsWith("+")) return { range: text };
  return /^as\d+$/i.test(text) ? { network: text.toUpperCase() } : { ip: text };
}

/** `10%` of normal, or so many messages a minute. */
export function readThrottle(text: string): { percent: number } | { max_per_minute: number } {
  const [, amount, percent] = /^(\d{1,7})(%?)$/.exec(text) ?? [];
  const value = Number(amount);
  if (percent === "%" && value >= 1 && value <= 100) return { percent: value };
  if (percent === "" && value >= 1) return { max_per_minute: value };
  throw new UsageError(`"${text}" is no throttle: 10% of normal, 25 messages a minute, or off.`);
}
