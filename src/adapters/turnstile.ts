import { z } from "zod";
import type { ChallengePort, ChallengeResult, Unavailable } from "../ports.ts";

export interface TurnstileOptions {
  siteverifyUrl: string;
  secret: string;
  hostnames: readonly string[];
  action: string;
}

const TIMEOUT_MS = 3000;

/** siteverify answers 200 for failures too; the body decides. */
const answerSchema = z.object({
  success: z.boolean(),
  hostname: z.string().optional(),
  action: z.string().optional(),
  "error-codes": z.array(z.string()).default([]),
});

/** Codes that speak of the service or of our secret, not of the visitor. */
const NOT_THE_VISITOR = ["internal-error", "missing-input-secret", "invalid-input-secret", "bad-request"];

/**
 * Cloudflare Turnstile, checked on the server. A token is good once, for 300 s, for one of our hosts and for the action
 * the widget was rendered with.
 *
 * @see https://developers.cloudflare.com/turnstile/get-started/server-side-validation/
 */
export function turnstile(options: TurnstileOptions): ChallengePort {
  return {
    async verify(token, ip, retryKey): Promise<ChallengeResult> {
      const answer = await ask(options, { response: token, remoteip: ip, idempotency_key: retryKey });
      if ("kind" in answer) return answer;
      if (!answer.success) {
        const fault = answer["error-codes"].find((code) => NOT_THE_VISITOR.includes(code));
        return fault
          ? { kind: "unavailable", cause: `siteverify says ${fault}` }
          : { kind: "failed", cause: answer["error-codes"].join(", ") };
      }
      if (!options.hostnames.includes(answer.hostname ?? "")) {
        return { kind: "failed", cause: "solved on a host that is not on the list" };
      }
      if (answer.action !== options.action) return { kind: "failed", cause: "solved for another action" };
      return { kind: "passed" };
    },
  };
}

async function ask(
  { siteverifyUrl, secret }: TurnstileOptions,
  facts: Record<string, string>,
): Promise<z.infer<typeof answerSchema> | Unavailable> {
  try {
    const response = await fetch(siteverifyUrl, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ secret, ...facts }),
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: "manual",
    });
    const parsed = answerSchema.safeParse(await response.json());
    return parsed.success
      ? parsed.data
      : { kind: "unavailable", cause: `siteverify answered ${response.status} without a verdict` };
  } catch {
    return { kind: "unavailable", cause: "siteverify is silent or unreadable" };
  }
}
