/**
 * Judges a code that somebody typed.
 *
 * 1. Open the session's token, without any store.
 * 2. Attempt: one call to the session object counts the attempt and compares.
 * 3. Publish the attempt behind the answer. Budgets, marks, counters and limits learn from it there, and none of them being
 *    silent stops a verification.
 * 4. Answer: a right code with a signed proof and a device token, any other with its refusal.
 */

import type { Source } from "../../domain/admission/source.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import { parsePhone } from "../../domain/kernel/phone.ts";
import type { AttemptResult, KeyedAttemptResult } from "../../domain/session/attempt.ts";
import type { Deps } from "../../ports/deps.ts";
import type { OpenedToken } from "../../ports/session.ts";
import { type PublishNeeds, publish } from "../publish/publish.ts";
import type { RefusedAnswer } from "./publish-and-answer.ts";

export interface VerifyInput {
  session: string;
  code: string;
  /** Must be the one the session was asked for with, where there was one. */
  reference: string | undefined;
  /** Under it the same code has the same answer for a short time; absent, every call is an attempt. */
  idempotencyKey?: string | undefined;
}

export interface VerifiedAnswer {
  kind: "verified";
  proof: string;
  /** E.164. */
  phone: string;
  correlationId: string;
  /** For the client to keep and bring to its next send: it is known from now on. */
  deviceToken: string;
}

export type VerifyNeeds = PublishNeeds & Pick<Deps, "sessions" | "tokens" | "proofs" | "devices">;

/** Numbers a device token remembers; a shared family phone has a few, a farm has many. */
const NUMBERS_PER_DEVICE = 5;

/** The client kit waits this long by itself, and repeats the call under its key. */
const PROOF_RETRY_SECONDS = 2;

/** @param source of whoever typed the code, who need not be who asked for it */
export async function verify(
  deps: VerifyNeeds,
  input: VerifyInput,
  source: Source,
): Promise<VerifiedAnswer | RefusedAnswer> {
  const { tokens, vault } = deps;
  const claims = await tokens.open(input.session);
  if (!claims) return { kind: "session_gone", cause: "token refused" };
  const { sessionId, correlationId, flow } = claims;
  if ((input.reference ?? null) !== claims.reference) {
    return { kind: "session_gone", cause: "another reference", correlationId };
  }

  // From the attempt to its publication nothing is awaited: a handler that breaks between them would lose what it teaches.
  const [digest, numberTags] = await Promise.all([
    vault.digestCode(claims.keyId, sessionId, input.code),
    vault.tags("number", claims.phone),
  ]);
  const proofId = vault.newId();
  const attempted = await attempt(deps, claims, { digest, proofId, key: input.idempotencyKey });
  if (attempted.kind === "conflict") return { kind: "idempotency_conflict", correlationId };
  const { result } = attempted;

  const number = parsePhone(claims.phone, undefined);
  const request = { correlationId, flow, phone: "kind" in number ? null : number, source };
  // A repeated attempt has been published, and taught everything it has to teach.
  if (attempted.kind === "judged") {
    const { result } = attempted;
    publish(deps, request, { kind: "attempted", claims, result, numberTag: numberTags[0] ?? "" });
  }

  if (result.kind === "verified") {
    const { proofId, atMs } = attempted;
    return prove(deps, claims, { numberTags, channel: result.channel, proofId, atMs });
  }
  return { ...refusalOf(result), correlationId };
}

/** One attempt; under an idempotency key a repetition of the same one has its result. */
async function attempt(
  { policy, sessions, vault, nowMs }: Pick<Deps, "policy" | "sessions" | "vault" | "nowMs">,
  { sessionId }: OpenedToken,
  { digest, proofId, key }: { digest: string; proofId: string; key: string | undefined },
): Promise<KeyedAttemptResult> {
  if (key === undefined) {
    const result = await sessions.attempt(sessionId, digest, policy);
    return { kind: "judged", result, proofId, atMs: nowMs() };
  }
  const tag = await vault.tag("verify idempotency", `${sessionId} ${key}`);
  return sessions.attemptOnce(sessionId, { digest, proofId, key: tag }, policy);
}

/** A right code, and everything its proof says that the token does not. */
interface Proven {
  channel: Channel;
  /** Keyed hashes of the number, under the present key first. */
  numberTags: readonly string[];
  /** The proof's `jti`, and its time. */
  proofId: string;
  atMs: number;
}

function refusalOf(result: Exclude<AttemptResult, { kind: "verified" }>): RefusedAnswer {
  switch (result.kind) {
    case "gone":
      return { kind: "session_gone", cause: result.cause };
    case "locked":
      return { ...result, kind: "too_many_attempts", attemptsLeft: 0 };
    case "wait":
      return { ...result, kind: "too_many_attempts" };
    case "incorrect":
      return { ...result, kind: "code_incorrect" };
  }
}

/**
 * Signs the proof of a verified number, and issues the device's token with the number as its newest. Where the signer is
 * silent, the code stays used up: a repetition under the same idempotency key has the proof signed then.
 */
async function prove(
  { policy, proofs, devices }: Pick<Deps, "policy" | "proofs" | "devices">,
  { phone, flow, reference, correlationId, deviceId, deviceNumberTags }: OpenedToken,
  { channel, numberTags: [numberTag = "", ...olderTags], proofId, atMs }: Proven,
): Promise<VerifiedAnswer | RefusedAnswer> {
  const audience = policy.flows[flow]?.audience ?? policy.proof.audience;
  const others = deviceNumberTags.filter((tag) => tag !== numberTag && !olderTags.includes(tag));
  const [proof, deviceToken] = await Promise.all([
    proofs.sign({ phone, flow, audience, channel, reference, correlationId }, atMs, proofId),
    devices.issue({ deviceId, numberTags: [numberTag, ...others].slice(0, NUMBERS_PER_DEVICE) }),
  ]);
  if (typeof proof !== "string") {
    const { cause } = proof;
    return { kind: "proof_unavailable", cause, retryAfterSeconds: PROOF_RETRY_SECONDS, correlationId };
  }
  return { kind: "verified", proof, phone, correlationId, deviceToken };
}
