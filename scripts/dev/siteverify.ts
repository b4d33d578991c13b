import { applyFaults, type Faults, noFaults } from "./faults.ts";
import type { Handler } from "./serve.ts";

/** Cloudflare's published test secrets: https://developers.cloudflare.com/turnstile/troubleshooting/testing/ */
export const ALWAYS_PASSES_SECRET = "1x0000000000000000000000000000000AA";
const ALWAYS_FAILS_SECRET = "2x0000000000000000000000000000000AA";
const ALREADY_SPENT_SECRET = "3x0000000000000000000000000000000AA";
/** What the widget yields under a test site key; good any number of times. */
export const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";

const MAX_TOKEN_LENGTH = 2048;
const TOKEN_LIFE_SECONDS = 300;
const REMEMBERED_TOKENS = 10_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

export interface SiteverifyService {
  handle: Handler;
  faults: Faults;
  stats: { requests: number };
}

/**
 * Turnstile's siteverify with its published test secrets.
 *
 * Beside the dummy token it takes any token beginning `once-`, one time, like a real one; asked again with the same
 * `idempotency_key` it answers the same. Such a token can carry facts as a query:
 * `once-7f3a?hostname=evil.example&action=login&age_seconds=400&error=internal-error` (also `cdata`). Unless told, the
 * hostname is `localhost` and the action `send`.
 *
 * A malformed request answers 400, an outage 503, everything else 200 with the verdict in the body.
 */
export function makeSiteverify(options: { nowMs?: () => number; faults?: Faults } = {}): SiteverifyService {
  const nowMs = options.nowMs ?? Date.now;
  const faults = options.faults ?? noFaults();
  const stats = { requests: 0 };
  /** Spent tokens, each with the idempotency key it was spent under. */
  const spent = new Map<string, string | undefined>();

  async function handle(request: Request): Promise<Response> {
    stats.requests++;
    const outage = await applyFaults(faults);
    if (outage !== null) return outage;
    if (request.method !== "POST") return new Response("Method Not Allowed", { status: 405 });
    const fields = await readFields(request);
    if (fields === null) return Response.json(failure("bad-request"), { status: 400 });
    return Response.json(verify(fields));
  }

  function verify({ secret, response: token, idempotency_key: retryKey }: Fields) {
    if (!secret) return failure("missing-input-secret");
    if (!token) return failure("missing-input-response");
    if (retryKey !== undefined && !UUID.test(retryKey)) return failure("bad-request");
    if (secret === ALWAYS_FAILS_SECRET) return failure("invalid-input-response");
    if (secret === ALREADY_SPENT_SECRET) return failure("timeout-or-duplicate");
    if (secret !== ALWAYS_PASSES_SECRET) return failure("invalid-input-secret");
    if (token.length > MAX_TOKEN_LENGTH) return failure("invalid-input-response");
    if (token === DUMMY_TOKEN) return success(new URLSearchParams());
    if (!token.startsWith("once-")) return failure("invalid-input-response");

    const facts = new URLSearchParams(token.split("?")[1]);
    const error = facts.get("error");
    if (error !== null) return failure(error);
    if (Number(facts.get("age_seconds")) > TOKEN_LIFE_SECONDS) return failure("timeout-or-duplicate");
    if (spent.has(token)) {
      const isRetry = retryKey !== undefined && spent.get(token) === retryKey;
      return isRetry ? success(facts) : failure("timeout-or-duplicate");
    }
    spent.set(token, retryKey);
    if (spent.size > REMEMBERED_TOKENS) spent.delete(spent.keys().next().value ?? "");
    return success(facts);
  }

  function success(facts: URLSearchParams) {
    const solvedAtMs = nowMs() - Number(facts.get("age_seconds")) * 1000;
    return {
      success: true,
      "error-codes": [],
      challenge_ts: new Date(solvedAtMs).toISOString(),
      hostname: facts.get("hostname") ?? "localhost",
      action: facts.get("action") ?? "send",
      ...(facts.has("cdata") ? { cdata: facts.get("cdata") } : {}),
    };
  }

  return { handle, faults, stats };
}

type Fields = Partial<Record<string, string>>;

function failure(code: string) {
  return { success: false, "error-codes": [code] };
}

/** The fields of a JSON or form body, or null when it is neither. */
async function readFields(request: Request): Promise<Fields | null> {
  const type = request.headers.get("content-type") ?? "";
  try {
    if (type.startsWith("application/json"))
      return textFields(Object.entries((await request.json()) as object));
    if (/^(application\/x-www-form-urlencoded|multipart\/form-data)/.test(type)) {
      return textFields([...(await request.formData()).entries()]);
    }
  } catch {
    // Not what the content type says.
  }
  return null;
}

function textFields(entries: [string, unknown][]): Fields | null {
  if (!entries.every(([, value]) => typeof value === "string")) return null;
  return Object.fromEntries(entries) as Fields;
}
