/** A request that is repeated under one idempotency key is one request: same session, one message, one bill. */
import type { SessionView } from "../../domain/session/view.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { IdempotencyClaim, RepeatedRequest } from "../admission/request.ts";
import { type Refused, type Replayed, refused } from "../publish/facts.ts";
import type { SendInput } from "./request.ts";

/** A request's claim to its idempotency key. */
export interface RequestClaim extends IdempotencyClaim {
  /** Keyed hash of the request, without its CAPTCHA token. */
  fingerprint: string;
  /** UUID under which the very same request may check its CAPTCHA token again. */
  retryKey: string;
}

/** For so long the same code for the same number is the same delivery. */
const SAME_DELIVERY_SECONDS = 600;

/** The facts that make a delivery of a given code, as one text. */
export const deliveryFacts = (flow: string, e164: string, code: string): string => `${flow} ${e164} ${code}`;

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
export async function prepareClaim(
  { vault, nowMs }: Pick<Deps, "vault" | "nowMs">,
  input: SendInput,
  { server, ip }: Caller,
  session: { phone: string; token: string },
): Promise<RequestClaim | null> {
  const { flow, channel, reference, captchaToken, givenCode } = input;
  // The same code for the same number is the same delivery, whatever a system that tries again calls it.
  const given = givenCode === undefined ? null : deliveryFacts(flow, session.phone, givenCode);
  const idempotencyKey = given ?? input.idempotencyKey;
  if (idempotencyKey === undefined) return null;
  const owner = server?.keyId ?? (idempotencyKey.length < SAFE_KEY_LENGTH ? `public ${ip}` : "public");
  const facts = given ?? JSON.stringify([session.phone, flow, channel, reference ?? null]);
  const key =
    given === null
      ? await vault.tag("idempotency", `${owner} ${idempotencyKey}`)
      : await vault.tag("delivery", given);
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
    value: writeHeld({ fingerprint, captchaTag, sealedToken, claimedAtMs: nowMs() }),
    retryKey: vault.uuidFrom(retry),
    ...(given !== null && { ttlSeconds: SAME_DELIVERY_SECONDS }),
    repeats: (held) => readHeld(held).captchaTag === captchaTag,
  };
}

/** The parts of the value that holds a key. */
interface HeldValue {
  fingerprint: string;
  captchaTag: string;
  sealedToken: string;
  /** NaN in values that were written without it. */
  claimedAtMs: number;
}

const writeHeld = ({ fingerprint, captchaTag, sealedToken, claimedAtMs }: HeldValue): string =>
  `${fingerprint} ${captchaTag} ${sealedToken} ${claimedAtMs}`;

function readHeld(value: string): HeldValue {
  const [fingerprint = "", captchaTag = "", sealedToken = "", claimedAt] = value.split(" ");
  return { fingerprint, captchaTag, sealedToken, claimedAtMs: Number(claimedAt ?? Number.NaN) };
}

const sealName = (key: string) => `idempotency ${key}`;

/** A repetition looks this often, and this long apart, for the provider's answer to the first request. */
const REPLAY_LOOKS = 10;
const REPLAY_PAUSE_MS = 200;

/** No request works as long before its session opens: one that held its key for longer and opened none has died. */
const LONGEST_OPENING_MS = 30_000;

export type ReplayNeeds = Pick<
  Deps,
  "policy" | "sessions" | "tokens" | "vault" | "admission" | "nowMs" | "pause"
>;

/**
 * Answers a repeated request with the first one's session.
 *
 * @returns the session once it is open, after a short wait for the provider's answer; `in_progress` while it is not, which
 * also frees the key of a request that died, so that the next repetition is a first request again
 */
export async function replay(
  deps: ReplayNeeds,
  claim: RequestClaim | null,
  { held, trail, giveBack }: RepeatedRequest,
): Promise<Replayed | Refused> {
  const { policy, sessions, tokens, vault, pause } = deps;
  const { fingerprint, sealedToken } = readHeld(held);
  if (claim === null || claim.fingerprint !== fingerprint) {
    return refused({ kind: "idempotency_conflict" }, { trail });
  }
  const token = await vault.unsealFromLedger(sealName(claim.key), sealedToken);
  const claims = token === null ? null : await tokens.open(token);
  if (token === null || !claims) {
    return refused({ kind: "session_gone", cause: "idempotent session expired" }, { trail });
  }
  let view: SessionView | null = null;
  for (let look = 0; look < REPLAY_LOOKS; look++) {
    view = await sessions.view(claims.sessionId, policy);
    if (view && view.delivery !== "sending") break;
    await pause(REPLAY_PAUSE_MS);
  }
  if (view === null) {
    await freeIfDead(deps, claim.key, held);
    const cause = "first request still running";
    return refused({ kind: "in_progress", cause, retryAfterSeconds: 1 }, { trail, giveBack });
  }
  if (view.delivery === "refused") {
    const cause = "first request's delivery failed";
    return refused({ kind: "delivery_failed", cause, retryAfterSeconds: 5 }, { trail, giveBack });
  }
  const session = { token, phone: claims.phone, view, ownLimits: [] };
  return { kind: "replayed", trail, giveBack, session };
}

async function freeIfDead({ admission, nowMs }: ReplayNeeds, key: string, value: string): Promise<void> {
  const { claimedAtMs } = readHeld(value);
  if (nowMs() - claimedAtMs <= LONGEST_OPENING_MS) return;
  await admission.giveBack({ reservation: null, draws: [], claim: { key, value }, askTag: null });
}
