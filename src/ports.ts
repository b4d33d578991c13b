/**
 * What the flows need from outside, as types. Every port has a real adapter and a stand-in that passes the same contract
 * suite. Expected failures are values; a port that throws has a bug.
 */
import type { Cohort } from "./domain/cohorts.ts";
import type { LimitResult, LimitTake } from "./domain/limits.ts";
import type { Policy } from "./domain/policy.ts";
import type { ControlDocument, Posture } from "./domain/posture.ts";
import type {
  AttemptResult,
  Channel,
  KeptCode,
  OpenCommand,
  ResendResult,
  SendRecord,
  SessionRules,
  SessionView,
} from "./domain/session.ts";

/** A dependency that was silent, broken or slow. What that means is policy, never "allow" by accident. */
export interface Unavailable {
  kind: "unavailable";
  cause: string;
}

/** Who asks, as the platform (never the client) says. */
export interface Caller {
  ip: string;
  asn: number | null;
  country: string | null;
}

export interface ControlPort {
  /** The control document as this place knows it, a few seconds old at most; a malformed one reads as emergency. */
  read(): Promise<ControlDocument | null>;
  write(document: ControlDocument): Promise<void>;
  clear(): Promise<void>;
}

export interface LimitsPort {
  /** Draws on all limits in one round trip. */
  take(takes: readonly LimitTake[]): Promise<{ kind: "answered"; results: LimitResult[] } | Unavailable>;
  /** Gives back what was drawn. */
  refund(takes: readonly LimitTake[]): Promise<void>;
}

export interface ClaimsPort {
  /**
   * Claims an idempotency key for `value`, in the same round trip as limits taken in the same tick.
   * @returns the value that holds the key: ours, or that of the request that came first
   */
  claim(
    key: string,
    value: string,
    ttlSeconds: number,
  ): Promise<{ kind: "held"; value: string } | Unavailable>;
  release(key: string): Promise<void>;
}

export type ChallengeResult = { kind: "passed" } | { kind: "failed"; cause: string } | Unavailable;

export interface ChallengePort {
  /**
   * Checks a CAPTCHA token with its issuer.
   * @param retryKey a UUID under which the same request may check the same token again
   */
  verify(token: string, ip: string, retryKey: string): Promise<ChallengeResult>;
}

export interface SessionsPort {
  open(id: string, command: OpenCommand, rules: SessionRules): Promise<SessionView>;
  resend(id: string, channel: Channel, fresh: KeptCode, rules: SessionRules): Promise<ResendResult>;
  settle(
    id: string,
    sendIndex: number,
    outcome: Pick<SendRecord, "status" | "provider" | "messageId">,
  ): Promise<void>;
  attempt(id: string, digest: string, rules: SessionRules): Promise<AttemptResult>;
  /** null when there is no such session (never opened, or deleted at its end). */
  view(id: string, rules: SessionRules): Promise<SessionView | null>;
}

/** What a session token says. It is sealed: only the service reads it. */
export interface SessionClaims {
  sessionId: string;
  correlationId: string;
  flow: string;
  phone: string;
  reference: string | null;
}

/** A session as its bearer proved it: the claims and the key that made its code digests. */
export interface OpenedToken extends SessionClaims {
  keyId: string;
}

/**
 * The bearer's half of a session: an authenticated, sealed token that ties session, number, flow and reference together
 * (JWE `dir` with A128CBC-HS256, that is AES-CBC and HMAC-SHA-256). The number is kept nowhere else.
 */
export interface TokensPort {
  mint(claims: SessionClaims, ttlSeconds: number): Promise<string>;
  /** null for anything forged, expired or made by a key that is gone; no storage is touched. */
  open(token: string): Promise<OpenedToken | null>;
}

export interface VaultPort {
  /** A random UUID. */
  newId(): string;
  /** The UUID a tag stands for: the same tag, the same UUID. */
  uuidFrom(tag: string): string;
  randomBytes(count: number): Uint8Array;
  /** A keyed hash that stands for a number, an address or a key wherever it is stored. */
  tag(kind: string, value: string): Promise<string>;
  /** The key under which new sessions' codes are digested. */
  sessionKeyId(): string;
  digestCode(keyId: string, sessionId: string, code: string): Promise<string>;
  sealCode(sessionId: string, code: string): Promise<string>;
  unsealCode(sessionId: string, sealed: string): Promise<string>;
}

export interface ProofClaims {
  phone: string;
  flow: string;
  audience: string;
  channel: Channel;
  reference: string | null;
  correlationId: string;
}

export interface ProofsPort {
  sign(claims: ProofClaims, nowMs: number): Promise<string>;
  publicKeys(): { keys: object[] };
}

export interface OutgoingMessage {
  to: string;
  body: string;
  channel: Channel;
  correlationId: string;
  /** One per message of a session; a provider that offers idempotency gets it. */
  idempotencyKey: string;
}

export type DeliveryResult =
  | { kind: "accepted"; messageId: string }
  | { kind: "refused"; cause: string; retryable: boolean }
  /** No answer in time: it may have left, so it must not be sent again without a decision. */
  | { kind: "unknown"; cause: string };

export interface ProviderPort {
  readonly name: string;
  send(message: OutgoingMessage): Promise<DeliveryResult>;
}

export interface CountersPort {
  /** Counts a message, or a verification, against the minute in which the message left. */
  count(what: "sent" | "verified", minute: number): Promise<void>;
  /** The last `minutes` cohorts up to `minute`, the oldest first. */
  window(minute: number, minutes: number): Promise<{ kind: "answered"; cohorts: Cohort[] } | Unavailable>;
}

/** One line of the operator's log: a fact with its evidence, never a number, a code, a token or a key. */
export type Log = (fact: string, evidence: Record<string, string | number | boolean | null>) => void;

export interface Deps {
  policy: Policy;
  control: ControlPort;
  limits: LimitsPort;
  claims: ClaimsPort;
  challenge: ChallengePort;
  sessions: SessionsPort;
  tokens: TokensPort;
  vault: VaultPort;
  proofs: ProofsPort;
  provider: ProviderPort;
  counters: CountersPort;
  log: Log;
  nowMs(): number;
  /** Resolves after this long. */
  pause(ms: number): Promise<void>;
  /** Lets work go on behind the answer. */
  defer(work: Promise<unknown>): void;
}

export type { Channel, ControlDocument, Policy, Posture };
