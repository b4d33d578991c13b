/**
 * Sends a code: posture, number hygiene, admission (CAPTCHA and limits), session, delivery, answer. The cheap refusals
 * come first and cost no network hop; a refused request creates no session object; an allowed one takes three hops in
 * a row (admission, session, provider).
 */
import { drawCode } from "../domain/code.ts";
import { maskPhone, parsePhone, refuseNumber } from "../domain/phone.ts";
import type { Refusal } from "../domain/reasons.ts";
import type { Channel, SessionView } from "../domain/session.ts";
import type { Caller, Deps } from "../ports.ts";
import { admit, challengeWanted } from "./admit.ts";
import { dispatch } from "./dispatch.ts";
import { currentPosture } from "./posture.ts";

export interface SendRequest {
  phone: string;
  region: string | undefined;
  flow: string;
  channel: Channel;
  captchaToken: string | undefined;
  reference: string | undefined;
  idempotencyKey: string | undefined;
}

export interface Sent {
  kind: "sent";
  session: string;
  correlationId: string;
  channel: Channel;
  maskedPhone: string;
  codeLength: number;
  expiresInSeconds: number;
  /** null when this session can send no more. */
  resendInSeconds: number | null;
  attemptsLeft: number;
  nextChannels: { channel: Channel; availableInSeconds: number }[];
}

/**
 * @param correlationId names this verification in the answer, every log line, the message and the proof
 */
export async function send(
  deps: Deps,
  request: SendRequest,
  caller: Caller,
  correlationId: string,
): Promise<Sent | Refusal> {
  const { policy, control, sessions, tokens, vault } = deps;
  const posture = await currentPosture(control, deps.nowMs());
  if (posture === "shutdown") return { kind: "sending_paused", cause: "shutdown", retryAfterSeconds: 300 };

  const phone = parsePhone(request.phone, request.region);
  if ("kind" in phone) return phone;
  const unfit = refuseNumber(phone, request.channel, policy.numbers, policy.countries);
  if (unfit) return unfit;
  const challenged = challengeWanted(deps, posture);
  if (challenged && request.captchaToken === undefined) return { kind: "challenge_required" };

  const sessionId = vault.newId();
  const claims = {
    sessionId,
    correlationId,
    flow: request.flow,
    phone: phone.e164,
    reference: request.reference ?? null,
  };
  const session = await tokens.mint(claims, policy.code.session_seconds);
  const claim = await idempotencyClaim(deps, request, phone.e164, session);
  const admitted = await admit(deps, {
    posture,
    caller,
    phone: phone.e164,
    captchaToken: challenged ? (request.captchaToken ?? null) : null,
    retryKey: claim?.retryKey ?? vault.newId(),
    claim,
  });
  if (admitted.kind === "replay") return answerReplay(deps, claim?.fingerprint ?? "", admitted.value);
  if (admitted.kind !== "admitted") return admitted;

  const code = drawCode(policy.code.length, vault.randomBytes);
  const [digest, sealed] = await Promise.all([
    vault.digestCode(vault.sessionKeyId(), sessionId, code),
    vault.sealCode(sessionId, code),
  ]);
  const view = await sessions.open(
    sessionId,
    { correlationId, channel: request.channel, code: { digest, sealed } },
    policy,
  );
  const failure = await dispatch(deps, {
    sessionId,
    correlationId,
    sendIndex: 0,
    to: phone.e164,
    code,
    channel: request.channel,
  });
  if (failure) {
    admitted.giveBack();
    return failure;
  }
  return sentAnswer(deps, session, phone.e164, view);
}

/** Puts into words what the client needs next. */
export function sentAnswer({ policy }: Deps, session: string, phone: string, view: SessionView): Sent {
  const { resendInSeconds } = view;
  return {
    kind: "sent",
    session,
    correlationId: view.correlationId,
    channel: view.channel,
    maskedPhone: maskPhone(phone),
    codeLength: policy.code.length,
    expiresInSeconds: view.expiresInSeconds,
    resendInSeconds,
    attemptsLeft: view.attemptsLeft,
    nextChannels:
      resendInSeconds === null
        ? []
        : policy.delivery.channels.map((channel) => ({ channel, availableInSeconds: resendInSeconds })),
  };
}

interface IdempotencyClaim {
  key: string;
  value: string;
  fingerprint: string;
  retryKey: string;
}

/**
 * What an idempotency key stands for: the fingerprint tells a repeated request from another one that reuses the key, the
 * session token lets the repetition answer with the very same session.
 */
async function idempotencyClaim(
  { vault }: Deps,
  request: SendRequest,
  phone: string,
  session: string,
): Promise<IdempotencyClaim | null> {
  if (request.idempotencyKey === undefined) return null;
  const facts = JSON.stringify([phone, request.flow, request.channel, request.reference ?? null]);
  const [key, fingerprint] = await Promise.all([
    vault.tag("idempotency", request.idempotencyKey),
    vault.tag("request", `${request.idempotencyKey}\n${facts}`),
  ]);
  return { key, fingerprint, value: `${fingerprint} ${session}`, retryKey: vault.uuidFrom(fingerprint) };
}

/** How often, and how long apart, a repetition looks whether the first request has opened its session. */
const REPLAY_LOOKS = 10;

/** Answers a repeated request with the first one's session: same verification, one message, one bill. */
async function answerReplay(deps: Deps, fingerprint: string, held: string): Promise<Sent | Refusal> {
  const [heldFingerprint, session = ""] = held.split(" ");
  if (heldFingerprint !== fingerprint) return { kind: "idempotency_conflict" };
  const claims = await deps.tokens.open(session);
  if (!claims) return { kind: "session_gone", cause: "idempotent session expired" };
  for (let look = 0; look < REPLAY_LOOKS; look++) {
    const view = await deps.sessions.view(claims.sessionId, deps.policy);
    if (view?.delivery === "refused") {
      return { kind: "delivery_failed", cause: "first request's delivery failed", retryAfterSeconds: 5 };
    }
    if (view && view.delivery !== "sending") return sentAnswer(deps, session, claims.phone, view);
    await deps.pause(200);
  }
  return { kind: "too_many_requests", cause: "first request still running", retryAfterSeconds: 1 };
}
