/** Verifications as another system's clients name them: by the number, or by the id that they were answered with. */

import type { Source } from "../../domain/admission/source.ts";
import { parsePhone } from "../../domain/kernel/phone.ts";
import type { CancelResult } from "../../domain/session/conclude.ts";
import type { SessionView } from "../../domain/session/view.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OpenedToken } from "../../ports/session.ts";
import { publishCancelled } from "../publish/publish-cancelled.ts";
import type { RefusedAnswer } from "./publish-and-answer.ts";
import { type VerifiedAnswer, type VerifyNeeds, verify } from "./verify.ts";

/** A verification that was found by its name. */
export interface NamedVerification {
  claims: OpenedToken;
  token: string;
  view: SessionView;
  /** Channels that follow the present one, where the caller named an order. */
  nextChannels: readonly string[];
}

/** `id` is that of the session (a UUID), `phone` a number in E.164. */
export type VerificationName = { id: string } | { phone: string };

export type FindNeeds = Pick<Deps, "handles" | "tokens" | "sessions" | "vault" | "policy">;

/** A handle outlives its session a little, so that the next request for the number still knows that there was one. */
const AFTER_SESSION_SECONDS = 60;

/**
 * Finds a verification.
 *
 * @param scope of the door's own customer: nobody finds another one's
 * @returns null for a name that stands for nothing, and for a session that is deleted
 */
export async function findVerification(
  deps: FindNeeds,
  scope: string,
  name: VerificationName,
): Promise<NamedVerification | null> {
  const { handles, tokens, sessions, policy } = deps;
  for (const key of "id" in name ? [name.id] : await numberKeys(deps, scope, name.phone)) {
    const handle = await handles.find(key);
    const claims = handle?.scope === scope ? await tokens.open(handle.token) : null;
    const view = claims && (await sessions.view(claims.sessionId, policy));
    if (handle && claims && view) {
      return { claims, token: handle.token, view, nextChannels: handle.nextChannels ?? [] };
    }
  }
  return null;
}

interface KeptVerification {
  token: string;
  nextChannels?: readonly string[];
  /** How long it is found; a little longer than its session lives where absent. */
  lifeSeconds?: number;
}

/** Keeps the names of a verification. @returns it, as it is found from now on; null where its session is gone already */
export async function keepVerification(
  deps: FindNeeds & Pick<Deps, "nowMs">,
  scope: string,
  { token, nextChannels = [], lifeSeconds }: KeptVerification,
): Promise<NamedVerification | null> {
  const { handles, tokens, sessions, policy, nowMs } = deps;
  const claims = await tokens.open(token);
  if (!claims) return null;
  const seconds = lifeSeconds ?? policy.code.session_seconds + AFTER_SESSION_SECONDS;
  const untilMs = nowMs() + seconds * 1000;
  const [numberKey = ""] = await numberKeys(deps, scope, claims.phone);
  const handle = { scope, token, ...(nextChannels.length > 0 && { nextChannels }) };
  const [view] = await Promise.all([
    sessions.view(claims.sessionId, policy),
    handles.keep(claims.sessionId, handle, untilMs),
    handles.keep(numberKey, handle, untilMs),
  ]);
  return view && { claims, token, view, nextChannels };
}

/** Under the present pepper key first; names that were kept before a rotation are found too. */
const numberKeys = async ({ vault }: Pick<Deps, "vault">, scope: string, e164: string): Promise<string[]> =>
  (await vault.tags("verification", `${scope} ${e164}`)).map((tag) => `verification ${tag}`);

/** The number of a name in E.164; null where it is none. */
export function nameByNumber(text: string): VerificationName | null {
  const phone = parsePhone(text, undefined);
  return "kind" in phone ? null : { phone: phone.e164 };
}

const NO_VERIFICATION: RefusedAnswer = { kind: "session_gone", cause: "no such verification" };

/** Judges a code that was typed for a verification of this name. */
export async function checkVerification(
  deps: FindNeeds & VerifyNeeds,
  scope: string,
  { name, code }: { name: VerificationName; code: string },
  source: Source,
): Promise<{ found: NamedVerification | null; answer: VerifiedAnswer | RefusedAnswer }> {
  const found = await findVerification(deps, scope, name);
  if (found === null) return { found, answer: NO_VERIFICATION };
  const { reference } = found.claims;
  const answer = await verify(
    deps,
    { session: found.token, code, reference: reference ?? undefined },
    source,
  );
  return { found, answer };
}

/** Calls a verification off. */
export async function cancelVerification(
  deps: FindNeeds & Pick<Deps, "log">,
  scope: string,
  name: VerificationName,
): Promise<{ kind: "cancelled"; found: NamedVerification } | RefusedAnswer> {
  const found = await findVerification(deps, scope, name);
  if (found === null) return NO_VERIFICATION;
  const { sessionId, correlationId } = found.claims;
  const result: CancelResult = await deps.sessions.cancel(sessionId);
  if (result.kind === "gone") return { kind: "session_gone", cause: result.cause, correlationId };
  publishCancelled(deps, correlationId);
  return { kind: "cancelled", found };
}
