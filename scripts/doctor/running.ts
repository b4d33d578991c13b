/** The Worker at its address: name, certificate, answers, cron, operators. */
import { type Finding, finding, ok } from "./finding.ts";

const TIMEOUT_MS = 8000;

interface State {
  environment: string;
  watch: { last_run: string | null; age_seconds: number | null; late: boolean } | null;
}

/** @param token an operator's, where one is known */
export async function runningFindings(
  name: string,
  url: string,
  token: string | undefined,
): Promise<Finding[]> {
  const health = await fetch(`${url}/healthz`, {
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch((error: Error) => error);
  if (health instanceof Error) {
    return [
      finding("error", "reachable", `${url} ${whyNot(health)}`, {
        why: "nobody reaches the service",
        mend: "look at the zone's DNS records and certificate at Cloudflare; a new host takes some minutes",
      }),
    ];
  }
  const body = (await health.json().catch(() => null)) as { environment?: string; code?: string } | null;
  if (health.status !== 200) {
    const isRefused = body?.code === "misconfigured";
    return [
      finding(
        "error",
        "reachable",
        `${url}/healthz answers ${health.status}${isRefused ? " misconfigured" : ""}`,
        {
          why: isRefused
            ? "the Worker refuses its configuration, and its log names the settings"
            : "the service does not work",
          mend: isRefused ? `npx wrangler tail --env ${name}` : `npm run deploy -- --env ${name}`,
        },
      ),
    ];
  }
  if (body?.environment !== name) {
    return [
      finding("error", "reachable", `${url} is ${body?.environment ?? "something else"}, not ${name}`, {
        why: "two environments share an address",
        mend: `npm run provision -- --env ${name} --domain HOST`,
      }),
    ];
  }
  return [
    ok("reachable", `${url} answers, with a good certificate`),
    ...(await stateFindings(name, url, token)),
  ];
}

async function stateFindings(name: string, url: string, token: string | undefined): Promise<Finding[]> {
  if (token === undefined) {
    return [
      finding("skipped", "cron", "nobody asked when it ran last", {
        why: "only operators may ask",
        mend: "set TOLLGATE_ADMIN_TOKEN to an operator's token",
      }),
    ];
  }
  const response = await fetch(`${url}/admin/v1/status`, {
    headers: { authorization: `Bearer ${token}` },
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(() => null);
  if (response === null || response.status !== 200) {
    return [
      finding(
        "error",
        "operator",
        `the token of TOLLGATE_ADMIN_TOKEN is answered ${response?.status ?? "nothing"}`,
        {
          why: "nobody could stop an attack with it",
          mend: `npm run ops -- token create NAME, then npx wrangler secret put ADMIN_TOKENS --env ${name}`,
        },
      ),
    ];
  }
  const { watch } = (await response.json()) as State;
  const ran = watch?.age_seconds ?? null;
  return [
    ok("operator", "the token signs in"),
    ran !== null && watch?.late === false
      ? ok("cron", `ran ${ran} s ago`)
      : finding("error", "cron", ran === null ? "has never run" : `ran ${ran} s ago`, {
          why: "nobody looks for attacks",
          mend: `npx wrangler tail --env ${name}`,
        }),
  ];
}

/** The cause in words, from the codes of name look-up, connection and certificate. */
function whyNot(error: Error): string {
  const cause = error.cause as { code?: string } | undefined;
  const code = cause?.code ?? error.name;
  if (code === "ENOTFOUND" || code === "EAI_AGAIN")
    return "has no DNS record that leads anywhere (ENOTFOUND)";
  if (/CERT|TLS|SSL|ALTNAME/.test(code)) return `has no certificate for this host (${code})`;
  return `does not answer (${code})`;
}
