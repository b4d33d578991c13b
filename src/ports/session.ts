/** Sessions as they are kept, the tokens their bearers hold, and the proofs they end in. */
import type { FailureSubjects } from "../domain/admission/failures.ts";
import type { Source } from "../domain/admission/source.ts";
import type { Channel } from "../domain/kernel/channel.ts";
import type { AttemptCommand, AttemptResult, KeyedAttemptResult } from "../domain/session/attempt.ts";
import type { CancelResult, ConfirmResult } from "../domain/session/conclude.ts";
import type { ResendCommand, ResendResult } from "../domain/session/resend.ts";
import type { CarriedReceipt, OpenCommand, SendRecord, SessionRules } from "../domain/session/session.ts";
import type { SessionView } from "../domain/session/view.ts";
import type { Unavailable } from "./result.ts";

/** Session objects, one per verification. */
export interface SessionsPort {
  open(id: string, command: OpenCommand, rules: SessionRules): Promise<SessionView>;
  resend(id: string, command: ResendCommand, rules: SessionRules): Promise<ResendResult>;
  /**
   * Takes in a final receipt of a message, with what the ledger is to have of it.
   *
   * @returns false when it says nothing new, or the session is gone; "carried" when it is new and the session hands it to the ledger
   * together with its end
   */
  receipt(
    id: string,
    sendIndex: number,
    receipt: { status: "delivered" | "undelivered"; messageId: string; parts?: number | undefined },
    carried?: CarriedReceipt,
  ): Promise<boolean | "carried">;
  settle(
    id: string,
    sendIndex: number,
    result: Pick<SendRecord, "status" | "provider" | "messageId">,
  ): Promise<void>;
  attempt(id: string, digest: string, rules: SessionRules): Promise<AttemptResult>;
  /** An attempt under an idempotency key: repeated, it has the same result and counts once. */
  attemptOnce(id: string, command: AttemptCommand, rules: SessionRules): Promise<KeyedAttemptResult>;
  /** Calls a session off. */
  cancel(id: string): Promise<CancelResult>;
  /** Hears from the system whose code it is that it was typed. */
  confirm(id: string): Promise<ConfirmResult>;
  /** null when there is no such session (never opened, or deleted at its end). */
  view(id: string, rules: SessionRules): Promise<SessionView | null>;
  /** Ends a session and deletes what it kept. @returns false where there was none */
  forget(id: string): Promise<boolean>;
}

/** The claims of a session token. It is sealed: only the service reads it. */
export interface SessionClaims {
  sessionId: string;
  correlationId: string;
  flow: string;
  phone: string;
  /** Language of the messages, as the client asked for it. */
  locale: string | null;
  /** The source of the first request, for a message that is sent again without one; null in older tokens. */
  source: Source | null;
  reference: string | null;
  /** Of the device token the send came with, or a new one that the device gets when it verifies. */
  deviceId: string;
  /** Numbers the device verified before. */
  deviceNumberTags: string[];
  /** Keyed hashes under which wrong codes are counted across sessions. */
  failureSubjects: FailureSubjects;
}

/** A session as its bearer proved it: the claims and the key that made its code digests. */
export interface OpenedToken extends SessionClaims {
  keyId: string;
}

/**
 * The bearer's half of a session: an authenticated, sealed token that ties session, number, flow and reference together
 * (JWE `dir` with A128CBC-HS256, that is AES-CBC and HMAC-SHA-256). The number is kept nowhere else.
 */
export interface SessionTokensPort {
  mint(claims: SessionClaims, ttlSeconds: number): Promise<string>;
  /** null for anything forged, expired or made by a key that is gone; no storage is touched. */
  open(token: string): Promise<OpenedToken | null>;
}

/** The claims of a proof, but for its time and its id. */
export interface ProofContent {
  phone: string;
  flow: string;
  audience: string;
  channel: Channel;
  reference: string | null;
  correlationId: string;
}

/** Signed proofs, which the customer's backend checks; `proofId` is the claim `jti`, a new one where absent. */
export interface ProofsPort {
  sign(claims: ProofContent, nowMs: number, proofId?: string): Promise<string | Unavailable>;
  /** The JWKS. */
  publicKeys(): PublicKeys | Promise<PublicKeys | Unavailable>;
}

interface PublicKeys {
  keys: object[];
}
