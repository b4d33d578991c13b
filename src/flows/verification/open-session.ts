/** A new session: the token its bearer gets, the code, and the command that opens the session's object. */
import type { Channel } from "../../domain/kernel/channel.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import { drawCode } from "../../domain/session/code.ts";
import { SESSION_GRACE_MS } from "../../domain/session/lifetimes.ts";
import type { KeptCode, OpenCommand } from "../../domain/session/session.ts";
import type { Caller } from "../../ports/admission.ts";
import type { Deps } from "../../ports/deps.ts";
import type { SessionClaims } from "../../ports/session.ts";
import type { RecognisedPerson } from "../admission/recognise.ts";
import { customerOfSession } from "../publish/notify-customer.ts";
import type { SendInput } from "./request.ts";

/** Everything a session's claims are made of. */
export interface SessionRequest {
  correlationId: string;
  input: SendInput;
  caller: Caller;
  phone: Phone;
  person: RecognisedPerson;
}

/** A session that exists for its bearer alone: no object was opened yet. */
export interface MintedSession {
  claims: SessionClaims;
  token: string;
}

/** How long the news that a given code was typed can be taken: as long as a session is kept after the longest of its lives. */
export const GIVEN_SECONDS = 600 + SESSION_GRACE_MS / 1000;

export type MintNeeds = Pick<Deps, "policy" | "tokens" | "vault">;

/** Mints a session: its claims, sealed in the token that its bearer brings from now on. */
export async function mintSession(
  { policy, tokens, vault }: MintNeeds,
  { correlationId, input, caller, phone, person }: SessionRequest,
): Promise<MintedSession> {
  const { numberTag, device, ownDevice } = person;
  // Of servers only: a public client may claim any user, and could lock that user out.
  const user = caller.server && input.userId !== undefined ? await vault.tag("user", input.userId) : null;
  const given = input.givenCode !== undefined;
  const claims: SessionClaims = {
    // Whoever brings the code has no token, and finds the session by its correlation id.
    sessionId: given ? correlationId : vault.newId(),
    correlationId,
    flow: input.flow,
    phone: phone.e164,
    locale: input.locale ?? null,
    source: { ip: caller.ip, asn: caller.asn, country: caller.country },
    reference: input.reference ?? null,
    // Named after the number it verifies first: asking for one without a token a hundred times makes one device.
    deviceId: device?.deviceId ?? (await vault.tag("device of", phone.e164)),
    deviceNumberTags: device?.numberTags ?? [],
    // A stranger's failures never stop the owner's own device, which counts apart.
    failureSubjects: { number: ownDevice ? `${numberTag}.own` : numberTag, user },
  };
  const lifeSeconds = given ? GIVEN_SECONDS : policy.code.session_seconds;
  return { claims, token: await tokens.mint(claims, lifeSeconds) };
}

/** A code in clear, for the message alone, and as its session keeps it. */
export interface NewCode {
  code: string;
  kept: KeptCode;
}

/**
 * Draws a code for a session, or takes the one that is given.
 *
 * @param keyId of the session key that digests its codes
 */
export async function newCode(
  { policy, vault }: Pick<Deps, "policy" | "vault">,
  sessionId: string,
  keyId: string,
  givenCode?: string,
): Promise<NewCode> {
  const code = givenCode ?? drawCode(policy.code.length, vault.randomBytes);
  const [digest, sealed] = await Promise.all([
    vault.digestCode(keyId, sessionId, code),
    vault.sealCode(sessionId, code),
  ]);
  return { code, kept: { digest, sealed } };
}

/** The command that opens a session with its first message, but for what the message takes; and the code in clear. */
export interface SessionOpening {
  kind: "open";
  code: string;
  command: Omit<OpenCommand, "hold">;
}

/** A session's first message, and for whom it is. */
interface FirstMessage {
  channel: Channel;
  landline: boolean;
  caller: Caller;
  /** The code where it is the caller's; absent where one is drawn. */
  givenCode: string | undefined;
}

/** Prepares the opening of a session: whether a message leaves or only seems to, it is the same. */
export async function prepareOpening(
  deps: Pick<Deps, "policy" | "vault" | "customer">,
  claims: SessionClaims,
  { channel, landline, caller, givenCode }: FirstMessage,
): Promise<SessionOpening> {
  const { sessionId, correlationId, flow } = claims;
  const [{ code, kept }, customer] = await Promise.all([
    newCode(deps, sessionId, deps.vault.sessionKeyId(), givenCode),
    customerOfSession(deps, claims),
  ]);
  return {
    kind: "open",
    code,
    command: {
      correlationId,
      channel,
      code: kept,
      asn: caller.asn,
      landline,
      customer,
      unreported: deps.policy.flows[flow]?.verified === "unknown",
    },
  };
}
