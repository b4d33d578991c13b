/** What is asked twice under one idempotency key is one request. */
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import { answerSent, type SentAnswer } from "./answer-sent.ts";
import type { SendInput } from "./send.ts";

interface IdempotencyClaim {
  key: string;
  value: string;
  fingerprint: string;
  retryKey: string;
  /** True for what an earlier request with this very CAPTCHA token claimed: a network's repetition. */
  repeats(held: string): boolean;
}

/** Shorter keys are guessed or reused by strangers; they count per address, a UUID counts everywhere. */
const SAFE_KEY_LENGTH = 22;

/**
 * What an idempotency key stands for: the fingerprint tells a repeated request from another one that reuses the key, the
 * token's hash tells a repetition from somebody who learned the key, and the session token lets the repetition answer with
 * the very same session.
 */
export async function idempotencyClaim(
  { vault }: Deps,
  request: SendInput,
  { server, ip }: Caller,
  phone: string,
  session: string,
): Promise<IdempotencyClaim | null> {
  const { idempotencyKey, flow, channel, reference, captchaToken } = request;
  if (idempotencyKey === undefined) return null;
  const owner = server?.keyId ?? (idempotencyKey.length < SAFE_KEY_LENGTH ? `public ${ip}` : "public");
  const facts = JSON.stringify([phone, flow, channel, reference ?? null]);
  const key = await vault.tag("idempotency", `${owner} ${idempotencyKey}`);
  const [sealed, fingerprint, captcha, retry] = await Promise.all([
    // Whoever reads the store must not hold the session.
    vault.sealForLedger(heldUnder(key), session),
    vault.tag("request", `${idempotencyKey}\n${facts}`),
    vault.tag("captcha", captchaToken ?? ""),
    vault.tag("retry", `${idempotencyKey}\n${facts}\n${captchaToken ?? ""}`),
  ]);
  return {
    key,
    fingerprint,
    value: `${fingerprint} ${captcha} ${sealed}`,
    retryKey: vault.uuidFrom(retry),
    repeats: (held) => held.split(" ")[1] === captcha,
  };
}

const heldUnder = (key: string) => `idempotency ${key}`;

/** How often, and how long apart, a repetition looks whether the first request has opened its session. */
const REPLAY_LOOKS = 10;
const REPLAY_PAUSE_MS = 200;

/** Answers a repeated request with the first one's session: same verification, one message, one bill. */
export async function answerReplay(
  deps: Deps,
  claim: IdempotencyClaim | null,
  held: string,
): Promise<SentAnswer | Refusal> {
  const [fingerprint, , sealed = ""] = held.split(" ");
  if (claim === null || claim.fingerprint !== fingerprint) return { kind: "idempotency_conflict" };
  const session = await deps.vault.unsealFromLedger(heldUnder(claim.key), sealed);
  const claims = session === null ? null : await deps.tokens.open(session);
  if (session === null || !claims) return { kind: "session_gone", cause: "idempotent session expired" };
  for (let look = 0; look < REPLAY_LOOKS; look++) {
    const view = await deps.sessions.view(claims.sessionId, deps.policy);
    if (view?.delivery === "refused") {
      return { kind: "delivery_failed", cause: "first request's delivery failed", retryAfterSeconds: 5 };
    }
    if (view && view.delivery !== "sending") return answerSent(deps, session, claims.phone, view);
    await deps.pause(REPLAY_PAUSE_MS);
  }
  return { kind: "too_many_requests", cause: "first request still running", retryAfterSeconds: 1 };
}
