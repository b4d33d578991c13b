/**
 * Sends a code: posture, number hygiene, admission (CAPTCHA, limits, exposure, risk), reservation together with the
 * session, delivery, answer. The cheap refusals come first and cost no network hop; a refused request creates no session
 * object; an allowed one takes three hops in a row (admission, reservation and session, provider).
 */
import { mayUseFlow } from "../domain/admission/api-key.ts";
import type { LimitResult } from "../domain/admission/limits.ts";
import { maskPhone, parsePhone, refuseNumber } from "../domain/phone.ts";
import type { Refusal } from "../domain/reasons.ts";
import { drawCode } from "../domain/session/code.ts";
import type { Channel } from "../domain/session/session.ts";
import type { SessionView } from "../domain/session/view.ts";
import { minuteOf } from "../domain/watch/cohorts.ts";
import type { Caller, Deps, SessionClaims } from "../ports.ts";
import { admit } from "./admit.ts";
import { bookRefusal } from "./book-refusal.ts";
import { captchaWanted } from "./challenge.ts";
import { deliver } from "./deliver.ts";
import { currentStanding, refusePaused, refuseShutdown } from "./posture.ts";
import { recognise } from "./recognise.ts";
import { customerOfSession } from "./tell-customer.ts";
import { tellLedger } from "./tell-ledger.ts";

export interface SendRequest {
  phone: string;
  region: string | undefined;
  flow: string;
  channel: Channel;
  locale: string | undefined;
  captchaToken: string | undefined;
  deviceToken: string | undefined;
  deviceId: string | undefined;
  userId: string | undefined;
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
  /** The tightest of the caller's own limits; null in a repeated answer. */
  ownLimit: { max: number; remaining: number } | null;
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
  const outcome = await sendOnce(deps, request, caller, correlationId);
  if (outcome.kind !== "sent") bookRefusal(deps, outcome, request, caller, correlationId);
  return outcome;
}

