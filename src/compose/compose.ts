/** The composition root: the checked configuration in, what the flows need out. The only file that knows every adapter. */
import { waitUntil } from "cloudflare:workers";
import { customerWebhook } from "../adapters/alerts/customer-webhook.ts";
import { pagerdutyChannel } from "../adapters/alerts/pagerduty-alerts.ts";
import { slackChannel } from "../adapters/alerts/slack-alerts.ts";
import { webhookChannel } from "../adapters/alerts/webhook-alerts.ts";
import { d1Ledger } from "../adapters/cloudflare/d1-ledger.ts";
import { d1Records } from "../adapters/cloudflare/d1-records.ts";
import { kvApiKeys } from "../adapters/cloudflare/kv-api-keys.ts";
import { kvControl } from "../adapters/cloudflare/kv-control.ts";
import { kvEndedSessions } from "../adapters/cloudflare/kv-ended-sessions.ts";
import { kvRouteRecords } from "../adapters/cloudflare/kv-route-records.ts";
import { objectHandles } from "../adapters/cloudflare/object-handles.ts";
import { objectSessions } from "../adapters/cloudflare/object-sessions.ts";
import { queueAlerts } from "../adapters/cloudflare/queue-alerts.ts";
import { queueLedger } from "../adapters/cloudflare/queue-ledger.ts";
import { queueOutbox, readOutboxMessage } from "../adapters/cloudflare/queue-outbox.ts";
import { applicationTokens } from "../adapters/identity/application-tokens.ts";
import { siteverifyCaptcha } from "../adapters/identity/captcha-siteverify.ts";
import { deviceTokens, sessionTokens } from "../adapters/identity/client-tokens.ts";
import { operatorIdentities } from "../adapters/identity/cloudflare-access.ts";
import { hookSignatures } from "../adapters/identity/hook-signatures.ts";
import { sealedTokens } from "../adapters/identity/sealed-tokens.ts";
import { webCryptoVault } from "../adapters/identity/vault.ts";
import { storeStrain } from "../adapters/upstash/store-strain.ts";
import { openUpstash } from "../adapters/upstash/upstash-client.ts";
import { upstashInsightCache } from "../adapters/upstash/upstash-insight-cache.ts";
import { upstashKeyCount } from "../adapters/upstash/upstash-key-count.ts";
import { upstashMonitorState } from "../adapters/upstash/upstash-monitor-state.ts";
import { upstashPersonalData } from "../adapters/upstash/upstash-personal-data.ts";
import { upstashStore } from "../adapters/upstash/upstash-store.ts";
import { upstashTagMigration } from "../adapters/upstash/upstash-tag-migration.ts";
import type { Config, Tables } from "../config/config.ts";
import { keyIdsOf } from "../config/keyrings.ts";
import { LEDGER_QUEUE } from "../domain/ledger/event.ts";
import { ALERTS_QUEUE } from "../domain/monitor/alert.ts";
import type { ApiKeyLookupPort, ApplicationTokens, OperatorIdentificationPort } from "../ports/access.ts";
import type { Deps, Log } from "../ports/deps.ts";
import type { HookSignatures } from "../ports/hooks.ts";
import type { AlertChannelPort } from "../ports/monitor.ts";
import type { PersonalDataPort } from "../ports/people.ts";
import type { WriteResult } from "../ports/result.ts";
import type { KeyCountPort } from "../ports/storage.ts";
import { composeLookup } from "./compose-lookup.ts";
import { composeProofs } from "./compose-proofs.ts";
import { composeProviders, type ProviderBindings } from "./compose-providers.ts";

type Bindings = Pick<Env, "SESSIONS" | "CONTROL" | "DB" | "OUTBOX" | "LEDGER"> & ProviderBindings;

/** What the service's routes, its cron and its queue need: the flows' ports, and who may come in. */
export type Service = Deps & {
  opsSeal: ReturnType<typeof sealedTokens>;
  endedSessions: ReturnType<typeof kvEndedSessions>;
  apiKeys: ApiKeyLookupPort;
  applicationTokens: ApplicationTokens;
  hookSignatures: HookSignatures;
  operators: OperatorIdentificationPort;
  people: PersonalDataPort;
  redisKeys: KeyCountPort;
  alertChannels: readonly AlertChannelPort[];
  alertQueue: ReturnType<typeof queueAlerts>;
  readForProvider: typeof readOutboxMessage;
  readForLedger: ReturnType<typeof queueLedger>["read"];
  /** Puts dead letters on their queue again. */
  queues: { put(queue: string, body: string): Promise<WriteResult> };
};

