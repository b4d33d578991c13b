/**
 * Sends the code of a session once more.
 *
 * 1. Open the session's token: the number comes from it, and never from the request.
 * 2. Gate, 3. admit and 4. deliver as for a send; the code stays the same while it is good.
 * 5. Answer, and publish the one fact of the request behind it.
 */
import { parsePhone, parsePhoneFor } from "../../domain/kernel/phone.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OpenedToken } from "../../ports/session.ts";
import { type AdmitNeeds, admit } from "../admission/admit.ts";
import { recognise } from "../admission/recognise.ts";
import { type DeliverNeeds, deliver } from "../delivery/deliver.ts";
import { refused, type SendFact } from "../publish/facts.ts";
import { type GateNeeds, gate, RESEND_GATES } from "./gate.ts";
import { refuseDecoy } from "./open-decoy.ts";
import { newCode } from "./open-session.ts";
import {
  type PublishAndAnswerNeeds,
  publishAndAnswer,
  type RefusedAnswer,
  type SentAnswer,
} from "./publish-and-answer.ts";
import type { ResendInput } from "./request.ts";

export type ResendNeeds = GateNeeds &
  AdmitNeeds &
  DeliverNeeds &
  PublishAndAnswerNeeds &
  Pick<Deps, "tokens" | "devices">;

export async function resend(
  deps: ResendNeeds,
  input: ResendInput,
  caller: Caller,
): Promise<SentAnswer | RefusedAnswer> {
  const claims = await deps.tokens.open(input.session);
  if (!claims) return { kind: "session_gone", cause: "token refused" };
  const { sessionId, correlationId, flow } = claims;
  const { channel, captchaToken } = input;
  const number = parsePhone(claims.phone, undefined);
  const request = { correlationId, flow, phone: "kind" in number ? null : number, source: caller };
  const conclude = (fact: SendFact) => publishAndAnswer(deps, request, fact);

  const isSessionNumber = repeatsNumber(input, claims);
  const asked = { caller, flow, channel, phone: number, isSessionNumber, captchaToken };
  const gated = await gate(deps, RESEND_GATES, asked);
  if (gated.kind === "refused") return conclude(gated);
  const { phone, control } = gated;

  const person = await recognise(deps, phone.e164, input.deviceToken);
  const admitted = await admit(deps, {
    correlationId,
    control,
    caller,
    phone,
    person,
    flow,
    channel,
    // The session knows when a call may follow.
    isEarlyCall: false,
    locale: claims.locale,
    captchaToken: captchaToken ?? null,
    claimedDeviceId: input.deviceId ?? null,
    // The user's limit was drawn on by the first message.
    userTag: null,
    failureSubjects: claims.failureSubjects,
    retryKey: deps.vault.newId(),
    claim: null,
  });
  if (admitted.kind === "refused") return conclude(admitted);
  if (admitted.kind === "replay") return conclude(refused({ kind: "idempotency_conflict" }));
  // A session that sent a message cannot seem to send another.
  if (admitted.kind === "decoy") return conclude(refuseDecoy(admitted));

  const { kept } = await newCode(deps, sessionId, claims.keyId);
  const delivered = await deliver(deps, admitted, {
    correlationId,
    flow,
    sessionId,
    token: input.session,
    phone,
    channel,
    locale: claims.locale,
    reference: claims.reference,
    numberTag: person.numberTag,
    userTag: claims.failureSubjects.user,
    beginning: { kind: "resend", command: { channel, fresh: kept, asn: caller.asn } },
    isAutomatic: input.isAutomatic ?? false,
  });
  return conclude(delivered);
}

/** True where the client repeats no number, or the session's. */
function repeatsNumber({ phone, region }: ResendInput, claims: OpenedToken): boolean {
  if (phone === undefined) return true;
  // The session may have begun with a text or with a call.
  const forms = [parsePhoneFor("sms", phone, region), parsePhoneFor("voice", phone, region)];
  return forms.some((parsed) => "e164" in parsed && parsed.e164 === claims.phone);
}