async function sendOnce(
  deps: Deps,
  request: SendRequest,
  caller: Caller,
  correlationId: string,
): Promise<Sent | Refusal> {
  const { policy, tokens, vault } = deps;
  if (caller.server && !mayUseFlow(caller.server, request.flow)) {
    return { kind: "unauthorized", cause: `key ${caller.server.keyId} may not use flow ${request.flow}` };
  }
  const standing = await currentStanding(deps);
  const shutDown = refuseShutdown(standing);
  if (shutDown) return shutDown;

  const phone = parsePhone(request.phone, request.region);
  if ("kind" in phone) return phone;
  const countries = policy.flows[request.flow]?.countries ?? policy.countries;
  const unfit = refuseNumber(phone, request.channel, policy.numbers, countries);
  if (unfit) return unfit;
  const paused = refusePaused(standing, { country: phone.country, flow: request.flow }, deps.nowMs());
  if (paused) return paused;
  if (
    request.channel === "voice" &&
    phone.type !== "fixed_line" &&
    policy.delivery.voice_after_messages > 0
  ) {
    const reason = "follows messages that did not arrive: ask by sms first, and see next_channels";
    return { kind: "invalid_request", errors: [{ field: "channel", reason }] };
  }
  if (request.captchaToken === undefined && captchaWanted(deps, standing, caller)) {
    return { kind: "challenge_required", fresh: false, factors: [] };
  }

  const { numberTag, olderNumberTags, device, ownDevice } = await recognise(
    deps,
    phone.e164,
    request.deviceToken,
  );
  const userTag =
    caller.server && request.userId !== undefined ? await vault.tag("user", request.userId) : null;
  const sessionId = vault.newId();
  const claims: SessionClaims = {
    sessionId,
    correlationId,
    flow: request.flow,
    phone: phone.e164,
    locale: request.locale ?? null,
    source: { ip: caller.ip, asn: caller.asn, country: caller.country },
    reference: request.reference ?? null,
    // Named after the number it verifies first: asking for one without a token a hundred times makes one device.
    deviceId: device?.deviceId ?? (await vault.tag("device of", phone.e164)),
    deviceNumberTags: device?.numberTags ?? [],
    failureTags: [
      // A stranger's failures never stop the owner's own device, which counts apart.
      ownDevice ? `${numberTag}.own` : numberTag,
      // Of servers only: a public client may claim any user, and could lock that user out.
      ...(userTag === null ? [] : [userTag]),
    ],
  };
  const session = await tokens.mint(claims, policy.code.session_seconds);
  const claim = await idempotencyClaim(deps, request, caller, phone.e164, session);
  const admitted = await admit(deps, {
    correlationId,
    standing,
    caller,
    phone,
    numberTag,
    olderNumberTags,
    flow: request.flow,
    locale: claims.locale,
    channel: request.channel,
    captchaToken: request.captchaToken ?? null,
    device: ownDevice,
    userTag,
    claimedDeviceId: request.deviceId ?? null,
    failureTags: claims.failureTags,
    retryKey: claim?.retryKey ?? vault.newId(),
    claim,
  });
  if (admitted.kind === "replay") return answerReplay(deps, claim, admitted.value);
  if (admitted.kind !== "admitted" && admitted.kind !== "decoy") return admitted;

  const code = drawCode(policy.code.length, vault.randomBytes);
  const [digest, sealed, customer] = await Promise.all([
    vault.digestCode(vault.sessionKeyId(), sessionId, code),
    vault.sealCode(sessionId, code),
    customerOfSession(deps, claims),
  ]);
  const landline = phone.type === "fixed_line";
  const command = {
    correlationId,
    channel: request.channel,
    code: { digest, sealed },
    asn: caller.asn,
    landline,
    customer,
  };
  if (admitted.kind === "decoy") {
    // A session like any other, whose code nobody gets.
    const view = await deps.sessions.open(sessionId, { ...command, hold: null }, policy);
    const outcome = { status: "accepted" as const, provider: null, messageId: null };
    await deps.sessions.settle(sessionId, 0, outcome);
    const entries = admitted.observed;
    if (entries.length > 0) {
      deps.defer(deps.counters.count([{ minute: minuteOf(deps.nowMs()), entries }]), correlationId);
    }
    if (deps.events.samples("decoy")) {
      const told = { correlationId, flow: request.flow, phone, source: caller, channel: request.channel };
      const happening = { ...told, kind: "refused" as const, of: vault.newId(), ...admitted.verdict };
      deps.defer(tellLedger(deps, { ...happening, code: "decoy" }), correlationId);
    }
    return sentAnswer(deps, session, phone.e164, view, admitted.own);
  }
  const delivered = await deliver(deps, admitted, {
    sessionId,
    session,
    correlationId,
    phone,
    flow: request.flow,
    locale: claims.locale,
    reference: claims.reference,
    source: caller,
    numberTag,
    userTag,
    channel: request.channel,
    async begin() {
      const view = await deps.sessions.open(sessionId, { ...command, hold: admitted.hold }, policy);
      return { view, sendIndex: 0, code, tried: [] };
    },
  });
  if (delivered.kind !== "delivered") return delivered;
  return sentAnswer(deps, session, phone.e164, delivered.view, admitted.own);
}

/** Puts into words what the client needs next. */
export function sentAnswer(
  { policy }: Deps,
  session: string,
  phone: string,
  view: SessionView,
  own: readonly LimitResult[] = [],
): Sent {
  const tightest = own.toSorted((a, b) => a.remaining - b.remaining)[0];
  return {
    kind: "sent",
    session,
    correlationId: view.correlationId,
    channel: view.channel,
    maskedPhone: maskPhone(phone),
    codeLength: policy.code.length,
    expiresInSeconds: view.expiresInSeconds,
    resendInSeconds: view.resendInSeconds,
    attemptsLeft: view.attemptsLeft,
    nextChannels: view.nextChannels,
    ownLimit: tightest ? { max: tightest.max, remaining: tightest.remaining } : null,
  };
}

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
async function idempotencyClaim(
  { vault }: Deps,
  request: SendRequest,
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

/** Answers a repeated request with the first one's session: same verification, one message, one bill. */
async function answerReplay(
  deps: Deps,
  claim: IdempotencyClaim | null,
  held: string,
): Promise<Sent | Refusal> {
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
    if (view && view.delivery !== "sending") return sentAnswer(deps, session, claims.phone, view);
    await deps.pause(200);
  }
  return { kind: "too_many_requests", cause: "first request still running", retryAfterSeconds: 1 };
}
