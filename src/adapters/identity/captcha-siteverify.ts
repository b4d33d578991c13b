import * as z from "zod";
import { addressUnit } from "../../domain/admission/address.ts";
import type { CaptchaPolicy } from "../../domain/admission/captcha.policy.ts";
import type { ChallengePort, ChallengeResult } from "../../ports/admission.ts";
import { statedTimeMs } from "../stated-time.ts";

export type CaptchaProvider = CaptchaPolicy["provider"];

export type CaptchaRules = Pick<
  CaptchaPolicy,
  "provider" | "site_key" | "fresh_site_key" | "hostnames" | "action" | "min_score"
>;

export interface CaptchaAccess {
  secret: string;
  /** The secret of the widget for demanded challenges; the ordinary one's where both share it, as at hCaptcha. */
  freshSecret?: string | undefined;
  /** An address to ask instead of the provider's own. */
  siteverifyUrl?: string | undefined;
}

type Grade = Extract<ChallengeResult, { kind: "passed" }>["grade"];

/** The differences between providers. */
interface Provider {
  siteverifyUrl: string;
  encoding: "json" | "form";
  /** True when a token may be checked again under the same UUID. Elsewhere a token can be checked once. */
  takesIdempotencyKey: boolean;
  /** True when it takes the site key that the token must come from. */
  takesSiteKey: boolean;
  /** The facts beside the host that an answer must state, by the widget it is about. */
  states: Record<Grade, readonly ("action" | "score")[]>;
  /** The meaning of 1 on its scale from 0 to 1: surely a person, or surely an attack. */
  scoreIs: "trust" | "risk" | null;
  /** Values in place of a host that the provider withholds. */
  withheldHostnames: readonly string[];
  /** The most characters of a token; where the vendor says none, what our own contract allows. */
  maxTokenLength: number;
  /** Codes that speak of the service itself, and none that a visitor can bring about: an outage may let people through. */
  outages: readonly string[];
  /** Codes that speak of our settings, and none that a visitor can bring about, as a malformed token does `bad-request`. */
  mistakes: readonly string[];
  /** Codes for a token that may well be another widget's. */
  foreign: readonly string[];
  /** Secrets that are published for tests: whoever keeps one checks nobody. */
  testSecrets: RegExp;
}

const OUR_SECRET = ["missing-input-secret", "invalid-input-secret"];

const MAX_TOKEN_LENGTH = 8192;

/** The characters of base64, base64url, UUIDs and queries: nothing that a token could change our request with. */
const TOKEN_CHARACTERS = /^[\w.~:?=&%+/-]*$/;

/** Statuses that a token alone can bring about; any other 4xx speaks of our settings. */
const REFUSED_TOKEN = [400, 413, 414, 422, 431];

const PROVIDERS: Record<CaptchaProvider, Provider> = {
  /**
   * A token is good for 300 s and has at most 2048 characters.
   * @see https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
   */
  turnstile: {
    siteverifyUrl: "https://challenges.cloudflare.com/turnstile/v0/siteverify",
    encoding: "json",
    takesIdempotencyKey: true,
    takesSiteKey: false,
    states: { ordinary: ["action"], fresh: ["action"] },
    scoreIs: null,
    withheldHostnames: [],
    maxTokenLength: 2048,
    outages: ["internal-error"],
    mistakes: OUR_SECRET,
    foreign: ["invalid-input-response"],
    testSecrets: /^[123]x0+A+$/,
  },
  /**
   * A token is good for 120 s unless configured otherwise. The secret is the account's, so it is the site key that tells
   * the widgets of an account apart. The score, on Enterprise plans, is one of risk: 0 is none, 1 a confirmed threat.
   * The host is the browser's word and withheld under heavy traffic, which an attack is.
   * @see https://docs.hcaptcha.com/#verify-the-user-response-server-side
   */
  hcaptcha: {
    siteverifyUrl: "https://api.hcaptcha.com/siteverify",
    encoding: "form",
    takesIdempotencyKey: false,
    takesSiteKey: true,
    states: { ordinary: [], fresh: [] },
    scoreIs: "risk",
    withheldHostnames: ["not-provided"],
    maxTokenLength: MAX_TOKEN_LENGTH,
    outages: [],
    mistakes: [...OUR_SECRET, "missing-remoteip", "invalid-remoteip"],
    foreign: ["invalid-input-response", "sitekey-secret-mismatch", "invalid-or-already-seen-response"],
    testSecrets: /^0x0+$/,
  },
  /**
   * A token is good for 120 s. Version 3 never asks anything of the visitor, so its interactive second is version 2,
   * which states neither action nor score. `invalid-keys` is in no table, but is what keys that do not match yield.
   * @see https://developers.google.com/recaptcha/docs/verify
   * @see https://developers.google.com/recaptcha/docs/v3
   */
  recaptcha: {
    siteverifyUrl: "https://www.google.com/recaptcha/api/siteverify",
    encoding: "form",
    takesIdempotencyKey: false,
    takesSiteKey: false,
    states: { ordinary: ["action", "score"], fresh: [] },
    scoreIs: "trust",
    withheldHostnames: [],
    maxTokenLength: MAX_TOKEN_LENGTH,
    outages: [],
    mistakes: OUR_SECRET,
    foreign: ["invalid-input-response", "invalid-keys"],
    testSecrets: /^6LeIxAcTAAAAAGG-vFI1TnRWxMZNFuojJ4WifJWe$/,
  },
};

