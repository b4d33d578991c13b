import type { Reservation } from "../admission/reservation.ts";
import type { Channel } from "../kernel/channel.ts";
import { sameDigest } from "../kernel/digest.ts";
import { MINUTE_MS, secondsUntil } from "../kernel/time.ts";
import {
  isSessionOver,
  type KeptAttempt,
  type KeptResult,
  messagesThatMayHaveLeft,
  type SendRecord,
  type SessionRules,
  type SessionState,
  sessionEndCause,
} from "./session.ts";
import { carriedReceipts, type TakenReceipt } from "./settle.ts";

/** A message of a session whose code came back. */
export type VerifiedSend = Pick<SendRecord, "atMs" | "channel" | "provider" | "messageId" | "asn"> &
  Pick<Reservation, "stoppers">;

/** The result of one attempt. */
export type AttemptResult =
  | {
      kind: "verified";
      channel: Channel;
      /** The messages that may have carried the code, in order. One right code verifies them all, each in its own cohort. */
      sends: VerifiedSend[];
      /** The undelivered messages, where another may have carried the code. */
      lost: VerifiedSend[];
      /** The reservation of the last message that may have carried it, credited once. null for a decoy. */
      hold: Reservation | null;
      /** The reservations of the other messages. */
      otherHolds: Reservation[];
      /** Deliveries that the ledger gets with the verification; absent where there are none. */
      receipts?: TakenReceipt[];
    }
  | { kind: "incorrect"; attemptsLeft: number; retryInSeconds: number }
  | { kind: "locked"; retryAfterSeconds: number }
  | { kind: "wait"; attemptsLeft: number; retryAfterSeconds: number }
  | { kind: "gone"; cause: string };

/** A code that is offered under an idempotency key. */
export interface AttemptCommand {
  /** Digest of the code, made with the session's key. */
  digest: string;
  /** Keyed hash of the key. */
  key: string;
  /** UUID for the proof, should the code be right. A command that is given again because its answer was lost keeps it. */
  proofId: string;
}

/** The result of an attempt under an idempotency key. */
export type KeyedAttemptResult =
  | { kind: "judged"; result: AttemptResult; proofId: string; atMs: number }
  /** An earlier attempt under the key had this result, proof and time; nothing was counted. */
  | { kind: "repeated"; result: KeptResult; proofId: string; atMs: number }
  /** The key was used for another code. */
  | { kind: "conflict" };

/** The result of an attempt at a session that is not known. */
export const unknownSession = ({ proofId }: AttemptCommand, atMs: number): KeyedAttemptResult => ({
  kind: "judged",
  result: { kind: "gone", cause: "no such session" },
  proofId,
  atMs,
});

/** A repetition whose answer was lost comes soon; nobody needs the answer for longer. */
const REPEATABLE_MS = 2 * MINUTE_MS;

/**
 * Judges one code under an idempotency key: the same code under the same key has the same result for two minutes, and counts
 * once. A refusal that only says to wait is not kept, so that the same attempt can be made when the wait is over. The very same
 * command, given again because its answer was lost on the way, has that answer.
 */
export function attemptOnce(
  state: SessionState,
  { digest, key, proofId }: AttemptCommand,
  rules: SessionRules,
  nowMs: number,
): { state: SessionState; result: KeyedAttemptResult } {
  const earlier = state.keptAttempt;
  if (earlier && sameDigest(earlier.key, key) && nowMs - earlier.atMs < REPEATABLE_MS) {
    if (!sameDigest(earlier.digest, digest)) return { state, result: { kind: "conflict" } };
    if (earlier.proofId === proofId) return { state, result: judgedBefore(state, earlier) };
    const repeated = { ...state, keptAttempt: { ...earlier, isRepeated: true } };
    const { result, atMs } = earlier;
    return { state: repeated, result: { kind: "repeated", result, proofId: earlier.proofId, atMs } };
  }
  const next = attemptCode(state, digest, rules, nowMs);
  const { result } = next;
  const answer = { kind: "judged", result, proofId, atMs: nowMs } as const;
  if (result.kind !== "verified" && result.kind !== "incorrect") return { ...next, result: answer };
  const kept = result.kind === "verified" ? { kind: result.kind, channel: result.channel } : result;
  const keptAttempt = { key, digest, atMs: nowMs, result: kept, proofId };
  return { state: { ...next.state, keptAttempt }, result: answer };
}

/** The judgement of a command that is given again: nobody heard it yet, so that it is whole. */
function judgedBefore(
  state: SessionState,
  { result, proofId, atMs }: KeptAttempt,
): Extract<KeyedAttemptResult, { kind: "judged" }> {
  return { kind: "judged", result: result.kind === "verified" ? verifiedBy(state) : result, proofId, atMs };
}

/**
 * Judges one code. The attempt is counted in the same step that compares, and a right code is used up in that step, so a
 * parallel attempt finds the session already changed.
 *
 * @param digest of the offered code, made with the session's key
 */
export function attemptCode(
  state: SessionState,
  digest: string,
  rules: SessionRules,
  nowMs: number,
): { state: SessionState; result: AttemptResult } {
  const unchanged = (result: AttemptResult) => ({ state, result });
  if (isSessionOver(state, nowMs)) return unchanged({ kind: "gone", cause: sessionEndCause(state) });
  const { max, wait_seconds: waits } = rules.attempts;
  if (state.attempts >= max) {
    return unchanged({ kind: "locked", retryAfterSeconds: secondsUntil(state.endsAtMs, nowMs) });
  }
  if (nowMs >= state.codeExpiresAtMs) return unchanged({ kind: "gone", cause: "code expired" });
  if (nowMs < state.attemptNotBeforeMs) {
    const retryAfterSeconds = secondsUntil(state.attemptNotBeforeMs, nowMs);
    return unchanged({ kind: "wait", attemptsLeft: max - state.attempts, retryAfterSeconds });
  }

  const attempts = state.attempts + 1;
  if (sameDigest(digest, state.code.digest)) {
    return {
      state: { ...state, attempts, status: "verified" },
      result: verifiedBy(state),
    };
  }
  const retryInSeconds = attempts >= max ? 0 : (waits[attempts - 1] ?? waits.at(-1) ?? 0);
  return {
    state: { ...state, attempts, attemptNotBeforeMs: nowMs + retryInSeconds * 1000 },
    result: { kind: "incorrect", attemptsLeft: max - attempts, retryInSeconds },
  };
}

/** Everything that the right code verifies. */
export function verifiedBy(state: SessionState): Extract<AttemptResult, { kind: "verified" }> {
  const out = messagesThatMayHaveLeft(state);
  const arrived = out.filter(({ status }) => status !== "undelivered");
  // A code that was typed did arrive, whatever the receipts say.
  const carriers = arrived.length > 0 ? arrived : out;
  const last = carriers.at(-1);
  const receipts = carriedReceipts(state);
  return {
    kind: "verified",
    // The proof names a channel that may have carried the code.
    channel: last?.channel ?? "sms",
    sends: carriers.map(answered),
    lost: out.filter((send) => !carriers.includes(send)).map(answered),
    hold: last?.hold ?? null,
    otherHolds: state.sends.flatMap((send) => (send === last ? [] : (send.hold ?? []))),
    ...(receipts.length > 0 && { receipts }),
  };
}

const answered = ({ atMs, channel, provider, messageId, asn, hold }: SendRecord): VerifiedSend => ({
  atMs,
  channel,
  provider,
  messageId,
  asn,
  ...(hold?.stoppers && { stoppers: hold.stoppers }),
});
