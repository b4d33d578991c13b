/**
 * List prices in US dollars, beyond what a plan includes. Looked up on 2026-12-01; look again before you rely on them.
 *
 * @see https://upstash.com/pricing/redis (Pay as You Go and the fixed plans, as of 2026-11-09)
 * @see https://upstash.com/docs/redis/sdks/ratelimit-ts/costs (counts the commands inside a script: EVAL, GET, GET, INCR)
 * @see https://developers.cloudflare.com/workers/platform/pricing/
 */
export const PRICES = {
  date: "2026-12-01",
  /** Of 100,000 commands, pay as you go. */
  upstashCommands: 0.2 / 100_000,
  /** A month of the smallest fixed plans, with all commands: size in GB and price. */
  upstashFixed: [
    { gigabytes: 0.25, price: 10 },
    { gigabytes: 1, price: 20 },
    { gigabytes: 5, price: 100 },
  ],
  workerRequests: 0.3 / 1e6,
  objectRequests: 0.15 / 1e6,
  databaseRows: 1 / 1e6,
  /** A message is written, read and deleted. */
  queueMessages: (3 * 0.4) / 1e6,
  logLines: 0.6 / 1e6,
} as const;
