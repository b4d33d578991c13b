/** The composition root: the checked configuration in, what the flows need out. The only file that knows every adapter. */
import { waitUntil } from "cloudflare:workers";
import { captcha, isTestSecret } from "./adapters/captcha.ts";
import { deviceTokens } from "./adapters/device-tokens.ts";
import { kvApiKeys } from "./adapters/kv-api-keys.ts";
import { kvControl } from "./adapters/kv-control.ts";
import { objectSessions } from "./adapters/object-sessions.ts";
import { es256Proofs } from "./adapters/proofs.ts";
import { sandboxProvider } from "./adapters/provider-sandbox.ts";
import { twilioProvider } from "./adapters/provider-twilio.ts";
import { sessionTokens } from "./adapters/session-tokens.ts";
import { openUpstash } from "./adapters/upstash.ts";
import { upstashBudgets } from "./adapters/upstash-budgets.ts";
import { upstashClaims } from "./adapters/upstash-claims.ts";
import { upstashCounters } from "./adapters/upstash-counters.ts";
import { upstashLimits } from "./adapters/upstash-limits.ts";
import { upstashMarks } from "./adapters/upstash-marks.ts";
import { webCryptoVault } from "./adapters/vault.ts";
import type { Config, Tables } from "./config.ts";
import type { ApiKeysPort } from "./domain/admission/api-key.ts";
import type { Deps, Log, ProviderPort } from "./ports.ts";

type Bindings = Pick<Env, "SESSIONS" | "CONTROL">;

export function compose(config: Config, tables: Tables, bindings: Bindings): Deps & { apiKeys: ApiKeysPort } {
  const policy = config.POLICY;
  const nowMs = () => Date.now();
  const redis = openUpstash(config);
  return {
    policy,
    control: kvControl(bindings.CONTROL, nowMs, log),
    limits: upstashLimits(redis, nowMs),
    claims: upstashClaims(redis),
    challenge: captcha(policy.captcha, {
      secret: config.CAPTCHA_SECRET_KEY,
      freshSecret: config.CAPTCHA_FRESH_SECRET_KEY,
      siteverifyUrl: config.CAPTCHA_SITEVERIFY_URL,
    }),
    budgets: upstashBudgets(redis, nowMs),
    marks: upstashMarks(redis, nowMs, policy.failures.memory_seconds),
    devices: deviceTokens(config.PEPPER_KEYS, nowMs),
    apiKeys: kvApiKeys(bindings.CONTROL, nowMs, log),
    prices: tables.prices,
    hosting: tables.hosting,
    sessions: objectSessions(bindings.SESSIONS),
    tokens: sessionTokens(config.SESSION_KEYS, nowMs),
    vault: webCryptoVault({
      session: config.SESSION_KEYS,
      pepper: config.PEPPER_KEYS,
      encryption: config.ENCRYPTION_KEYS,
    }),
    proofs: es256Proofs(config.PROOF_KEYS, policy.proof),
    provider: provider(config),
    counters: upstashCounters(redis),
    log,
    nowMs,
    pause: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
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

/** Faults that only the parts can see. */
export function compositionFaults(
  { ENVIRONMENT, POLICY, CAPTCHA_SECRET_KEY, CAPTCHA_FRESH_SECRET_KEY }: Config,
  { prices }: Tables,
): string[] {
  const { provider, channels } = POLICY.delivery;
  const unpriced = channels.filter(
    (channel) =>
      !prices.some((row) => row.provider === provider && row.channel === channel && row.country === "*"),
  );
  return [
    // The adapter knows SMS only: any other channel would leave as one, and its proof would say otherwise.
    ...(provider === "twilio" && channels.some((channel) => channel !== "sms")
      ? ["POLICY.delivery.channels: provider twilio serves sms only"]
      : []),
    ...unpriced.map((channel) => `src/data/prices.csv: no default price for ${provider} ${channel}`),
    ...(ENVIRONMENT === "production" && isTestSecret(POLICY.captcha.provider, CAPTCHA_SECRET_KEY)
      ? ["CAPTCHA_SECRET_KEY: is a published test secret, which lets everybody through"]
      : []),
    ...(ENVIRONMENT === "production" && isTestSecret(POLICY.captcha.provider, CAPTCHA_FRESH_SECRET_KEY ?? "")
      ? ["CAPTCHA_FRESH_SECRET_KEY: is a published test secret, which lets everybody through"]
      : []),
  ];
}

/** One JSON line per fact. */
export const log: Log = (fact, evidence) => {
  console.log(JSON.stringify({ fact, at: new Date().toISOString(), ...evidence }));
};

function provider(config: Config): ProviderPort {
  const { provider, timeout_ms } = config.POLICY.delivery;
  switch (provider) {
    case "sandbox":
      return sandboxProvider(needed(config.SANDBOX_URL), timeout_ms);
    case "twilio":
      return twilioProvider({
        apiUrl: config.TWILIO_API_URL,
        accountSid: needed(config.TWILIO_ACCOUNT_SID),
        authToken: needed(config.TWILIO_AUTH_TOKEN),
        messagingServiceSid: needed(config.TWILIO_MESSAGING_SERVICE_SID),
        timeoutMs: timeout_ms,
        validitySeconds: config.POLICY.code.ttl_seconds,
      });
  }
}

/** A setting that the configuration's own rules made sure of. */
function needed(value: string | undefined): string {
  if (value === undefined) throw new Error("config.ts lets no provider through without its settings");
  return value;
}
