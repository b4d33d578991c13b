/** The entry: fetch, the minute's cron, the queue of work behind answers, and the session object. No logic. */
import { readStoredSecrets } from "./adapters/cloudflare/secrets-store.ts";
import { compose, log } from "./compose/compose.ts";
import { compositionFaults } from "./compose/composition-faults.ts";
import { parseConfig, parseTables } from "./config/config.ts";
import hosting from "./data/hosting-asns.csv";
import prices from "./data/prices.csv";
import { consumeLedger, keepLedgerDeadLetters } from "./flows/consumers/consume-ledger.ts";
import { consumeOutbox, keepOutboxDeadLetters } from "./flows/consumers/consume-outbox.ts";
import { carryOverLedger } from "./flows/monitor/carry-over-ledger.ts";
import { enforceRetention } from "./flows/monitor/enforce-retention.ts";
import { monitor } from "./flows/monitor/monitor.ts";
import { recordRefusalCounts } from "./flows/monitor/record-refusal-counts.ts";
import { createApp } from "./http/app.ts";
import { misconfigured } from "./http/misconfigured.ts";

export { SessionObject } from "./adapters/cloudflare/session-object.ts";

/** The cron strings this Worker knows; wrangler's local handler calls with an empty one. */
const MINUTE_CRONS = ["* * * * *", ""];

type Service = { deps: ReturnType<typeof compose>; app: ReturnType<typeof createApp> } | { faults: string[] };

/** Who works off which queue; every environment has its own of each, and one for what was tried too often. */
const CONSUMERS = [
  { queue: /^tollgate-outbox-dead(-|$)/, consume: keepOutboxDeadLetters },
  { queue: /^tollgate-outbox(-|$)/, consume: consumeOutbox },
  { queue: /^tollgate-ledger-dead(-|$)/, consume: keepLedgerDeadLetters },
  { queue: /^tollgate-ledger(-|$)/, consume: consumeLedger },
];

let service: Service | undefined;

/**
 * Built once per isolate, from an environment that was checked once. Requests share what was built and never a build that is
 * going on: that would end with the request it belongs to, and leave the others waiting.
 */
async function serviceFor(env: Env): Promise<Service> {
  if (service !== undefined) return service;
  const { built, isFinal } = await build(env);
  if (isFinal) service ??= built;
  return built;
}

/** `isFinal` is false where the Secrets Store may give the next request what it did not give now. */
async function build(raw: Env): Promise<{ built: Service; isFinal: boolean }> {
  const { env, unread } = await readStoredSecrets(raw);
  const isFinal = unread.length === 0;
  const config = parseConfig(env);
  const tables = parseTables({ prices, hosting });
  const faults = [
    ...unread.map((name) => `${name}: the Secrets Store does not give it`),
    ...(config.ok && tables.ok
      ? compositionFaults(config.value, tables.value, (warning) => log("message_costs_more", { warning }))
      : [...(config.ok ? [] : config.faults), ...(tables.ok ? [] : tables.faults)]),
  ];
  if (!config.ok || !tables.ok || faults.length > 0) {
    for (const fault of faults) log("misconfigured", { fault });
    return { built: { faults }, isFinal };
  }
  const deps = compose(config.value, tables.value, raw);
  return { built: { deps, app: createApp(deps, config.value.ENVIRONMENT) }, isFinal };
}

export default {
  async fetch(request, env, context) {
    const built = await serviceFor(env);
    return "faults" in built
      ? misconfigured(built.faults, env.ENVIRONMENT === "development")
      : built.app.fetch(request, env, context);
  },

  async scheduled(controller, env) {
    const built = await serviceFor(env);
    if ("faults" in built) throw new Error(`misconfigured: ${built.faults.join("; ")}`);
    if (!MINUTE_CRONS.includes(controller.cron)) throw new Error(`unknown cron: ${controller.cron}`);
    const { deps } = built;
    const nowMs = controller.scheduledTime;
    // The watch first: what is written down afterwards can wait for the next minute.
    await monitor(deps, nowMs);
    await Promise.all([recordRefusalCounts(deps, nowMs), enforceRetention(deps, nowMs)]);
    await carryOverLedger(deps);
  },

  async queue(batch, env) {
    const built = await serviceFor(env);
    if ("faults" in built) throw new Error(`misconfigured: ${built.faults.join("; ")}`);
    const consumer = CONSUMERS.find(({ queue }) => queue.test(batch.queue));
    if (!consumer) throw new Error(`unknown queue: ${batch.queue}`);
    await consumer.consume(built.deps, batch.messages);
  },
} satisfies ExportedHandler<Env>;