export function compose(config: Config, tables: Tables, bindings: Bindings): Service {
  const policy = config.POLICY;
  const nowMs = () => Date.now();
  const strain = storeStrain(nowMs);
  const redis = openUpstash(config, strain.answered);
  const records = d1Records(bindings.DB);
  const alertQueue = queueAlerts(bindings.OUTBOX, records, nowMs, log);
  const outbox = queueOutbox(bindings.OUTBOX);
  const ledger = d1Ledger(bindings.DB);
  const events = queueLedger(bindings.LEDGER, ledger, nowMs, log);
  return {
    environment: config.ENVIRONMENT,
    policy,
    control: kvControl(bindings.CONTROL, nowMs, log, pause),
    ...upstashStore(redis, { nowMs, pause }, policy.failures.memory_seconds, strain),
    challenge: siteverifyCaptcha(policy.captcha, {
      secret: config.CAPTCHA_SECRET_KEY,
      freshSecret: config.CAPTCHA_FRESH_SECRET_KEY,
      siteverifyUrl: config.CAPTCHA_SITEVERIFY_URL,
    }),
    adoption: upstashTagMigration(redis),
    keyIds: keyIdsOf({
      ...config,
      PROOF_KMS_KEYS: policy.proof.signer === "aws_kms" ? config.PROOF_KMS_KEYS : [],
    }),
    devices: deviceTokens(config.PEPPER_KEYS, nowMs),
    hookSignatures: hookSignatures(
      {
        supabase: config.HOOK_SUPABASE_SECRET ?? [],
        logto: config.HOOK_LOGTO_SECRET ?? [],
        authgear: config.HOOK_AUTHGEAR_SECRET ?? [],
        zitadel: config.HOOK_ZITADEL_SECRET ?? [],
        keycloak: config.HOOK_KEYCLOAK_SECRET ?? [],
      },
      nowMs,
    ),
    applicationTokens: applicationTokens(policy.compat.vonage.applications, nowMs),
    apiKeys: kvApiKeys(bindings.CONTROL, nowMs, log),
    prices: tables.prices,
    hosting: tables.hosting,
    sessions: objectSessions(bindings.SESSIONS),
    handles: objectHandles(bindings.SESSIONS),
    tokens: sessionTokens(config.SESSION_KEYS, nowMs),
    vault: webCryptoVault({
      session: config.SESSION_KEYS,
      pepper: config.PEPPER_KEYS,
      encryption: config.ENCRYPTION_KEYS,
    }),
    proofs: composeProofs(config),
    providers: composeProviders(config, bindings, nowMs),
    lookup: composeLookup(config, nowMs),
    insights: upstashInsightCache(redis),
    routes: kvRouteRecords(bindings.CONTROL, policy.delivery, nowMs, log),
    monitorState: upstashMonitorState(redis, log),
    records,
    events,
    ledger,
    readForLedger: events.read,
    outbox,
    customer:
      config.EVENTS_WEBHOOK_URL === undefined || config.EVENTS_WEBHOOK_SECRET === undefined
        ? null
        : customerWebhook({ url: config.EVENTS_WEBHOOK_URL, secrets: config.EVENTS_WEBHOOK_SECRET }),
    readForProvider: readOutboxMessage,
    alerts: alertQueue,
    alertQueue,
    queues: {
      put: (queue, body) =>
        (({ [ALERTS_QUEUE]: alertQueue, [LEDGER_QUEUE]: events })[queue] ?? outbox).requeue(body),
    },
    alertChannels: composeAlertChannels(config, nowMs),
    opsSeal: sealedTokens(config.SESSION_KEYS, "ops session", nowMs),
    endedSessions: kvEndedSessions(bindings.CONTROL),
    people: upstashPersonalData(redis),
    redisKeys: upstashKeyCount(redis),
    operators: operatorIdentities(
      {
        tokens: config.ADMIN_TOKENS,
        access:
          config.ACCESS_TEAM_DOMAIN === undefined || config.ACCESS_AUDIENCE === undefined
            ? null
            : {
                teamDomain: config.ACCESS_TEAM_DOMAIN,
                audience: config.ACCESS_AUDIENCE,
                operators: config.ACCESS_OPERATORS,
              },
      },
      nowMs,
    ),
    log,
    nowMs,
    random: Math.random,
    pause,
    defer(work, correlationId) {
      const failed = (error: unknown) =>
        log("deferred_work_failed", {
          correlation_id: correlationId,
          error: error instanceof Error ? error.name : "unknown",
        });
      waitUntil(work.catch(failed));
    },
  };
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

function composeAlertChannels(config: Config, nowMs: () => number): AlertChannelPort[] {
  const { SLACK_WEBHOOK_URL, PAGERDUTY_ROUTING_KEY, ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET } = config;
  return [
    ...(SLACK_WEBHOOK_URL === undefined ? [] : [slackChannel({ webhookUrl: SLACK_WEBHOOK_URL })]),
    ...(PAGERDUTY_ROUTING_KEY === undefined
      ? []
      : [pagerdutyChannel({ apiUrl: config.PAGERDUTY_API_URL, routingKey: PAGERDUTY_ROUTING_KEY })]),
    ...(ALERT_WEBHOOK_URL === undefined || ALERT_WEBHOOK_SECRET === undefined
      ? []
      : [webhookChannel({ url: ALERT_WEBHOOK_URL, secret: ALERT_WEBHOOK_SECRET }, nowMs)]),
  ];
}

/** One JSON line per fact. */
export const log: Log = (fact, evidence) => {
  console.log(JSON.stringify({ fact, at: new Date().toISOString(), ...evidence }));
};
