/**
 * Every key in Redis: shape, life, writer and reader. Subjects that could name a person are keyed hashes, so that a dump of
 * the store names nobody; ranges, countries and networks are in clear, because operators must see them.
 *
 * | key | type | life | written by | read by |
 * | --- | --- | --- | --- | --- |
 * | `tg:log:<limit>:<subject>` | sorted set, one member per message or number | longest window | send, resend | the same |
 * | `tg:rl:<limit>:<window>:<subject>:<bucket>` | integer (`@upstash/ratelimit`) | two windows | send, resend, verify | the same |
 * | `tg:idem:<key>` | string: fingerprint and session token | one session | send | send |
 * | `tg:cohort:<minute>` | hash `sent`, `verified` | 2 hours | send, verify | cron |
 * | `tg:x:<pool>:<level>:<subject>` | hash of slots, see upstash-budgets.ts | window; 30 days once something verified | send, resend, verify | send, resend |
 * | `tg:spend:<scope>:<UTC period>` | integer (micros) | two periods | send, resend | send, resend, people |
 * | `tg:hold:<id>` | mark of what one message took | 1 hour, or until it is given back or booked | send, resend | verify |
 * | `tg:known:<number>` | mark | 180 days since the last verification | verify | send, resend |
 * | `tg:asked:<number and address>` | time of the demand (ms) | 10 minutes | send, resend | send, resend |
 * | `tg:fail:<number, device or user>` | integer | policy `failures.memory_seconds` | verify | send |
 */
export const keys = {
  log: (limit: string, subject: string) => `tg:log:${limit}:${subject}`,
  rateLimit: (limit: string, windowSeconds: number) => `tg:rl:${limit}:${windowSeconds}`,
  idempotency: (key: string) => `tg:idem:${key}`,
  cohort: (minute: number) => `tg:cohort:${minute}`,
  level: (key: string) => `tg:x:${key}`,
  meter: (scope: string, period: string) => `tg:${scope}:${period}`,
  hold: (id: string) => `tg:hold:${id}`,
  known: (tag: string) => `tg:known:${tag}`,
  asked: (tag: string) => `tg:asked:${tag}`,
  failures: (tag: string) => `tg:fail:${tag}`,
};

/** Longer than any window the monitor may look at (60 min), so that a late verification finds its cohort. */
export const COHORT_TTL_SECONDS = 7200;

/** A destination that verified nobody for this long is new again. */
export const HISTORY_SECONDS = 30 * 86_400;

/** A number that verified counts as known for this long. */
export const KNOWN_SECONDS = 180 * 86_400;

/** How long a demanded challenge may take to come back. */
export const ASKED_SECONDS = 600;

/** Longer than any session lives. */
export const HOLD_SECONDS = 3600;

/** Two of each period, so that a total can still be looked at after its end. */
export const METER_SECONDS = { minute: 120, hour: 7200, day: 2 * 86_400, month: 62 * 86_400 } as const;
