/** Cloudflare's REST API (https://developers.cloudflare.com/api/), as far as it is needed before and after a deploy. */
import { setTimeout as wait } from "node:timers/promises";
import { CommandError } from "./command.ts";

/** How a request proves who asks: a token, or an account's key with its e-mail address. */
export type Credentials = { token: string } | { key: string; email: string };

export interface Cloudflare {
  get<T>(path: string, query?: Query): Promise<T>;
  /** The same, and null where the API says 404. */
  find<T>(path: string, query?: Query): Promise<T | null>;
  /** All pages of a list, put together. */
  list<T>(path: string, query?: Query): Promise<T[]>;
  post<T>(path: string, body: object): Promise<T>;
}

type Query = Readonly<Record<string, string>>;

/** A refusal in the API's own words; `codes` are Cloudflare's numbers. */
export class ApiError extends CommandError {
  readonly status: number;
  readonly codes: readonly number[];
  constructor(message: string, status: number, codes: readonly number[]) {
    super(message);
    this.status = status;
    this.codes = codes;
  }
}

const DEFAULT_URL = "https://api.cloudflare.com/client/v4";
const TIMEOUT_MS = 30_000;
const TRIES = 5;
const FIRST_WAIT_MS = 500;
const LONGEST_WAIT_MS = 60_000;
const TOLD_FROM_MS = 2000;
/** What every list takes. */
const PER_PAGE = 100;
const MAX_PAGES = 100;

interface Answer {
  success?: boolean;
  result?: unknown;
  errors?: { code?: number; message?: string }[];
  result_info?: { total_pages?: number; total_count?: number; cursor?: string };
}

/** The API's address: Cloudflare's, or a stand-in's on this machine by `CLOUDFLARE_API_BASE_URL`. */
function apiUrl(): string {
  const url = (process.env.CLOUDFLARE_API_BASE_URL || DEFAULT_URL).replace(/\/+$/, "");
  if (/^https:\/\/|^http:\/\/(localhost|127\.0\.0\.1|\[::1\])[:/]/.test(url)) return url;
  throw new CommandError("CLOUDFLARE_API_BASE_URL must be https: a token does not travel in the clear.");
}

/**
 * A connection to the API. A rate limit (429) is waited out; what only reads is repeated when the network breaks or the API
 * has an outage; what creates is not, because it may have been done: a second run finds it.
 *
 * @param say is called with what is being waited for
 * @throws ApiError (from each call) with the API's message, CommandError when it cannot be reached
 */
export function openCloudflare(credentials: Credentials, say: (line: string) => void): Cloudflare {
  const base = apiUrl();
  const authorization: Record<string, string> =
    "token" in credentials
      ? { authorization: `Bearer ${credentials.token}` }
      : { "x-auth-key": credentials.key, "x-auth-email": credentials.email };

  async function request(method: "GET" | "POST", path: string, query: Query, body?: object): Promise<Answer> {
    const search = Object.keys(query).length === 0 ? "" : `?${new URLSearchParams(query)}`;
    for (let attempt = 1; ; attempt++) {
      const response = await fetch(`${base}${path}${search}`, {
        method,
        headers: { ...authorization, ...(body !== undefined && { "content-type": "application/json" }) },
        ...(body !== undefined && { body: JSON.stringify(body) }),
        redirect: "manual",
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }).catch(() => null);
      const mayRepeat = attempt < TRIES && (method === "GET" || response?.status === 429);
      const isPassing = response === null || response.status === 429 || response.status >= 500;
      if (response !== null && !(isPassing && mayRepeat)) return read(response, method, path);
      if (!mayRepeat) throw new CommandError(broken(method, path));
      await response?.body?.cancel();
      const waitMs = waitAfter(response, attempt);
      if (waitMs >= TOLD_FROM_MS) {
        say(`The API asks to wait; going on in ${Math.ceil(waitMs / 1000)} s.`);
      }
      await wait(waitMs);
    }
  }

  return {
    get: async <T>(path: string, query: Query = {}) => (await request("GET", path, query)).result as T,
    find: async <T>(path: string, query: Query = {}) => {
      try {
        return (await request("GET", path, query)).result as T;
      } catch (error) {
        if (error instanceof ApiError && error.status === 404) return null;
        throw error;
      }
    },
    list: async <T>(path: string, query: Query = {}) => {
      const found: T[] = [];
      for (let page = 1; page <= MAX_PAGES; page++) {
        const answer = await request("GET", path, {
          ...query,
          page: String(page),
          per_page: String(PER_PAGE),
        });
        const items = (answer.result ?? []) as T[];
        found.push(...items);
        const { total_pages: pages, total_count: total } = answer.result_info ?? {};
        if (items.length === 0 || (pages ?? Math.ceil((total ?? 0) / PER_PAGE)) <= page) break;
      }
      return found;
    },
    post: async <T>(path: string, body: object) => (await request("POST", path, {}, body)).result as T,
  };
}

function waitAfter(response: Response | null, attempt: number): number {
  const asked = Number(response?.headers.get("retry-after") ?? Number.NaN) * 1000;
  const waitMs = Number.isFinite(asked) ? asked : FIRST_WAIT_MS * 2 ** (attempt - 1);
  return Math.min(Math.max(waitMs, 0), LONGEST_WAIT_MS);
}

async function read(response: Response, method: string, path: string): Promise<Answer> {
  const answer = (await response.json().catch(() => null)) as Answer | null;
  if (response.ok && answer?.success === true) return answer;
  if (answer?.errors === undefined) {
    throw new CommandError(
      `The API answered ${response.status} without a message to ${method} ${path}. Run again: what was made is found.`,
    );
  }
  const said = answer.errors.map(
    ({ code, message }) => `${message ?? "no message"} (code ${code ?? "none"})`,
  );
  const need = permissionFor(path);
  const hint =
    response.status === 401 || response.status === 403
      ? `\nThe login may not do this${need === null ? "" : `: it needs the permission "${need}"`}.`
      : "";
  const codes = answer.errors.flatMap(({ code }) => code ?? []);
  throw new ApiError(
    `${method} ${path}: the API says ${said.join("; ") || `nothing (${response.status})`}.${hint}`,
    response.status,
    codes,
  );
}

const broken = (method: string, path: string): string =>
  `The connection to the API broke at ${method} ${path}. Run again: it goes on where it stopped, and what was made is found.`;

/** The permission of a token by the path it was refused at. */
const PERMISSIONS: readonly (readonly [pattern: RegExp, permission: string])[] = [
  [/\/storage\/kv\//, "Workers KV Storage: Edit"],
  [/\/d1\//, "D1: Edit"],
  [/\/queues/, "Queues: Edit"],
  [/\/secrets_store\//, "Secrets Store: Read"],
  [/\/r2\//, "Workers R2 Storage: Edit"],
  [/\/challenges\/widgets/, "Turnstile: Edit"],
  [/\/dns_records/, "DNS: Read"],
  [/\/zones/, "Zone: Read"],
  [/\/workers\//, "Workers Scripts: Edit"],
];

const permissionFor = (path: string): string | null =>
  PERMISSIONS.find(([pattern]) => pattern.test(path))?.[1] ?? null;
