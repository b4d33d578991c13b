import { DAY_SECONDS } from "../domain/kernel/time.ts";

/**
 * Every key in Redis: shape, life, writer and reader. Subjects that could name a person are keyed hashes, so that a dump of
 * the store names nobody; ranges, countries and networks are in clear, because operators must see them.
 *
 * | key | type | life | written by | read by |
 * | --- | --- | --- | --- | --- |
 * | `tg:draws:<limit>:<subject>` | string: `<ms>:<member>` of each message or number, see packed-lua.ts | longest window | send, resend, verify | the same |
 * | `tg:log:<limit>:<subject>` | sorted set, one member per message or number: limits of more than 200 | longest window | send, resend | the same |
 * | `tg:rl:<limit>:<window>:<subject>:<bucket>` | integer (`@upstash/ratelimit`) | two windows | send, resend, verify | the same |
 * | `tg:idem:<key>` | string: fingerprint and session token | one session | send | send |
 * | `tg:count:<minute>` | hash, see upstash-counters.ts | 2 hours | send, resend, verify, receipts | cron |
 * | `tg:numbers:<quarter>:<dimension>:<subject>` | set of at most 1000 numbers | 40 minutes | send, resend | the same |
 * | `tg:totals` | hash like a minute's, 81 subjects at most | for ever | send, resend, verify, receipts | scrapers |
 * | `tg:outcome:<proof>:<type>` | mark | 8 days | outcomes | the same |
 * | `tg:watch:lock` | string: the run that has it | 55 s | cron | cron |
 * | `tg:watch:memory` | JSON | 30 days since the last run | cron | cron, people |
 * | `tg:watch:history` | JSON, see history.ts | 40 days since the last quarter | cron | cron, people |
 * | `tg:watch:quarter:<quarter>` | JSON of a tally, see upstash-watch.ts | 8 days and 1 hour | cron | cron, people |
 * | `tg:book:<range, country, number ...>` | string: its levels, meters and open reservations, a line each, see packed-lua.ts | the longest of its lines: window; 30 days once something verified; two periods | send, resend, verify | send, resend, people |
 * | `tg:packed-since` | time (s) since when books are written | 400 days | send, resend, verify | the same |
 * | `tg:spend:lookup:<UTC period>` | integer (micros) | two periods | send, resend | send, resend |
 * | `tg:known:<number>` | time of its first verification (ms); 1 of before that was kept | 180 days since the last verification | verify | send, resend |
 * | `tg:refused:<channel>:<number>` | string: `unreachable`, `opted_out` or `fraud` | policy `delivery.refused_numbers` | send, receipts | send, resend |
 * | `tg:refunds:<provider>:<country>:<UTC minute>` | integer: refused messages that were given back (a spend meter) | 2 minutes | send, resend | the same |
 * | `tg:insight:<number>` | JSON: what a source said of it | policy `lookup.memory_seconds`; 1 hour of what passes | send, resend | the same |
 * | `tg:asked:<number and address>` | time of the demand (ms) | 10 minutes | send, resend | send, resend |
 * | `tg:msg:<provider>:<message id>` | JSON: whose message it is | 2 days | send, resend | receipts |
 * | `tg:early:<provider>:<message id>` | JSON: a receipt that came before the answer | 15 minutes | receipts | send, resend |
 * | `tg:fail:<number, device or user>` | integer | policy `failures.memory_seconds` | verify | send |
 *
 * The version before kept `tg:x:<pool>:<level>:<subject>` (a hash of slots), `tg:log:` for every limit, `tg:spend:<scope>:<period>`,
 * `tg:hold:<id>` and `tg:open:<level>`; for a month after the first book they are read too.
 *
 * What the watch takes at most, as `MEMORY USAGE` of Redis says (`node scripts/bench-watch.ts --full`): a minute in which
 * every dimension is full 148 kB, the 120 that live 18 MB; a quarter 115 kB, the 772 that live 89 MB; history and totals
 * 50 kB together. A network with a thousand numbers in a quarter of an hour takes 80 kB, so that the sets grow with the
 * messages that left, which cost, and with nothing else. A day of a million messages takes half as much of each.
 */
export const redisKeys = {
  log: (limit: string, subject: string) => `tg:log:${limit}:${subject}`,
  rateLimit: (limit: string, windowSeconds: number) => `tg:rl:${limit}:${windowSeconds}`,
  idempotency: (key: string) => `tg:idem:${key}`,
  minute: (minute: number) => `tg:count:${minute}`,
  members: (quarter: number, dimension: string, subject: string) =>
    `tg:numbers:${quarter}:${dimension}:${subject}`,
  totals: () => "tg:totals",
  outcome: (proofId: string, type: string) => `tg:outcome:${proofId}:${type}`,
  watchLock: () => "tg:watch:lock",
  watchMemory: () => "tg:watch:memory",
  watchHistory: () => "tg:watch:history",
  watchQuarter: (quarter: number) => `tg:watch:quarter:${quarter}`,
  level: (key: string) => `tg:x:${key}`,
  book: (subject: string) => `tg:book:${subject}`,
  draws: (limit: string, subject: string) => `tg:draws:${limit}:${subject}`,
  packedSince: () => "tg:packed-since",
  meter: (scope: string, period: string) => `tg:${scope}:${period}`,
  hold: (id: string) => `tg:hold:${id}`,
  openReservations: (person: string) => `tg:open:${person}`,
  known: (tag: string) => `tg:known:${tag}`,
  refused: (channel: string, tag: string) => `tg:refused:${channel}:${tag}`,
  insight: (tag: string) => `tg:insight:${tag}`,
  asked: (tag: string) => `tg:asked:${tag}`,
  message: (provider: string, messageId: string) => `tg:msg:${provider}:${messageId}`,
  earlyReceipt: (provider: string, messageId: string) => `tg:early:${provider}:${messageId}`,
  failures: (tag: string) => `tg:fail:${tag}`,
};

export const MONITOR_MEMORY_SECONDS = 30 * DAY_SECONDS;

export const MONITOR_HISTORY_SECONDS = 40 * DAY_SECONDS;

/** Two of each period, so that a total can still be looked at after its end. */
export const METER_SECONDS = {
  minute: 120,
  hour: 7200,
  day: 2 * DAY_SECONDS,
  month: 62 * DAY_SECONDS,
} as const;
