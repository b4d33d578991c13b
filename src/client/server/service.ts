import type {
  Problem,
  SendAnswer,
  SendRequest,
  SessionAnswer,
  VerifyAnswer,
  VerifyRequest,
} from "../../http/contract.ts";
import { withoutEndSlashes } from "../base-url.ts";
import { readRetryAfter, secondsToRetry } from "../outcomes.ts";
import { makeRetryDecider } from "../retry-decider.ts";

const TIMEOUT_MS = 10_000;
/** Waits before the second and the third try of a request that nobody answered. */
const RETRY_WAITS_MS = [250, 1_000];

/** Your end user, as your server saw them: limits and budgets go by this, not by your server's own address. */
export type ClientFacts = NonNullable<SendRequest["client"]>;

export type ServerSend = Omit<SendRequest, "session" | "client"> & { client: ClientFacts };
/** The session whose code goes out again, and what the send may repeat: another channel, a CAPTCHA token. */
export type ServerResend = Pick<SendRequest, "channel" | "captcha_token" | "device_token" | "device_id"> & {
  session: string;
  client: ClientFacts;
};
export type ServerVerify = VerifyRequest & { client: ClientFacts };

/** What became of somebody who was verified: it teaches the service which destinations are worth their messages. */
export interface OutcomeReport {
  /** One of the policy's `outcomes`: `signup`, `payment` ... */
  type: string;
  /** The `jti` of the proof. */
  proof_id: string;
  /** When it happened, as RFC 3339. */
  at?: string | undefined;
  /** What it was worth, in millionths of the price table's currency. */
  value_micros?: number | undefined;
}

export interface OutcomesAnswer {
  /** Counted now. */
  accepted: number;
  /** Counted before, for the same proof and type. */
  repeated: number;
}

/** Answers and problems as the wire has them, so that a backend can hand them on to its app. */
export type Outcome<Answer> =
  | { ok: true; answer: Answer }
  /** The service said no: `code` is stable, `problem` has what it comes with (RFC 9457). */
  | { ok: false; code: Problem["code"]; problem: Problem }
  /** No answer, or none of the service's own. What was asked may have happened: repeat it under the same key. */
  | { ok: false; code: "unreachable" | "unreadable_answer"; problem?: undefined };

interface CallOptions {
  signal?: AbortSignal | undefined;
}

/** Repeated with the same idempotency key a call is the same one: one message, one attempt, one proof. */
interface KeyedOptions extends CallOptions {
  idempotencyKey?: string | undefined;
}

export interface ServerClientOptions {
  /** Of the service, for example `https://verify.example.com`. */
  baseUrl: string;
  /** `tg_...`; keep it on your server. */
  apiKey: string;
  /** In place of the global one: a service binding's, for example. */
  fetch?: typeof fetch | undefined;
}

export interface ServerClient {
  /** Sends a code. Without a key from you each call is a verification of its own, and only its own retries share a key. */
  send(request: ServerSend, options?: KeyedOptions): Promise<Outcome<SendAnswer>>;
  /** Sends the code of a session again. Not retried: a second message costs a second time. */
  resend(request: ServerResend, options?: CallOptions): Promise<Outcome<SendAnswer>>;
  /**
   * Checks a code, and spends an attempt if it is wrong. Retried with a key from you only: without one an attempt may
   * count although its answer is lost.
   */
  verify(request: ServerVerify, options?: KeyedOptions): Promise<Outcome<VerifyAnswer>>;
  /** The state of a session and of its delivery. */
  status(session: string, options?: CallOptions): Promise<Outcome<SessionAnswer>>;
  /** Reports what became of people who were verified, at most 100 at a time. One that is repeated counts once. */
  outcomes(reports: readonly OutcomeReport[], options?: CallOptions): Promise<Outcome<OutcomesAnswer>>;
}

/**
 * A client for backends that drive the service for their own users, with an API key. No call rejects, but when its
 * signal is aborted: then with the signal's reason.
 */
export function createServerClient(client: ServerClientOptions): ServerClient {
  const base = withoutEndSlashes(client.baseUrl);
  const withKey = { authorization: `Bearer ${client.apiKey}` };

  async function call<Answer>(path: string, init: Call): Promise<Outcome<Answer>> {
    const waitsMs = init.repeatable ? [...RETRY_WAITS_MS] : [];
    const repeatAfter = makeRetryDecider();
    for (;;) {
      const response = await once(`${base}${path}`, init);
      if (response !== null) {
        const outcome = await read<Answer>(response);
        if (outcome.ok || !init.repeatable) return outcome;
        const headerSeconds = readRetryAfter(response.headers.get("retry-after"), Date.now());
        const retrySeconds = secondsToRetry(outcome.problem ?? null, headerSeconds);
        const busyMs = repeatAfter({ status: response.status, code: outcome.code, retrySeconds });
        if (busyMs === null) return outcome;
        await pause(busyMs, init.signal);
        continue;
      }
      const waitMs = waitsMs.shift();
      if (waitMs === undefined) return { ok: false, code: "unreachable" };
      await pause(waitMs * (0.5 + Math.random() / 2), init.signal);
    }
  }

  /** null: nobody answered. */
  async function once(url: string, { method, headers, body, signal }: Call): Promise<Response | null> {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      return await (client.fetch ?? fetch)(url, {
        method,
        headers: body === undefined ? headers : { ...headers, "content-type": "application/json" },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        // The key goes to the service and nowhere else.
        redirect: "manual",
      });
    } catch {
      signal?.throwIfAborted();
      return null;
    }
  }

  const post = <Answer>(path: string, body: unknown, init: Partial<Call>) =>
    call<Answer>(path, { method: "POST", headers: withKey, body, repeatable: false, ...init });

  const keyed = <Answer>(path: string, body: unknown, idempotencyKey: string, options: CallOptions) => {
    const headers = { ...withKey, "idempotency-key": idempotencyKey };
    return post<Answer>(path, body, { headers, repeatable: true, ...options });
  };

  return {
    send: (request, { idempotencyKey = crypto.randomUUID(), ...options } = {}) =>
      keyed("/v1/send", request, idempotencyKey, options),
    resend: (request, options) => post("/v1/send", request, { ...options }),
    verify: (request, { idempotencyKey, ...options } = {}) =>
      idempotencyKey === undefined
        ? post("/v1/verify", request, options)
        : keyed("/v1/verify", request, idempotencyKey, options),
    status: (session, options) =>
      call("/v1/session", {
        method: "GET",
        headers: { authorization: `Bearer ${session}` },
        repeatable: true,
        ...options,
      }),
    outcomes: (reports, options) =>
      post("/v1/outcomes", { outcomes: reports }, { repeatable: true, ...options }),
  };
}

interface Call extends CallOptions {
  method: "GET" | "POST";
  headers: Record<string, string>;
  body?: unknown;
  /** Whether the service takes a second one for the first. */
  repeatable: boolean;
}

async function read<Answer>(response: Response): Promise<Outcome<Answer>> {
  const body: unknown = await response.json().catch(() => null);
  if (typeof body === "object" && body !== null) {
    if (response.ok) return { ok: true, answer: body as Answer };
    if ("code" in body && typeof body.code === "string") {
      const problem = body as Problem;
      return { ok: false, code: problem.code, problem };
    }
  }
  return { ok: false, code: "unreadable_answer" };
}

/** Waits; rejects with the signal's reason when it is aborted. */
function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener("abort", abort);
      resolve();
    }, ms);
    signal?.addEventListener("abort", abort, { once: true });
  });
}
