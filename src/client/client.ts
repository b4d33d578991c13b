/**
 * Tollgate for whoever wants a number verified: browsers, React Native, Node, Deno, Workers. It needs `fetch` and nothing
 * else, throws nothing after it is made, and remembers nothing but the device token, where the caller keeps it.
 */
import {
  type Channel,
  type Refusal,
  readProblem,
  readSent,
  readStatus,
  readVerified,
  type Sent,
  type Status,
  type Verified,
} from "./outcomes.ts";

export { countDown, type Deadline, deadlineIn } from "./deadline.ts";
export type { Challenge, Channel, Refusal, Sent, Status, Verified } from "./outcomes.ts";

/** Where a caller keeps what makes this a known device, `localStorage` or a keychain for example. May fail: it is a help. */
export interface DeviceTokens {
  get(): string | null | undefined | Promise<string | null | undefined>;
  set(token: string): unknown;
}

export interface TollgateOptions {
  /** Where Tollgate answers, for example `https://verify.example.com`; empty for the page's own origin. */
  baseUrl: string;
  /** Instead of the global one. */
  fetch?: typeof fetch | undefined;
  deviceTokens?: DeviceTokens | undefined;
  /** How long one try waits for an answer. */
  timeoutMs?: number | undefined;
  /** How often what got no answer is tried again. */
  retries?: number | undefined;
}

export interface StartRequest {
  /** E.164, or national with `region`. */
  phone: string;
  /** ISO 3166-1 alpha-2. */
  region?: string | undefined;
  flow?: string | undefined;
  channel?: Channel | undefined;
  captchaToken?: string | undefined;
  /** A code asked for with one verifies only with it. */
  reference?: string | undefined;
  deviceId?: string | undefined;
  /** Language of the message, a BCP 47 tag. */
  locale?: string | undefined;
}

export interface ResendRequest {
  session: string;
  channel?: Channel | undefined;
  captchaToken?: string | undefined;
}

