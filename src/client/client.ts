/**
 * Tollgate for whoever wants a number verified: browsers, React Native, Node, Deno, Workers. It needs `fetch` and nothing
 * else, throws nothing after it is made, and remembers nothing but the device token, where the caller keeps it.
 */
import { withoutEndSlashes } from "./base-url.ts";
import { newIdempotencyKey } from "./idempotency-key.ts";
import {
  type Channel,
  type Refusal,
  readProblem,
  readRetryAfter,
  readSent,
  readStatus,
  readVerified,
  type Sent,
  type Status,
  secondsToRetry,
  type Verified,
} from "./outcomes.ts";
import { makeRetryDecider } from "./retry-decider.ts";

export { countDown, type Deadline, deadlineIn } from "./deadline.ts";
export { newIdempotencyKey } from "./idempotency-key.ts";
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
  /** As the person typed it: E.164, or national with `region`. */
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
  /** As the person typed it. */
  code: string;
  /** The one that the start was made with. */
  reference?: string | undefined;
}

export interface CallOptions {
  signal?: AbortSignal | undefined;
}

export interface KeyedOptions extends CallOptions {
  /**
   * Of an earlier call with the same request that got no final answer, so that both are one: one message, one attempt.
   * `newIdempotencyKey` makes one; without it each call has its own.
   */
  idempotencyKey?: string | undefined;
}

export type Tollgate = ReturnType<typeof createTollgate>;

const TIMEOUT_MS = 15_000;
const RETRIES = 2;
const BACK_OFF_MS = 500;

/** What the service hands out; anything else in the store is damage. */
const DEVICE_TOKEN = /^[\x21-\x7e]{1,4096}$/;

/** @throws TypeError where there is no `fetch` and none was handed in */
export function createTollgate(options: TollgateOptions) {
  const { deviceTokens, timeoutMs = TIMEOUT_MS, retries = RETRIES } = options;
  const baseUrl = withoutEndSlashes(options.baseUrl);
  const fetch = options.fetch ?? globalFetch();

  return {
    /**
     * Sends a code. What gets no answer, and what is still under way, is repeated under one key: it is one message
     * whatever was lost.
     */
    async start(
      request: StartRequest,
      { signal, idempotencyKey = newIdempotencyKey() }: KeyedOptions = {},
    ): Promise<Sent | Refusal> {
      const { captchaToken, deviceId, ...rest } = request;
      const outcome = await withDeviceToken((device_token) => {
        const body = { ...rest, captcha_token: captchaToken, device_id: deviceId, device_token };
        return keyed(post("/v1/send", body), idempotencyKey, readSent, signal);
      });
      return outcome.kind === "unreachable" ? { ...outcome, idempotencyKey } : outcome;
    },

    /**
     * Sends the code of a session once more, to the same number. Tried once only: a resend has no key, and if it was the
     * answer that got lost, a second try would be refused as too early and hide the message that did leave.
     */
    async resend(request: ResendRequest, { signal }: CallOptions = {}): Promise<Sent | Refusal> {
      const { captchaToken, ...rest } = request;
      return withDeviceToken((device_token) =>
        call(post("/v1/send", { ...rest, captcha_token: captchaToken, device_token }), readSent, 0, signal),
      );
    },

    /** Checks a code. Whatever is repeated has one key, so that a lost answer costs no second attempt and no proof. */
    async verify(
      request: VerifyRequest,
      { signal, idempotencyKey = newIdempotencyKey() }: KeyedOptions = {},
    ): Promise<Verified | Refusal> {
      const outcome = await keyed(post("/v1/verify", request), idempotencyKey, readVerified, signal);
      if (outcome.kind === "verified" && outcome.deviceToken !== "") {
        await quietly(() => deviceTokens?.set(outcome.deviceToken));
      }
      return outcome.kind === "unreachable" ? { ...outcome, idempotencyKey } : outcome;
    },

    async status(session: string, { signal }: CallOptions = {}): Promise<Status | Refusal> {
      const request = { path: "/v1/session", init: { headers: { authorization: `Bearer ${session}` } } };
      return call(request, readStatus, retries, signal);
    },
  };

  /** Makes a send with the device's token, and without it where the service cannot read what the store gave. */
  async function withDeviceToken(send: (token: string | undefined) => Promise<Sent | Refusal>) {
    const kept = await quietly(() => deviceTokens?.get());
    const token = typeof kept === "string" && DEVICE_TOKEN.test(kept) ? kept : undefined;
    const outcome = await send(token);
    const isDamaged =
      outcome.kind === "invalid_request" && outcome.errors.some(({ field }) => field === "device_token");
    return token !== undefined && isDamaged ? send(undefined) : outcome;
  }

  function keyed<T>(
    { path, init }: WireRequest,
    key: string,
    read: Read<T>,
    signal: AbortSignal | undefined,
  ) {
    const headers = { ...init.headers, "idempotency-key": key };
    return call({ path, init: { ...init, headers } }, read, retries, signal);
  }

  async function call<T>(
    request: WireRequest,
    read: Read<T>,
    retriesLeft: number,
    signal: AbortSignal | undefined,
  ): Promise<T | Refusal> {
    const repeatAfter = makeRetryDecider();
    for (let lost = 0; ; ) {
      if (signal?.aborted) return { kind: "aborted" };
      const answer = await ask(request, signal);
      if (answer !== null) {
        const { ok, status, body, retrySeconds } = answer;
        // What cannot be read has another shape than the service writes.
        const good = ok && (await quietly(() => read(body)));
        if (good) return good;
        const refusal = readProblem(status, ok ? null : body, retrySeconds);
        const busyMs = retriesLeft > 0 ? repeatAfter({ status, code: refusal.kind, retrySeconds }) : null;
        if (busyMs === null) return refusal;
        await pause(busyMs, signal);
        continue;
      }
      if (signal?.aborted) return { kind: "aborted" };
      if (lost >= retriesLeft) return { kind: "unreachable", idempotencyKey: null };
      // Half of it is chance, so that those whom one fault cut off do not come back in step.
      await pause(BACK_OFF_MS * 2 ** lost * (0.5 + Math.random()), signal);
      lost++;
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
      const body = parseObject(text);
      const headerSeconds = readRetryAfter(response.headers.get("retry-after"), Date.now());
      const retrySeconds = secondsToRetry(body, headerSeconds);
      return { ok: response.ok, status: response.status, body, retrySeconds };
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
  retrySeconds: number;
}

type Read<T> = (body: object | null) => T | null;

function post(path: string, body: object): WireRequest {
  const headers = { "content-type": "application/json" };
  return { path, init: { method: "POST", headers, body: JSON.stringify(body) } };
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
