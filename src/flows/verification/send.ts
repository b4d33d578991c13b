/**
 * Sends a code to a number.
 *
 * 1. Gate: what can be refused by the request and the control documents (a copy a few seconds old) is refused first.
 * 2. Admit: one round trip to the store draws the caller's limits, claims the idempotency key and reads the signals, beside
 *    one to the CAPTCHA's issuer; where the risk is worth its price, a source is asked about the number. The verdict decides.
 * 3. Open: a code is drawn, and the session's opening prepared; a decoy's session is opened, and its code thrown away.
 * 4. Deliver: room and money are reserved while the session opens with the message marked as being sent, then up to three
 *    routes are tried in turn, and the session writes down what became of it.
 * 5. Answer: everything the client needs next; and behind the answer the one fact of the request is published.
 *
 * What admission refuses opens no session object. An allowed send waits for three hops in a row: admission, reservation and
 * session, provider; a lookup, a choice between routes or an idempotency key may add one each.
 */

import { isEarlyCall } from "../../domain/delivery/early-call.ts";
import { parsePhoneFor } from "../../domain/kernel/phone.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import { type AdmitNeeds, admit } from "../admission/admit.ts";
import { recognise } from "../admission/recognise.ts";
import { claimToGiveBack } from "../admission/request.ts";
import { type DeliverNeeds, deliver } from "../delivery/deliver.ts";
import type { Broken, SendFact } from "../publish/facts.ts";
import { type GateNeeds, gate, SEND_GATES } from "./gate.ts";
import { openDecoy, refuseDecoy } from "./open-decoy.ts";
import { type MintNeeds, mintSession, prepareOpening } from "./open-session.ts";
import { prepareClaim, type ReplayNeeds, replay } from "./prepare-claim.ts";
import {
  type PublishAndAnswerNeeds,
  publishAndAnswer,
  type RefusedAnswer,
  type SentAnswer,
} from "./publish-and-answer.ts";
import type { SendInput } from "./request.ts";

export type SendNeeds = GateNeeds &
  MintNeeds &
  AdmitNeeds &
  DeliverNeeds &
  PublishAndAnswerNeeds &
  ReplayNeeds &
  Pick<Deps, "devices">;

/** @param correlationId names this verification in the answer, every line of the log, the message and the proof */
export async function send(
  deps: SendNeeds,
  input: SendInput,
  caller: Caller,
  correlationId: string,
): Promise<SentAnswer | RefusedAnswer> {
  const { flow, channel } = input;
  const number = parsePhoneFor(channel, input.phone, input.region);
  const request = { correlationId, flow, phone: "kind" in number ? null : number, source: caller };
  const conclude = (fact: SendFact) => publishAndAnswer(deps, request, fact);

  const { captchaToken } = input;
  const asked = { caller, flow, channel, phone: number, isSessionNumber: true, captchaToken };
  const gated = await gate(deps, SEND_GATES, asked);
  if (gated.kind === "refused") return conclude(gated);
  const { phone, control } = gated;
  const earlyCall = isEarlyCall(phone, channel, deps.policy.delivery);

  const person = await recognise(deps, phone.e164, input.deviceToken);
  const session = await mintSession(deps, { correlationId, input, caller, phone, person });
  const { claims, token } = session;
  const claim = await prepareClaim(deps, input, caller, { phone: phone.e164, token });
  // Whatever breaks before a message is handed over frees the key, so that the request can be repeated.
  const giveBack = claimToGiveBack({ claim });
  const broken = (error: unknown): Broken => ({
    kind: "broken",
    error,
    trail: null,
    requested: null,
    giveBack,
  });
  const admitted = await admit(deps, {
    correlationId,
    control,
    caller,
    phone,
    person,
    flow,
    channel,
    isEarlyCall: earlyCall,
    locale: claims.locale,
    codeLength: input.givenCode?.length,
    captchaToken: captchaToken ?? null,
    claimedDeviceId: input.deviceId ?? null,
    userTag: claims.failureSubjects.user,
    failureSubjects: claims.failureSubjects,
    retryKey: claim?.retryKey ?? deps.vault.newId(),
    claim,
  }).catch(broken);
  if (admitted.kind === "refused" || admitted.kind === "broken") return conclude(admitted);
  if (admitted.kind === "replay") return conclude(await replay(deps, claim, admitted));

  const { givenCode } = input;
  // Whoever brings a code is told the truth about it.
  if (admitted.kind === "decoy" && givenCode !== undefined) return conclude(refuseDecoy(admitted, giveBack));
  // An early call that was admitted goes to a number that a source knows for a landline.
  const landline = phone.type === "fixed_line" || earlyCall;
  const opening = await prepareOpening(deps, claims, { channel, landline, caller, givenCode }).catch(broken);
  if (opening.kind === "broken") return conclude({ ...opening, trail: admitted.trail });
  if (admitted.kind === "decoy") {
    const opened = await openDecoy(deps, admitted, session, opening);
    return conclude(opened.kind === "broken" ? { ...opened, giveBack } : opened);
  }

  const delivered = await deliver(deps, admitted, {
    correlationId,
    flow,
    sessionId: claims.sessionId,
    token,
    phone,
    channel,
    locale: claims.locale,
    reference: claims.reference,
    numberTag: person.numberTag,
    userTag: claims.failureSubjects.user,
    beginning: opening,
    isAutomatic: false,
  });
  return conclude(delivered);
}
