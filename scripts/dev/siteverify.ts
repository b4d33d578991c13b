import { applyFaults, type Faults, noFaults } from "./faults.ts";
import type { Handler } from "./serve.ts";

/** Cloudflare's published test secrets: https://developers.cloudflare.com/turnstile/troubleshooting/testing/ */
export const ALWAYS_PASSES_SECRET = "1x0000000000000000000000000000000AA";
const ALWAYS_FAILS_SECRET = "2x0000000000000000000000000000000AA";
const ALREADY_SPENT_SECRET = "3x0000000000000000000000000000000AA";
/** hCaptcha's: https://docs.hcaptcha.com/#integration-testing-test-keys */
export const HCAPTCHA_SECRET = "0x0000000000000000000000000000000000000000";
/** Google's, for version 2; there is none for version 3: https://developers.google.com/recaptcha/docs/faq */
export const RECAPTCHA_SECRET = "6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe";
/** What Turnstile's widget yields under a test site key; good here with every provider, any number of times. */
export const DUMMY_TOKEN = "XXXX.DUMMY.TOKEN.XXXX";

/** Of Turnstile; the others publish none. */
const MAX_TOKEN_LENGTH = 2048;
const REMEMBERED_TOKENS = 10_000;
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

type Facts = URLSearchParams;

/** How one provider's siteverify differs from the others'. */
interface Provider {
  name: string;
  secret: string;
  takesJson: boolean;
  tokenLifeSeconds: number;
  /** Its words for a token used before, one too old, and one of another widget. */
  codes: { spent: string; stale: string; foreign: string };
  /** What it states of a solved challenge beside `success`, the time and the host. */
  states(facts: Facts, isFresh: boolean): object;
}

const TURNSTILE: Provider = {
  name: "turnstile",
  secret: ALWAYS_PASSES_SECRET,
  takesJson: true,
  tokenLifeSeconds: 300,
  codes: {
    spent: "timeout-or-duplicate",
    stale: "timeout-or-duplicate",
    foreign: "invalid-input-response",
  },
  states: (facts) => ({
    "error-codes": [],
    action: facts.get("action") ?? "send",
    ...(facts.has("cdata") && { cdata: facts.get("cdata") }),
  }),
};

/** https://docs.hcaptcha.com/#verify-the-user-response-server-side */
const HCAPTCHA: Provider = {
  name: "hcaptcha",
  secret: HCAPTCHA_SECRET,
  takesJson: false,
  tokenLifeSeconds: 120,
  codes: {
    spent: "already-seen-response",
    stale: "expired-input-response",
    foreign: "sitekey-secret-mismatch",
  },
  states: (facts) => stated(facts, { score: null }),
};

/** https://developers.google.com/recaptcha/docs/verify; a fresh token is one of version 2. */
const RECAPTCHA: Provider = {
  name: "recaptcha",
  secret: RECAPTCHA_SECRET,
  takesJson: false,
  tokenLifeSeconds: 120,
  codes: {
    spent: "timeout-or-duplicate",
    stale: "timeout-or-duplicate",
    foreign: "invalid-input-response",
  },
  states: (facts, isFresh) =>
    stated(facts, isFresh ? { score: null, action: null } : { score: "0.9", action: "send" }),
};

const PROVIDER_AT: Partial<Record<string, Provider>> = {
  "/siteverify": HCAPTCHA,
  "/recaptcha/api/siteverify": RECAPTCHA,
};

export interface SiteverifyService {
  handle: Handler;
  faults: Faults;
  stats: { requests: number };
}

/**
 * Three providers' siteverify with their published test secrets: hCaptcha's at `/siteverify`, reCAPTCHA's at
 * `/recaptcha/api/siteverify`, Turnstile's everywhere else.
 *
 * Beside the dummy token each takes any token beginning `once-`, one time, like a real one; Turnstile, asked again with
 * the same `idempotency_key`, answers the same. Such a token can carry facts as a query:
 * `once-7f3a?hostname=evil.example&action=login&score=0.1&age_seconds=400&error=internal-error` (also `cdata`, and
 * `sitekey`, which hCaptcha compares with the one it is asked about). Unless told, the hostname is `localhost`, the
 * action `send`, and reCAPTCHA's score 0.9. A fact that is empty is not stated by hCaptcha and reCAPTCHA.
 *
 * Tokens beginning `fresh-` are the same for a second widget, whose secret is `freshSecret`.
 *
 * A malformed request answers 400, an outage 503, everything else 200 with the verdict in the body.
 */
