/** The services that the Worker uses, asked with the settings that are known here. Free calls only. */
import type { Settings } from "../lib/configuration.ts";
import { isTable, policyOf, type Table } from "../lib/settings.ts";
import { type Finding, finding, ok, unknownHere } from "./finding.ts";
import { signerFindings } from "./signer.ts";

const TIMEOUT_MS = 5000;
const PINGS = 5;
const FAR_MS = 60;

/** @param nowMs a clock that only goes on, for how long the database takes */
export async function serviceFindings(
  name: string,
  environment: Table,
  known: Settings,
  nowMs: () => number = () => performance.now(),
): Promise<Finding[]> {
  const policy = policyOf(environment);
  const delivery =
    isTable(policy.delivery) && Array.isArray(policy.delivery.providers) ? policy.delivery.providers : [];
  return [
    ...(await upstashFindings(name, known, nowMs)),
    await siteverifyFinding(name, policy, known),
    ...(await Promise.all(delivery.map((provider) => providerFinding(String(provider), name, known)))),
    ...(await signerFindings(name, policy, known)),
  ];
}

async function upstashFindings(name: string, known: Settings, nowMs: () => number): Promise<Finding[]> {
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = known;
  if (url === undefined || token === undefined) {
    return [
      unknownHere("upstash", "UPSTASH_REDIS_REST_TOKEN", "whether Upstash answers, how far away it is"),
    ];
  }
  const times: number[] = [];
  for (let ping = 0; ping < PINGS; ping++) {
    const startedMs = nowMs();
    const answer = await ask(url, {
      method: "POST",
      headers: { authorization: `Bearer ${token}` },
      body: '["PING"]',
    });
    if (answer?.status !== 200) {
      return [
        finding("error", "upstash", answer === null ? "does not answer" : `answers ${answer.status}`, {
          why: "without it no code is sent",
          mend: `look at UPSTASH_REDIS_REST_URL in wrangler.toml; npx wrangler secret put UPSTASH_REDIS_REST_TOKEN --env ${name}`,
        }),
      ];
    }
    times.push(nowMs() - startedMs);
  }
  const median = Math.round(times.sort((a, b) => a - b)[Math.floor(PINGS / 2)] ?? 0);
  return [
    median <= FAR_MS
      ? ok("upstash", `answers in ${median} ms from here`)
      : finding("warning", "upstash", `answers in ${median} ms from here`, {
          why: "a send asks it several times in a row",
          mend: `[env.${name}.placement] region = "aws:REGION" of the database in wrangler.toml, or a database nearer to your users`,
        }),
    await evictionFinding(url, token),
  ];
}

/** A database that evicts forgets budgets, and what it forgets is room for an attack. */
async function evictionFinding(url: string, token: string): Promise<Finding> {
  const answer = await ask(url, {
    method: "POST",
    headers: { authorization: `Bearer ${token}` },
    body: '["INFO"]',
  });
  const policy = /maxmemory_policy:(\S+?)(\\r|\s|")/.exec(answer?.text ?? "")?.[1];
  if (policy === "noeviction") return ok("eviction", "is off");
  const advice = {
    why: "a database that evicts forgets limits and budgets",
    mend: "switch eviction off in the Upstash console",
  };
  return policy === undefined
    ? finding("skipped", "eviction", "the database does not tell", advice)
    : finding("error", "eviction", `is ${policy}`, advice);
}

async function siteverifyFinding(name: string, policy: Table, known: Settings): Promise<Finding> {
  const provider = isTable(policy.captcha) ? String(policy.captcha.provider ?? "turnstile") : "turnstile";
  const secret = known.CAPTCHA_SECRET_KEY;
  if (secret === undefined)
    return unknownHere("siteverify", "CAPTCHA_SECRET_KEY", "whether siteverify accepts it");
  const urls: Record<string, string> = {
    turnstile: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
    hcaptcha: "https://api.hcaptcha.com/siteverify",
    recaptcha: "https://www.google.com/recaptcha/api/siteverify",
  };
  const url = known.CAPTCHA_SITEVERIFY_URL ?? urls[provider] ?? "";
  const answer = await ask(url, {
    method: "POST",
    body: new URLSearchParams({ secret, response: "doctor" }),
  });
  if (answer === null || !answer.text.includes("success")) {
    return finding("warning", "siteverify", "does not answer from here", {
      why: "it may be this network",
      mend: "run doctor elsewhere",
    });
  }
  return /(missing|invalid)-input-secret|invalid-keys/.test(answer.text)
    ? finding("error", "siteverify", "does not know the secret", {
        why: "sends would pause",
        mend: `npx wrangler secret put CAPTCHA_SECRET_KEY --env ${name}`,
      })
    : ok("siteverify", "accepts the secret");
}

async function providerFinding(provider: string, name: string, known: Settings): Promise<Finding> {
  const check = `provider ${provider}`;
  const call = freeCall(provider, known);
  if (call === null) {
    return finding("skipped", check, "has no free call that tells whether it knows the credentials", {
      why: "the smoke test will",
      mend: `npm run smoke -- --env ${name} --to +…`,
    });
  }
  const missing = call.needs.find((setting) => known[setting] === undefined);
  if (missing !== undefined) return unknownHere(check, missing, "whether it knows the credentials");
  const answer = await ask(call.url(), { headers: call.headers?.() ?? {} });
  if (answer === null)
    return finding("warning", check, "does not answer from here", {
      why: "it may be this network",
      mend: "run doctor elsewhere",
    });
  return answer.status >= 200 && answer.status < 300
    ? ok(check, "knows the credentials")
    : finding("error", check, `answers ${answer.status}`, {
        why: "it would take no message",
        mend: `npx wrangler secret put ${call.needs.at(-1)} --env ${name}`,
      });
}

interface FreeCall {
  needs: readonly string[];
  url(): string;
  headers?(): Record<string, string>;
}

function freeCall(provider: string, known: Settings): FreeCall | null {
  const basic = (user = "", password = "") =>
    `Basic ${Buffer.from(`${user}:${password}`).toString("base64")}`;
  switch (provider) {
    case "twilio":
      return {
        needs: ["TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"],
        url: () =>
          `${known.TWILIO_API_URL ?? "https://api.twilio.com"}/2010-04-01/Accounts/${known.TWILIO_ACCOUNT_SID}.json`,
        headers: () => ({ authorization: basic(known.TWILIO_ACCOUNT_SID, known.TWILIO_AUTH_TOKEN) }),
      };
    case "vonage":
      return {
        needs: ["VONAGE_API_KEY", "VONAGE_API_SECRET"],
        url: () => `${known.VONAGE_SMS_URL ?? "https://rest.nexmo.com"}/account/get-balance`,
        headers: () => ({ authorization: basic(known.VONAGE_API_KEY, known.VONAGE_API_SECRET) }),
      };
    default:
      return null;
  }
}

async function ask(url: string, init: RequestInit): Promise<{ status: number; text: string } | null> {
  try {
    const response = await fetch(url, {
      ...init,
      redirect: "manual",
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    return { status: response.status, text: await response.text() };
  } catch {
    return null;
  }
}
