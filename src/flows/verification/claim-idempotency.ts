/** A request that is repeated under one idempotency key is one request: same session, one message, one bill. */
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { IdempotencyClaim, ReplayRequest } from "../admission/request.ts";
import { type Refused, type Replayed, refused } from "../publish/facts.ts";
import type { SendInput } from "./request.ts";

/** A request's claim to its idempotency key. */
export interface RequestClaim extends IdempotencyClaim {
  /** Keyed hash of the request, without its CAPTCHA token. */
  fingerprint: string;
  /** UUID under which the very same request may check its CAPTCHA token again. */
  retryKey: string;
}

/** Shorter keys are guessed or reused by strangers; they count per address, a UUID counts everywhere. */
const SAFE_KEY_LENGTH = 22;

/**
 * Makes a request's claim to its idempotency key: the fingerprint tells a repeated request from another one that reuses the
 * key, the token's hash tells a repetition from somebody who learned the key, and the session token lets the repetition
 * answer with the very same session.
 *
 * @param session the number in E.164 and the token of the session that this request would open
 * @returns null for a request without a key
 */
export async function claimIdempotency(
  { vault }: Pick<Deps, "vault">,
  input: SendInput,
  { server, ip }: Caller,
  session: { phone: string; token: string },
): Promise<RequestClaim | null> {
  const { idempotencyKey, flow, channel, reference, captchaToken } = input;
  if (idempotencyKey === undefined) return null;
  const owner = server?.keyId ?? (idempotencyKey.length < SAFE_KEY_LENGTH ? `public ${ip}` : "public");
  const facts = JSON.stringify([session.phone, flow, channel, reference ?? null]);
  const key = await vault.tag("idempotency", `${owner} ${idempotencyKey}`);
  const [sealedToken, fingerprint, captchaTag, retry] = await Promise.all([
    // Whoever reads the store must not hold the session.
    vault.sealForLedger(sealName(key), session.token),
    vault.tag("request", `${idempotencyKey}\n${facts}`),
    vault.tag("captcha", captchaToken ?? ""),
    vault.tag("retry", `${idempotencyKey}\n${facts}\n${captchaToken ?? ""}`),
  ]);
  return {
    key,
    fingerprint,
    value: writeHeld({ fingerprint, captchaTag, sealedToken }),
    retryKey: vault.uuidFrom(retry),
    repeats: (held) => readHeld(held).captchaTag === captchaTag,
  };
}

/** The parts of the value that holds a key. */
interface HeldValue {
  fingerprint: string;
  captchaTag: string;
  sealedToken: string;
}

const writeHeld = ({ fingerprint, captchaTag, sealedToken }: HeldValue): string =>
  `${fingerprint} ${captchaTag} ${sealedToken}`;

function readHeld(value: string): HeldValue {
  const [fingerprint = "", captchaTag = "", sealedToken = ""] = value.split(" ");
  return { fingerprint, captchaTag, sealedToken };
}

const sealName = (key: string) => `idempotency ${key}`;

/** A repetition looks this often, and this long apart, whether the first request has opened its session. */
const REPLAY_LOOKS = 10;
const REPLAY_PAUSE_MS = 200;

/** Answers a repeated request with the first one's session. */
export async function replay(
  {
    policy,
    sessions,
    tokens,
    vault,
    pause,
  }: Pick<Deps, "policy" | "sessions" | "tokens" | "vault" | "pause">,
  claim: RequestClaim | null,
  { held, trail }: ReplayRequest,
): Promise<Replayed | Refused> {
  const { fingerprint, sealedToken } = readHeld(held);
  if (claim === null || claim.fingerprint !== fingerprint) {
    return refused({ kind: "idempotency_conflict" }, { trail });
  }
  const token = await vault.unsealFromLedger(sealName(claim.key), sealedToken);
  const claims = token === null ? null : await tokens.open(token);
  if (token === null || !claims) {
    return refused({ kind: "session_gone", cause: "idempotent session expired" }, { trail });
  }
  for (let look = 0; look < REPLAY_LOOKS; look++) {
    const view = await sessions.view(claims.sessionId, policy);
    if (view?.delivery === "refused") {
      const cause = "first request's delivery failed";
      return refused({ kind: "delivery_failed", cause, retryAfterSeconds: 5 }, { trail });
    }
    if (view && view.delivery !== "sending") {
      const session = { token, phone: claims.phone, view, ownLimits: [] };
      return { kind: "replayed", trail, session };
    }
    await pause(REPLAY_PAUSE_MS);
  }
  const cause = "first request still running";
  return refused({ kind: "too_many_requests", cause, retryAfterSeconds: 1 }, { trail });
}