/** For one verification, a second question included. */
const TIMEOUT_MS = 3000;

/** Failures are answered with any status; the body decides. */
const answerSchema = z.object({
  success: z.boolean(),
  hostname: z
    .string()
    .nullish()
    .transform((name) => name ?? ""),
  action: z.string().nullable().default(null),
  score: z.number().nullable().default(null),
  challenge_ts: z.string().nullable().catch(null),
  "error-codes": z.array(z.string()).default([]),
});
type Answer = z.infer<typeof answerSchema>;

/** True for a provider's published test secrets, which pass or fail everybody. */
export function isTestSecret(provider: CaptchaProvider, secret: string): boolean {
  return PROVIDERS[provider].testSecrets.test(secret);
}

/**
 * A CAPTCHA token checked with its provider: good once, for one of our hosts and, where the provider states them, for
 * our action and a high enough score. A token that is not the ordinary widget's is asked about once more as the fresh
 * one's.
 *
 * Only silence, 5xx and answers that cannot be read are outages, which a policy may let people through in: of what a visitor
 * or a wrong setting can bring about nothing is one. A token that no widget makes fails without a question.
 */
export function siteverifyCaptcha(rules: CaptchaRules, access: CaptchaAccess): ChallengePort {
  const provider = PROVIDERS[rules.provider];
  const { secret, freshSecret = secret, siteverifyUrl = provider.siteverifyUrl } = access;
  const hostnames = [...rules.hostnames, ...provider.withheldHostnames];

  return {
    async verify(token, ip, retryKey): Promise<ChallengeResult> {
      if (token.length > provider.maxTokenLength || !TOKEN_CHARACTERS.test(token)) {
        return { kind: "failed", cause: "no token of a widget" };
      }
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const askWith = (secret: string, siteKey: string) =>
        ask(siteverifyUrl, provider.encoding, signal, {
          secret,
          response: token,
          ...(addressUnit(ip) !== null && { remoteip: ip }),
          ...(provider.takesIdempotencyKey && { idempotency_key: retryKey }),
          ...(provider.takesSiteKey && { sitekey: siteKey }),
        });

      const answer = await askWith(secret, rules.site_key);
      if (rules.fresh_site_key === undefined || !isForeign(answer)) return judge(answer, "ordinary");
      return judge(await askWith(freshSecret, rules.fresh_site_key), "fresh");
    },
  };

  function isForeign(answer: Answer | Failure): boolean {
    if ("kind" in answer || answer.success) return false;
    return answer["error-codes"].some((code) => provider.foreign.includes(code));
  }

  function judge(answer: Answer | Failure, grade: Grade): ChallengeResult {
    if ("kind" in answer) return answer;
    const failed = (cause: string): ChallengeResult => ({ kind: "failed", cause });
    if (!answer.success) {
      const codes = answer["error-codes"];
      const told = (named: readonly string[]) => codes.find((code) => named.includes(code));
      const mistake = told(provider.mistakes);
      if (mistake) {
        return { kind: "misconfigured", cause: `siteverify says ${mistake} of the ${grade} widget` };
      }
      const outage = told(provider.outages);
      return outage
        ? { kind: "unavailable", cause: `siteverify says ${outage} of the ${grade} widget` }
        : failed(codes.join(", ") || "refused without a reason");
    }
    const { hostname, action, score, challenge_ts } = answer;
    if (!hostnames.includes(hostname)) return failed("solved on a host that is not on the list");
    const missing = provider.states[grade].find((fact) => answer[fact] === null);
    if (missing) return failed(`solved without stating the ${missing}`);
    if (action !== null && action !== rules.action) return failed("solved for another action");
    if (score !== null && trust(score) < rules.min_score) return failed(`scored ${score}`);
    return { kind: "passed", solvedAtMs: statedTimeMs(challenge_ts), grade };
  }

  function trust(score: number): number {
    return provider.scoreIs === "risk" ? 1 - score : score;
  }
}

type Failure = Exclude<ChallengeResult, { kind: "passed" }>;

async function ask(
  url: string,
  encoding: Provider["encoding"],
  signal: AbortSignal,
  fields: Record<string, string>,
): Promise<Answer | Failure> {
  const body =
    encoding === "json"
      ? { headers: { "content-type": "application/json" }, body: JSON.stringify(fields) }
      : { body: new URLSearchParams(fields) };
  try {
    const response = await fetch(url, { method: "POST", ...body, signal, redirect: "manual" });
    const { status, ok } = response;
    const { data } = answerSchema.safeParse(await response.json().catch(() => null));
    // A refusal is believed with any status below 500, a success only with that of one.
    return data !== undefined && (data.success ? ok : status < 500) ? data : withoutVerdict(status);
  } catch {
    return { kind: "unavailable", cause: "siteverify is silent" };
  }
}

function withoutVerdict(status: number): Failure {
  const cause = `siteverify answered ${status} without a verdict`;
  if (status < 400 || status > 499) return { kind: "unavailable", cause };
  return { kind: REFUSED_TOKEN.includes(status) ? "failed" : "misconfigured", cause };
}
