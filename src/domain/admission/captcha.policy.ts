/** CAPTCHAs: who must bring one, which it is, and how its answers are read. */
import * as z from "zod";
import { channel, type PolicyOf } from "../kernel/shapes.policy.ts";

/**
 * The public clients whose sends need a CAPTCHA token. `emergency`: none, until a posture asks for it (`postures.*.challenge`),
 * which it may whatever this says.
 */
export const challengePolicy = z.enum(["always", "emergency", "never"]).default("always");

/** True for a host as the providers state it: its name in ASCII and lower case, or its address, and nothing around it. */
function isHostname(text: string): boolean {
  const url = `https://${text}`;
  return (
    /^([a-z0-9_-]+(\.[a-z0-9_-]+)*|\[[0-9a-f:.]+\])$/.test(text) &&
    URL.canParse(url) &&
    new URL(url).hostname === text
  );
}

export const captchaPolicy = z.strictObject({
  provider: z.enum(["turnstile", "hcaptcha", "recaptcha"]).default("turnstile"),
  site_key: z.string().min(1),
  /** A second, interactive widget for demanded challenges; without one a token solved after the demand counts. */
  fresh_site_key: z.string().min(1).optional(),
  /** Hosts whose pages may have solved the challenge. */
  hostnames: z
    .array(
      z
        .string()
        .refine(
          isHostname,
          "must be a host alone, like www.example.com: no scheme, port, path or wildcard, in lower case, and a name in another script as xn--...",
        ),
    )
    .min(1),
  /** The action the widget was rendered with. */
  action: z
    .string()
    .regex(/^[\w-]{1,32}$/)
    .default("send"),
  /** reCAPTCHA v3 alone: lower scores fail. */
  min_score: z.number().min(0).max(1).default(0.5),
  /**
   * siteverify silent or broken: refuse, or let a clean caller through while the posture is normal. Budgets hold meanwhile, and
   * a vendor's outage is not the people's fault.
   */
  on_outage: z.enum(["refuse", "allow_clean"]).default("allow_clean"),
  /** Strangers who must bring a fresh challenge, beside what the budgets demand. */
  demand: z
    .strictObject({
      /** A call costs ten times as much as a text. */
      channels: z.array(channel).default(["voice"]),
      /** From this many unverified messages per address on; null never. */
      from_unverified: z.int().min(1).nullable().default(null),
    })
    .prefault({}),
});

export type CaptchaPolicy = PolicyOf<typeof captchaPolicy>;
