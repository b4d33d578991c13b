/**
 * Every key in Redis: shape, life, writer and reader. Subjects are keyed hashes, so that a dump of the store names nobody.
 *
 * | key | type | life | written by | read by |
 * | --- | --- | --- | --- | --- |
 * | `tg:log:<limit>:<subject>` | sorted set, one member per message | longest window | send, resend | send, resend |
 * | `tg:rl:<limit>:<max>:<window>:<subject>:<bucket>` | integer (`@upstash/ratelimit`) | two windows | send, resend, verify | the same |
 * | `tg:idem:<key>` | string: fingerprint and session token | one session | send | send |
 * | `tg:cohort:<minute>` | hash `sent`, `verified` | 2 hours | send, verify | cron |
 */
export const keys = {
  log: (limit: string, subject: string) => `tg:log:${limit}:${subject}`,
  rateLimit: (limit: string, max: number, windowSeconds: number) => `tg:rl:${limit}:${max}:${windowSeconds}`,
  idempotency: (key: string) => `tg:idem:${key}`,
  cohort: (minute: number) => `tg:cohort:${minute}`,
};

/** Longer than any window the monitor may look at (60 min), so that a late verification finds its cohort. */
export const COHORT_TTL_SECONDS = 7200;