export interface VerifyRequest {
  session: string;
  code: string;
  /** The one that the start was made with. */
  reference?: string | undefined;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface StartOptions extends CallOptions {
  /** Of an earlier start that ended `unreachable`, so that both are one verification. */
  idempotencyKey?: string | undefined;
}

export type Tollgate = ReturnType<typeof createTollgate>;

const TIMEOUT_MS = 15_000;
const RETRIES = 2;
const BACK_OFF_MS = 500;

/** @throws TypeError where there is no `fetch` and none was handed in */
export function createTollgate(options: TollgateOptions) {
  const { deviceTokens, timeoutMs = TIMEOUT_MS, retries = RETRIES } = options;
  const baseUrl = options.baseUrl.replace(/\/+$/, "");
  const fetch = options.fetch ?? globalFetch();

  return {
    /** Sends a code. What gets no answer is tried again under one key: it is one message whatever was lost. */
    async start(
      request: StartRequest,
      { signal, idempotencyKey }: StartOptions = {},
    ): Promise<Sent | Refusal> {
      const key = idempotencyKey ?? newUuid();
      const { captchaToken, deviceId, ...rest } = request;
      const body = {
        ...rest,
        captcha_token: captchaToken,
        device_id: deviceId,
        device_token: await deviceToken(),
      };
      const outcome = await call(
        post("/v1/send", body, { "idempotency-key": key }),
        readSent,
        retries,
        signal,
      );
      return outcome.kind === "unreachable" ? { ...outcome, idempotencyKey: key } : outcome;
    },

    /**
     * Sends the code of a session once more, to the same number. Tried once only: a resend has no key, and if it was the
     * answer that got lost, a second try would be refused as too early and hide the message that did leave.
     */
    async resend(request: ResendRequest, { signal }: CallOptions = {}): Promise<Sent | Refusal> {
      const { captchaToken, ...rest } = request;
      const body = { ...rest, captcha_token: captchaToken, device_token: await deviceToken() };
      return call(post("/v1/send", body), readSent, 0, signal);
    },

    async verify(request: VerifyRequest, { signal }: CallOptions = {}): Promise<Verified | Refusal> {
      const outcome = await call(post("/v1/verify", request), readVerified, retries, signal);
      if (outcome.kind === "verified" && outcome.deviceToken !== "") {
        await quietly(() => deviceTokens?.set(outcome.deviceToken));
      }
      return outcome;
    },

    async status(session: string, { signal }: CallOptions = {}): Promise<Status | Refusal> {
      const request = { path: "/v1/session", init: { headers: { authorization: `Bearer ${session}` } } };
      return call(request, readStatus, retries, signal);
    },
  };

  async function deviceToken(): Promise<string | undefined> {
    return (await quietly(() => deviceTokens?.get())) || undefined;
  }

  async function call<T>(
    request: WireRequest,
    read: (body: object | null) => T | null,
    retriesLeft: number,
    signal: AbortSignal | undefined,
  ): Promise<T | Refusal> {
    for (let tried = 0; ; tried++) {
      if (signal?.aborted) return { kind: "aborted" };
      const answer = await ask(request, signal);
      if (answer !== null) {
        const { ok, status, body, retryAfter } = answer;
        // What cannot be read has another shape than the service writes.
        return (ok && (await quietly(() => read(body)))) || readProblem(status, ok ? null : body, retryAfter);
      }
      if (signal?.aborted) return { kind: "aborted" };
      if (tried >= retriesLeft) return { kind: "unreachable", idempotencyKey: null };
      // Half of it is chance, so that those whom one fault cut off do not come back in step.
      await pause(BACK_OFF_MS * 2 ** tried * (0.5 + Math.random()), signal);
    }
  }

  /** One try; null without an answer. */
  async function ask({ path, init }: WireRequest, signal: AbortSignal | undefined): Promise<Answer | null> {
    const own = typeof AbortController === "function" ? new AbortController() : null;
    const abort = () => own?.abort();
    signal?.addEventListener("abort", abort);
    const timer = setTimeout(abort, timeoutMs);
    try {
      const response = await fetch(baseUrl + path, own ? { ...init, signal: own.signal } : init);
      const text = await response.text();
      const retryAfter = response.headers.get("retry-after");
      return { ok: response.ok, status: response.status, body: parseObject(text), retryAfter };
    } catch {
      return null;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
    }
  }
}

interface WireRequest {
  path: string;
  init: { method?: string; headers: Record<string, string>; body?: string };
}

interface Answer {
  ok: boolean;
  status: number;
  body: object | null;
  retryAfter: string | null;
}

function post(path: string, body: object, headers: Record<string, string> = {}): WireRequest {
  return {
    path,
    init: {
      method: "POST",
      headers: { "content-type": "application/json", ...headers },
      body: JSON.stringify(body),
    },
  };
}

function globalFetch(): typeof fetch {
  if (typeof globalThis.fetch !== "function") throw new TypeError("there is no fetch here: hand one in");
  // A browser's fetch wants to be called on its window.
  return (...args) => globalThis.fetch(...args);
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" ? value : null;
  } catch {
    return null;
  }
}

async function quietly<T>(work: () => T): Promise<Awaited<T> | undefined> {
  try {
    return await work();
  } catch {
    return undefined;
  }
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}

/**
 * A version 4 UUID (RFC 9562). Insecure pages and React Native have no `crypto.randomUUID`, and some apps no `crypto`;
 * it names a request and guards nothing, so ordinary chance is good enough there.
 */
function newUuid(): string {
  const { crypto } = globalThis as { crypto?: Partial<Crypto> };
  if (crypto?.randomUUID) return crypto.randomUUID();
  const bytes = new Uint8Array(16);
  if (crypto?.getRandomValues) crypto.getRandomValues(bytes);
  else for (let i = 0; i < 16; i++) bytes[i] = Math.floor(Math.random() * 256);
  const hex = Array.from(bytes, (byte, i) => {
    const set = i === 6 ? (byte & 0x0f) | 0x40 : i === 8 ? (byte & 0x3f) | 0x80 : byte;
    return set.toString(16).padStart(2, "0");
  }).join("");
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
}