export function makeSiteverify(
  options: { nowMs?: () => number; faults?: Faults; freshSecret?: string } = {},
): SiteverifyService {
  const { nowMs = Date.now, faults = noFaults(), freshSecret } = options;
  const stats = { requests: 0 };
  /** Spent tokens, each with the idempotency key it was spent under and the time it was. */
  const spent = new Map<string, { retryKey: string | undefined; atMs: number }>();

  async function handle(request: Request): Promise<Response> {
    stats.requests++;
    const outage = await applyFaults(faults);
    if (outage !== null) return outage;
    if (request.method !== "POST") return new Response("Method Not Allowed", { status: 405 });
    const provider = PROVIDER_AT[new URL(request.url).pathname] ?? TURNSTILE;
    const fields = await readFields(request, provider.takesJson);
    if (fields === null) return Response.json(failure("bad-request"), { status: 400 });
    return Response.json(verify(provider, fields));
  }

  function verify(provider: Provider, { secret, response: token, idempotency_key, sitekey }: Fields) {
    const { codes } = provider;
    const retryKey = provider === TURNSTILE ? idempotency_key : undefined;
    if (!secret) return failure("missing-input-secret");
    if (!token) return failure("missing-input-response");
    if (retryKey !== undefined && !UUID.test(retryKey)) return failure("bad-request");
    if (provider === TURNSTILE && secret === ALWAYS_FAILS_SECRET) return failure("invalid-input-response");
    if (provider === TURNSTILE && secret === ALREADY_SPENT_SECRET) return failure("timeout-or-duplicate");
    if (secret !== provider.secret && secret !== freshSecret) return failure("invalid-input-secret");
    if (provider === TURNSTILE && token.length > MAX_TOKEN_LENGTH) return failure("invalid-input-response");
    if (token !== DUMMY_TOKEN && !/^(once|fresh)-/.test(token)) return failure("invalid-input-response");
    const isFresh = token.startsWith("fresh-");
    if (secret !== (isFresh ? freshSecret : provider.secret)) return failure(codes.foreign);
    if (token === DUMMY_TOKEN) return success(provider, new URLSearchParams(), isFresh);

    const facts = new URLSearchParams(token.split("?")[1]);
    const error = facts.get("error");
    if (error !== null) return failure(error);
    if (provider === HCAPTCHA && sitekey && facts.has("sitekey") && facts.get("sitekey") !== sitekey) {
      return failure(codes.foreign);
    }
    if (Number(facts.get("age_seconds")) > provider.tokenLifeSeconds) return failure(codes.stale);
    const spentAs = `${provider.name} ${token}`;
    const before = spent.get(spentAs);
    if (before) {
      const isRetry = retryKey !== undefined && before.retryKey === retryKey;
      return isRetry ? success(provider, facts, isFresh, before.atMs) : failure(codes.spent);
    }
    spent.set(spentAs, { retryKey, atMs: nowMs() });
    if (spent.size > REMEMBERED_TOKENS) spent.delete(spent.keys().next().value ?? "");
    return success(provider, facts, isFresh);
  }

  function success(provider: Provider, facts: Facts, isFresh: boolean, atMs = nowMs()) {
    const solvedAtMs = atMs - Number(facts.get("age_seconds")) * 1000;
    return {
      success: true,
      challenge_ts: new Date(solvedAtMs).toISOString(),
      hostname: facts.get("hostname") ?? "localhost",
      ...provider.states(facts, isFresh),
    };
  }

  return { handle, faults, stats };
}

type Fields = Partial<Record<string, string>>;

function failure(code: string) {
  return { success: false, "error-codes": [code] };
}

/** Facts under their names, as told or else as usual; one that is null or empty is left out. */
function stated(facts: Facts, usual: Record<string, string | null>): object {
  const told = Object.entries(usual).flatMap(([name, value]) => {
    const text = facts.get(name) ?? value;
    return text ? [[name, name === "score" ? Number(text) : text]] : [];
  });
  return Object.fromEntries(told);
}

/** The fields of a form body, or a JSON one where that is taken, or null when it is neither. */
async function readFields(request: Request, takesJson: boolean): Promise<Fields | null> {
  const type = request.headers.get("content-type") ?? "";
  try {
    if (takesJson && type.startsWith("application/json"))
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
