/** One real code: sent to one's own number, read, verified, and followed to its receipt. */
import { setTimeout as wait } from "node:timers/promises";
import type { Settings } from "../lib/configuration.ts";
import { isTable, policyOf } from "../lib/settings.ts";
import { askLine, hasTerminal } from "../lib/terminal.ts";
import { ask, bad, good, type SmokeStep, type SmokeTarget, skipped } from "./smoke-steps.ts";

const CODE_WAIT_MS = 30_000;
const RECEIPT_WAIT_MS = 60_000;
const LOOK_EVERY_MS = 2000;

export interface CodeOptions {
  to: string;
  flow: string;
  /** An API key that needs no CAPTCHA. */
  apiKey: string | undefined;
  /** An operator's token, to see the receipt and the cron. */
  operatorToken: string | undefined;
  known: Settings;
}

interface Sent {
  session: string;
  correlation_id: string;
  code_length: number;
}

export async function codeSteps(target: SmokeTarget, options: CodeOptions): Promise<SmokeStep[]> {
  if (options.apiKey === undefined) {
    return [
      bad(
        "send",
        `needs TOLLGATE_API_KEY: npm run -s api-keys -- mint --name smoke --flows '*' --skip-captcha --expires 1h --env ${target.name}`,
      ),
    ];
  }
  const startedMs = Date.now();
  const response = await post(target, options, "/v1/send", { phone: options.to, flow: options.flow });
  const sent = (await response?.json().catch(() => null)) as (Sent & { code?: string }) | null;
  if (response?.status !== 202 || sent === null) {
    return [
      bad(
        "send",
        `is answered ${response?.status ?? "nothing"} ${sent?.code ?? ""} (${sent?.correlation_id ?? "no id"})`,
      ),
    ];
  }
  const steps = [good("send", `accepted in ${Date.now() - startedMs} ms (${sent.correlation_id})`)];
  const code = await readCode(target, options, sent.code_length, startedMs);
  if (code === null)
    return [...steps, bad("code", "nobody could read it: no terminal, and no provider's log to look into")];
  const verified = await post(target, options, "/v1/verify", { session: sent.session, code });
  const proof = (await verified?.json().catch(() => null)) as { proof?: string; code?: string } | null;
  return [
    ...steps,
    verified?.status === 200 && proof?.proof
      ? good("verify", "verified, with a proof")
      : bad("verify", `is answered ${verified?.status ?? "nothing"} ${proof?.code ?? ""}`.trim()),
    await receiptStep(target, options, sent.correlation_id),
  ];
}

function post(
  target: SmokeTarget,
  { apiKey }: CodeOptions,
  path: string,
  body: object,
): Promise<Response | null> {
  return ask(`${target.url}${path}`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${apiKey}` },
    // The documentation's own address: the person at the keyboard is no end user.
    body: JSON.stringify({ ...body, client: { ip: "192.0.2.1" } }),
  });
}

/** The code from the inbox, from the provider's log, or from the person. */
async function readCode(
  target: SmokeTarget,
  options: CodeOptions,
  length: number,
  sinceMs: number,
): Promise<string | null> {
  const look = logReader(target, options, sinceMs);
  if (look === null) {
    return hasTerminal()
      ? askLine(`The code that ${options.to.slice(0, 4)}…${options.to.slice(-2)} got`)
      : null;
  }
  const pattern = new RegExp(`(?<!\\d)\\d{${length}}(?!\\d)`);
  for (const deadlineMs = Date.now() + CODE_WAIT_MS; Date.now() < deadlineMs; await wait(LOOK_EVERY_MS / 4)) {
    const code = pattern.exec((await look()) ?? "")?.[0];
    if (code !== undefined) return code;
  }
  return null;
}

function logReader({ environment }: SmokeTarget, { to, known }: CodeOptions, sinceMs: number) {
  const { delivery } = policyOf(environment);
  const providers =
    isTable(delivery) && Array.isArray(delivery.providers) ? delivery.providers.map(String) : [];
  const { SANDBOX_URL, TWILIO_ACCOUNT_SID: sid, TWILIO_AUTH_TOKEN: token, TWILIO_API_URL } = known;
  if (providers[0]?.startsWith("sandbox") && SANDBOX_URL) {
    return async () => {
      const found = await (await ask(`${SANDBOX_URL}/messages?${new URLSearchParams({ to })}`))?.json();
      const messages = Array.isArray(found) ? (found as { body: string; at: string }[]) : [];
      return messages[0] !== undefined && Date.parse(messages[0].at) >= sinceMs - 1000
        ? messages[0].body
        : null;
    };
  }
  if (providers[0] === "twilio" && sid && token) {
    const query = new URLSearchParams({
      To: to,
      PageSize: "1",
      // From that day on: a message may be sent behind midnight.
      "DateSent>": new Date(sinceMs).toISOString().slice(0, 10),
    });
    const url = `${TWILIO_API_URL ?? "https://api.twilio.com"}/2010-04-01/Accounts/${sid}/Messages.json?${query}`;
    const authorization = `Basic ${Buffer.from(`${sid}:${token}`).toString("base64")}`;
    return async () => {
      const found = (await (await ask(url, { headers: { authorization } }))?.json()) as
        | { messages?: { body: string; date_created: string }[] }
        | undefined;
      const newest = found?.messages?.[0];
      // An older message holds an older code; the log counts in whole seconds.
      return newest !== undefined && Date.parse(newest.date_created) >= sinceMs - 1000 ? newest.body : null;
    };
  }
  return null;
}

async function receiptStep(
  { url }: SmokeTarget,
  { operatorToken }: CodeOptions,
  id: string,
): Promise<SmokeStep> {
  if (operatorToken === undefined) return skipped("receipt", "set TOLLGATE_ADMIN_TOKEN to look for it");
  for (const deadlineMs = Date.now() + RECEIPT_WAIT_MS; Date.now() < deadlineMs; await wait(LOOK_EVERY_MS)) {
    const response = await ask(`${url}/admin/v1/trace/${id}`, {
      headers: { authorization: `Bearer ${operatorToken}` },
    });
    const trace = (await response?.json().catch(() => null)) as { events?: { kind: string }[] } | null;
    if (trace?.events?.some(({ kind }) => kind === "delivered")) return good("receipt", "seen");
  }
  return bad("receipt", "not seen within a minute: look at the provider's callback address");
}

/** Whether the minute's cron has run. */
export async function cronStep({ url }: SmokeTarget, operatorToken: string | undefined): Promise<SmokeStep> {
  if (operatorToken === undefined) return skipped("cron", "set TOLLGATE_ADMIN_TOKEN to ask when it ran");
  for (const deadlineMs = Date.now() + 2 * RECEIPT_WAIT_MS; ; await wait(LOOK_EVERY_MS)) {
    const response = await ask(`${url}/admin/v1/status`, {
      headers: { authorization: `Bearer ${operatorToken}` },
    });
    if (response !== null && [401, 403].includes(response.status))
      return bad("cron", "the operator's token is not accepted");
    const state = (await response?.json().catch(() => null)) as {
      watch?: { age_seconds: number | null; late: boolean };
    } | null;
    const age = state?.watch?.age_seconds ?? null;
    if (age !== null && state?.watch?.late === false) return good("cron", `ran ${age} s ago`);
    if (Date.now() >= deadlineMs) return bad("cron", "has not run in two minutes");
  }
}
