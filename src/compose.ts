/** The composition root: the checked configuration in, what the flows need out. The only file that knows every adapter. */
import { waitUntil } from "cloudflare:workers";
import { kvControl } from "./adapters/kv-control.ts";
import { objectSessions } from "./adapters/object-sessions.ts";
import { es256Proofs } from "./adapters/proofs.ts";
import { sandboxProvider } from "./adapters/provider-sandbox.ts";
import { twilioProvider } from "./adapters/provider-twilio.ts";
import { sessionTokens } from "./adapters/session-tokens.ts";
import { turnstile } from "./adapters/turnstile.ts";
import { openUpstash } from "./adapters/upstash.ts";
import { upstashClaims } from "./adapters/upstash-claims.ts";
import { upstashCounters } from "./adapters/upstash-counters.ts";
import { upstashLimits } from "./adapters/upstash-limits.ts";
import { webCryptoVault } from "./adapters/vault.ts";
import type { Config } from "./config.ts";
import type { Deps, Log, ProviderPort } from "./ports.ts";

type Bindings = Pick<Env, "SESSIONS" | "CONTROL">;

export function compose(config: Config, bindings: Bindings): Deps {
  const policy = config.POLICY;
  const nowMs = () => Date.now();
  const redis = openUpstash(config);
  return {
    policy,
    control: kvControl(bindings.CONTROL, nowMs, log),
    limits: upstashLimits(redis, nowMs),
    claims: upstashClaims(redis),
    challenge: turnstile({
      siteverifyUrl: config.TURNSTILE_SITEVERIFY_URL,
      secret: config.TURNSTILE_SECRET_KEY,
      hostnames: policy.challenge.hostnames,
      action: policy.challenge.action,
    }),
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
    defer: (work) => waitUntil(work.catch(() => log("deferred_work_failed", {}))),
  };
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
