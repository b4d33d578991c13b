import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { setTimeout as wait } from "node:timers/promises";
import { parsePolicy } from "../../src/config/config.ts";
import { CommandError, ROOT } from "../lib/command.ts";
import { environmentOf, policyOf, readSettings } from "../lib/settings.ts";
import { plain } from "./format.ts";
import { LOCAL_OPERATORS, localOperatorFile } from "./local.ts";

/** A service's operators' API, and what opens it. */
export interface Service {
  /** For people. */
  name: string;
  /** Without a trailing slash. */
  url: string;
  token: string;
}

const TIMEOUT_MS = 20_000;
/** Hosts that are this machine. */
export const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
export const TOKEN_VARIABLE = "TOLLGATE_ADMIN_TOKEN";

/**
 * The service that an option names, or the local one that runs.
 *
 * @throws CommandError when there is none, or no token for it
 */
export async function findService(options: {
  env: string | undefined;
  url: string | undefined;
}): Promise<Service> {
  if (options.env !== undefined) {
    const policy = parsePolicy(policyOf(environmentOf(await readSettings(), options.env)));
    if (!policy.ok) {
      throw new CommandError(`The policy in wrangler.toml has faults:\n  - ${policy.faults.join("\n  - ")}`);
    }
    return { name: options.env, url: trimmed(policy.value.proof.issuer), token: givenToken() };
  }
  if (options.url === undefined) return localService();
  if (!URL.canParse(options.url)) throw new CommandError(`--url "${options.url}" is no URL.`);
  const { protocol, hostname, host, port, origin } = new URL(options.url);
  const isLocal = LOOPBACK.includes(hostname);
  if (protocol !== "https:" && !isLocal) {
    throw new CommandError(`--url ${host} is not https: a token does not travel in the clear.`);
  }
  const own = isLocal ? await readLocal(port) : null;
  return { name: host, url: origin, token: process.env[TOKEN_VARIABLE] || own?.token || givenToken() };
}

function givenToken(): string {
  const token = process.env[TOKEN_VARIABLE];
  if (token) return token;
  throw new CommandError(
    `Set ${TOKEN_VARIABLE} to an operator token; npm run ops -- token create NAME makes one.`,
  );
}

async function localService(): Promise<Service> {
  const files = existsSync(LOCAL_OPERATORS) ? readdirSync(LOCAL_OPERATORS) : [];
  const ports = files.flatMap((file) => /^(\d+)\.ops\.json$/.exec(file)?.[1] ?? []);
  const port = process.env.PORT || (ports.length === 1 ? ports[0] : "8787");
  const found = await readLocal(port ?? "8787");
  if (found) return { name: `local (port ${port})`, ...found };
  throw new CommandError(
    `No local service runs on port ${port}: start it with npm start, or name an --env or a --url.`,
  );
}

async function readLocal(port: string): Promise<{ url: string; token: string } | null> {
  const text = await readFile(localOperatorFile(port), "utf8").catch(() => null);
  if (text === null) return null;
  try {
    const { url, token } = JSON.parse(text);
    return typeof url === "string" && typeof token === "string" ? { url: trimmed(url), token } : null;
  } catch {
    throw new CommandError(
      `${localOperatorFile(port).slice(ROOT.length)} cannot be read: start the service again.`,
    );
  }
}

const trimmed = (url: string): string => url.replace(/\/+$/, "");

/** Before a question is asked once more. */
const PAUSE_MS = 1000;

/**
 * Asks the operators' API. A question (`GET`) that got no whole answer is asked once more; an act is not, because it may be
 * done already.
 *
 * @returns the answer's text
 * @throws CommandError in the API's words, or when it cannot be reached
 */
export async function ask(service: Service, method: string, path: string, body?: object): Promise<string> {
  try {
    return await askOnce(service, method, path, body);
  } catch (error) {
    if (method !== "GET" || !(error instanceof NoAnswer)) throw error;
    if (process.stderr.isTTY) console.error(`${error.message.split("\n")[0]} Asking again ...`);
    await wait(PAUSE_MS);
    return askOnce(service, method, path, body);
  }
}

/** Nothing came, or not all of it. */
class NoAnswer extends CommandError {}

async function askOnce(service: Service, method: string, path: string, body?: object): Promise<string> {
  const { response, text } = await answerTo(service, method, path, body);
  if (response.ok) return text;
  throw new CommandError(`${service.name}: ${describeProblem(response, text)}`);
}

async function answerTo(
  service: Service,
  method: string,
  path: string,
  body?: object,
): Promise<{ response: Response; text: string }> {
  const failed = (what: string) => (error: Error) => {
    const why = error.name === "TimeoutError" ? ` in ${TIMEOUT_MS / 1000} s` : "";
    const done = method === "GET" ? "" : "\nIt may have been done all the same: look before you repeat it.";
    throw new NoAnswer(
      `${service.name} ${what}${why} at ${service.url}.${done}\n` +
        "When the Worker itself is down, npm run posture sets the posture without it.",
    );
  };
  const response = await fetch(`${service.url}/admin/v1${path}`, {
    method,
    headers: {
      authorization: `Bearer ${service.token}`,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  }).catch(failed("does not answer"));
  // The answer may break off, or its end not come.
  const text = await response.text().catch(failed("does not answer to the end"));
  return { response, text };
}

/** The same, as JSON. */
export async function askJson<T>(service: Service, method: string, path: string, body?: object): Promise<T> {
  const text = await ask(service, method, path, body);
  try {
    return JSON.parse(text) as T;
  } catch {
    throw new CommandError(
      `${service.name} answers something else than JSON: is ${service.url} the service?`,
    );
  }
}

function describeProblem({ status, headers }: Response, text: string): string {
  if (status >= 300 && status < 400) {
    return `sends us on to ${headers.get("location")?.split("?")[0] ?? "another page"}: a sign-in page is in front of it.`;
  }
  let problem: { title?: string; code?: string; errors?: { field: string; reason: string }[] } = {};
  try {
    problem = JSON.parse(text);
  } catch {
    return `answers ${status}.`;
  }
  const errors = (problem.errors ?? []).map(({ field, reason }) => `\n  - ${field} ${reason}`).join("");
  return plain(`${problem.title ?? "refused"} (${status} ${problem.code ?? ""})`) + errors;
}
