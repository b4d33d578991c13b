import { env } from "cloudflare:workers";
import { compose } from "../../src/compose/compose.ts";
import { parseConfig, parseTables } from "../../src/config/config.ts";
import hosting from "../../src/data/hosting-asns.csv";
import prices from "../../src/data/prices.csv";
import { createApp } from "../../src/http/app.ts";
import { inbox } from "./outside-control.ts";

export const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";

type Json = Record<string, unknown>;

interface Answer {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look at answers as a client without types would
  body: any;
}

/**
 * A service in workerd with its real adapters, its policy changed as the test wants it.
 *
 * @param bindings those that a test watches; the real ones where absent
 */
export function makeService(policy: Json = {}, variables: Json = {}, bindings: Partial<typeof env> = {}) {
  const config = parseConfig({ ...env, ...variables, POLICY: merge(env.POLICY as unknown as Json, policy) });
  if (!config.ok) throw new Error(config.faults.join("\n"));
  const tables = parseTables({ prices, hosting });
  if (!tables.ok) throw new Error(tables.faults.join("\n"));
  const deps = compose(config.value, tables.value, { ...env, ...bindings });
  const app = createApp(deps, config.value.ENVIRONMENT);
  let clients = 0;

  async function call(method: string, path: string, body?: unknown, headers: Record<string, string> = {}) {
    const response = await app.request(`http://localhost${path}`, {
      method,
      headers: { ...(body === undefined ? {} : { "content-type": "application/json" }), ...headers },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer: Answer = {
      status: response.status,
      headers: response.headers,
      body: text === "" ? null : JSON.parse(text),
    };
    return answer;
  }

  return {
    deps,
    call,
    /** Sends from a new address each time, with a token that passes, unless told otherwise. */
    send: (body: Json, headers: Record<string, string> = {}) =>
      call(
        "POST",
        "/v1/send",
        { captcha_token: DUMMY_TOKEN, ...body },
        { ...from(newAddress()), ...headers },
      ),
    verify: (body: Json, headers: Record<string, string> = {}) => call("POST", "/v1/verify", body, headers),
    session: (token: string) => call("GET", "/v1/session", undefined, { authorization: `Bearer ${token}` }),
  };

  function newAddress(): string {
    clients += 1;
    return `198.18.${clients >> 8}.${clients & 255}`;
  }
}

/** The development header for a client at this address. */
export const from = (ip: string, asn = 64500, country = "IN") => ({
  "x-tollgate-dev-client": JSON.stringify({ ip, asn, country }),
});

/** The code in the newest message to a number. */
export async function codeFor(phone: string): Promise<string> {
  const [message] = await inbox(phone);
  const code = /^\d+/.exec(message?.body ?? "")?.[0];
  if (code === undefined) throw new Error(`no message for ${phone}`);
  return code;
}

/** A code that is not this one. */
export const wrong = (code: string) =>
  String((Number(code) + 1) % 10 ** code.length).padStart(code.length, "0");

/** Waits for what goes on behind an answer. */
export async function eventually<T>(look: () => Promise<T>, holds: (value: T) => boolean): Promise<T> {
  for (let i = 0; ; i++) {
    const value = await look();
    if (holds(value) || i >= 50) return value;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function merge(base: Json, over: Json): Json {
  const merged: Json = { ...base };
  for (const [key, value] of Object.entries(over)) {
    const before = merged[key];
    merged[key] = isTable(before) && isTable(value) ? merge(before, value) : value;
  }
  return merged;
}

const isTable = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
