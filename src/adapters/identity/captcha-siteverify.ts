import * as z from "zod";
import type { CaptchaPolicy } from "../../domain/admission/captcha.policy.ts";
import type { ChallengePort, ChallengeResult } from "../../ports/admission.ts";
import type { Unavailable } from "../../ports/result.ts";
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
  /**
   * Codes that speak of the service or of our request, and none that a visitor can bring about by the choice of a token,
   * because an outage may let people through.
   */
  faults: readonly string[];
  /** Codes for a token that may well be another widget's. */
  foreign: readonly string[];
  /** Secrets that are published for tests: whoever keeps one checks nobody. */
  testSecrets: RegExp;
}

const OUR_REQUEST = ["missing-input-secret", "invalid-input-secret", "bad-request"];

/** Faults that an outage policy must not wave through: a wrong secret checks nobody, for as long as nobody looks. */
const OUR_SECRET = ["missing-input-secret", "invalid-input-secret"];

const PROVIDERS: Record<CaptchaProvider, Provider> = {
  /**
   * A token is good for 300 s.
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
    faults: [...OUR_REQUEST, "internal-error"],
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
    faults: [...OUR_REQUEST, "missing-remoteip", "invalid-remoteip"],
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
    faults: OUR_REQUEST,
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
 */
export function siteverifyCaptcha(rules: CaptchaRules, access: CaptchaAccess): ChallengePort {
  const provider = PROVIDERS[rules.provider];
  const { secret, freshSecret = secret, siteverifyUrl = provider.siteverifyUrl } = access;
  const hostnames = [...rules.hostnames, ...provider.withheldHostnames];

  return {
    async verify(token, ip, retryKey): Promise<ChallengeResult> {
      const signal = AbortSignal.timeout(TIMEOUT_MS);
      const askWith = (secret: string, siteKey: string) =>
        ask(siteverifyUrl, provider.encoding, signal, {
          secret,
          response: token,
          remoteip: ip,
          ...(provider.takesIdempotencyKey && { idempotency_key: retryKey }),
          ...(provider.takesSiteKey && { sitekey: siteKey }),
        });

      const answer = await askWith(secret, rules.site_key);
      if (rules.fresh_site_key === undefined || !isForeign(answer)) return judge(answer, "ordinary");
      return judge(await askWith(freshSecret, rules.fresh_site_key), "fresh");
    },
  };

  function isForeign(answer: Answer | Unavailable): boolean {
    if ("kind" in answer || answer.success) return false;
    return answer["error-codes"].some((code) => provider.foreign.includes(code));
  }

  function judge(answer: Answer | Unavailable, grade: Grade): ChallengeResult {
    if ("kind" in answer) return answer;
    const failed = (cause: string): ChallengeResult => ({ kind: "failed", cause });
    if (!answer.success) {
      const codes = answer["error-codes"];
      const fault = codes.find((code) => provider.faults.includes(code));
      if (fault && OUR_SECRET.includes(fault)) {
        return { kind: "misconfigured", cause: `siteverify says ${fault} of the ${grade} widget` };
      }
      return fault
        ? { kind: "unavailable", cause: `siteverify says ${fault} of the ${grade} widget` }
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

async function ask(
  url: string,
  encoding: Provider["encoding"],
  signal: AbortSignal,
  fields: Record<string, string>,
): Promise<Answer | Unavailable> {
  const body =
    encoding === "json"
      ? { headers: { "content-type": "application/json" }, body: JSON.stringify(fields) }
      : { body: new URLSearchParams(fields) };
  try {
    const response = await fetch(url, { method: "POST", ...body, signal, redirect: "manual" });
    const parsed = answerSchema.safeParse(await response.json());
    return parsed.success
      ? parsed.data
      : { kind: "unavailable", cause: `siteverify answered ${response.status} without a verdict` };
  } catch {
    return { kind: "unavailable", cause: "siteverify is silent or unreadable" };
  }
}
