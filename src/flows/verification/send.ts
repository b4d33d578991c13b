/**
 * Sends a code: posture, number hygiene, admission (CAPTCHA, limits, exposure, risk), reservation together with the
 * session, delivery, answer. The cheap refusals come first and cost no network hop; a refused request creates no session
 * object; an allowed one takes three hops in a row (admission, reservation and session, provider).
 */
import { mayUseFlow } from "../../domain/access/api-key.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import { parsePhone, refuseNumber } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import { minuteOf } from "../../domain/kernel/time.ts";
import { drawCode } from "../../domain/session/code.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { SessionClaims } from "../../ports/session.ts";
import { admit } from "../admission/admit.ts";
import { captchaWanted } from "../admission/judge-challenge.ts";
import { recognise } from "../admission/recognise.ts";
import { readEffectiveControl, refusePaused, refuseShutdown } from "../control/read-effective-control.ts";
import { deliver } from "../delivery/deliver.ts";
import { customerOfSession } from "../publish/notify-customer.ts";
import { recordEvent } from "../publish/record-event.ts";
import { recordRefusal } from "../publish/record-refusal.ts";
import { answerSent, type SentAnswer } from "./answer-sent.ts";
import { answerReplay, idempotencyClaim } from "./claim-idempotency.ts";

export interface SendInput {
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

/**
 * @param correlationId names this verification in the answer, every log line, the message and the proof
 */
export async function send(
  deps: Deps,
  request: SendInput,
  caller: Caller,
  correlationId: string,
): Promise<SentAnswer | Refusal> {
  const outcome = await sendOnce(deps, request, caller, correlationId);
  if (outcome.kind !== "sent") recordRefusal(deps, outcome, request, caller, correlationId);
  return outcome;
}

async function sendOnce(
  deps: Deps,
  request: SendInput,
  caller: Caller,
  correlationId: string,
): Promise<SentAnswer | Refusal> {
  const { policy, tokens, vault } = deps;
  if (caller.server && !mayUseFlow(caller.server, request.flow)) {
    return { kind: "unauthorized", cause: `key ${caller.server.keyId} may not use flow ${request.flow}` };
  }
  const standing = await readEffectiveControl(deps);
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
      deps.defer(recordEvent(deps, { ...happening, code: "decoy" }), correlationId);
    }
    return answerSent(deps, session, phone.e164, view, admitted.own);
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
  return answerSent(deps, session, phone.e164, delivered.view, admitted.own);
}
