/** A service tried from outside, as its users reach it. */
import { setTimeout as wait } from "node:timers/promises";
import { isTable, policyOf, type Table } from "../lib/settings.ts";

export interface SmokeStep {
  step: string;
  state: "ok" | "failed" | "skipped";
  said: string;
}

export interface SmokeTarget {
  url: string;
  environment: Table;
  name: string;
}

const TIMEOUT_MS = 10_000;
const RETRY_MS = 2000;

/** Everything that costs nothing: health, keys, the element, who may call, a refusal, the dashboard. */
export async function freeSteps(target: SmokeTarget, waitMs: number): Promise<SmokeStep[]> {
  const health = await healthStep(target, Date.now() + waitMs);
  if (health.state === "failed") return [health];
  return [
    health,
    await keysStep(target),
    await elementStep(target),
    await corsStep(target),
    await refusalStep(target),
    await dashboardStep(target),
  ];
}

/** A new host or version takes a while to be everywhere. */
async function healthStep({ url, name }: SmokeTarget, deadlineMs: number): Promise<SmokeStep> {
  for (;;) {
    const response = await ask(`${url}/healthz`);
    const body = (await response?.json().catch(() => null)) as
      | { environment?: string; code?: string }
      | null
      | undefined;
    if (response?.status === 200 && body?.environment === name) return good("health", `${url} is ${name}`);
    if (Date.now() >= deadlineMs) {
      if (response === null) return bad("health", `${url} does not answer`);
      if (response.status === 200)
        return bad("health", `${url} is ${body?.environment ?? "something else"}, not ${name}`);
      return bad("health", `${url}/healthz answers ${response.status} ${body?.code ?? ""}`.trim());
    }
    await wait(RETRY_MS);
  }
}

async function keysStep({ url }: SmokeTarget): Promise<SmokeStep> {
  const answer = (await (await ask(`${url}/.well-known/jwks.json`))?.json().catch(() => null)) as {
    keys?: Table[];
  } | null;
  const keys = answer?.keys ?? [];
  if (keys.some((key) => "d" in key))
    return bad("keys", "a private key is published: rotate the proof keys NOW");
  return keys.length > 0 && keys.every(({ kty, crv, kid }) => kty === "EC" && crv === "P-256" && kid)
    ? good("keys", `${keys.length} for proofs`)
    : bad("keys", "no P-256 key with an id is published");
}

async function elementStep({ url }: SmokeTarget): Promise<SmokeStep> {
  const response = await ask(`${url}/element.js`);
  const isScript = response?.headers.get("content-type")?.startsWith("text/javascript") ?? false;
  return isScript && response?.headers.get("access-control-allow-origin") === "*"
    ? good("element", "loads on other pages")
    : bad("element", "is no script that other pages may load");
}

async function corsStep({ url, environment }: SmokeTarget): Promise<SmokeStep> {
  const { cors } = policyOf(environment);
  const origins = isTable(cors) && Array.isArray(cors.origins) ? cors.origins.map(String) : [];
  const allowed = async (origin: string) => {
    const headers = {
      origin,
      "access-control-request-method": "POST",
      "access-control-request-headers": "content-type",
    };
    const response = await ask(`${url}/v1/send`, { method: "OPTIONS", headers });
    return response?.headers.get("access-control-allow-origin") ?? null;
  };
  if (origins.includes("*")) return good("origins", "every page may call");
  for (const origin of origins) {
    if ((await allowed(origin)) !== origin) return bad("origins", `${origin} may not call`);
  }
  return (await allowed("https://stranger.invalid")) === null
    ? good("origins", `${origins.join(", ") || "no page"} may call, and no other`)
    : bad("origins", "a page that is not listed may call");
}

/** A number that no country has: refused before anything is asked or spent. */
async function refusalStep({ url }: SmokeTarget): Promise<SmokeStep> {
  const response = await ask(`${url}/v1/send`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ phone: "+999000" }),
  });
  const problem = (await response?.json().catch(() => null)) as {
    code?: string;
    correlation_id?: string;
  } | null;
  const isProblem = response?.headers.get("content-type")?.startsWith("application/problem+json") ?? false;
  return isProblem &&
    response !== null &&
    response.status >= 400 &&
    response.status < 500 &&
    problem?.correlation_id
    ? good("refusal", `a number that is none is refused: ${problem.code}`)
    : bad(
        "refusal",
        `a number that is none is answered ${response?.status ?? "nothing"} ${problem?.code ?? ""}`.trim(),
      );
}

async function dashboardStep({ url }: SmokeTarget): Promise<SmokeStep> {
  const response = await ask(`${url}/ops`);
  if (response === null) return bad("dashboard", "does not answer");
  const isPage = response.headers.get("content-type")?.startsWith("text/html") ?? false;
  const isGuarded = [200, 401].includes(response.status) && isPage;
  // Access answers with its own sign-in.
  const isAccess = response.status === 302;
  return isGuarded || isAccess
    ? good("dashboard", "asks who you are")
    : bad("dashboard", `answers ${response.status}`);
}

export const good = (step: string, said: string): SmokeStep => ({ step, state: "ok", said });
export const bad = (step: string, said: string): SmokeStep => ({ step, state: "failed", said });
export const skipped = (step: string, said: string): SmokeStep => ({ step, state: "skipped", said });

export const smokeLine = ({ step, state, said }: SmokeStep): string =>
  `${{ ok: "ok     ", failed: "FAILED ", skipped: "skipped" }[state]}  ${step}: ${said}`;

/** null where nothing answers in time. */
export async function ask(url: string, init: RequestInit = {}): Promise<Response | null> {
  try {
    return await fetch(url, { ...init, redirect: "manual", signal: AbortSignal.timeout(TIMEOUT_MS) });
  } catch {
    return null;
  }
}
