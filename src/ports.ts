/**
 * What the flows need from outside, as types. Every port has a real adapter and a stand-in that passes the same contract
 * suite. Expected failures are values; a port that throws has a bug.
 */
import type { ApiKey } from "./domain/admission/api-key.ts";
import type { ExposurePolicy, Hold, Level, LevelReading } from "./domain/admission/exposure.ts";
import type { Failures } from "./domain/admission/failures.ts";
import type { LimitResult, LimitTake } from "./domain/admission/limits.ts";
import type { Source } from "./domain/admission/source.ts";
import type { Meter, MeterReading, PriceRow } from "./domain/delivery/money.ts";
import type { Policy } from "./domain/policy.ts";
import type {
  AttemptResult,
  Channel,
  OpenCommand,
  ResendCommand,
  ResendResult,
  SendRecord,
  SessionRules,
  SessionView,
} from "./domain/session/session.ts";
import type { Cohort } from "./domain/watch/cohorts.ts";
import type { ControlDocument, Posture } from "./domain/watch/posture.ts";

/** A dependency that was silent, broken or slow. What that means is policy, never "allow" by accident. */
export interface Unavailable {
  kind: "unavailable";
  cause: string;
}

/**
 * Who asks. Of a public client, what the platform (never the client itself) says; of a server that showed an API key, its
 * end user as the server says.
 */
export interface Caller extends Source {
  /** null for public clients. */
  server: Omit<ApiKey, "name"> | null;
}

export interface ControlPort {
  /** The document in force as this place knows it, a few seconds old at most; a malformed one reads as emergency. */
  read(): Promise<ControlDocument | null>;
  /** Sets and takes down the cron's own flag; what people set is out of its reach. */
  write(document: ControlDocument): Promise<void>;
  clear(): Promise<void>;
}

export interface LimitsPort {
  /** Draws on all limits in one round trip. */
  take(takes: readonly LimitTake[]): Promise<{ kind: "answered"; results: LimitResult[] } | Unavailable>;
  /** Gives back what was drawn. */
  refund(takes: readonly LimitTake[]): Promise<void>;
}

export interface Reservation {
  /** Every level that must have room for the hold's weight. */
  levels: readonly Level[];
  hold: Hold;
  slowStart: ExposurePolicy["slow_start"];
}

export type ReserveResult =
  | { kind: "granted"; meters: MeterReading[] }
  | { kind: "exhausted"; level: string }
  | { kind: "capped"; meter: Meter }
  | Unavailable;

/** Exposure budgets and spend meters. */
export interface BudgetsPort {
  /** What the levels hold, and what the meters have run up to. */
  read(
    levels: readonly Level[],
    meters: readonly Meter[],
  ): Promise<{ kind: "answered"; readings: LevelReading[]; totals: number[] } | Unavailable>;
  /** Takes from every level and every meter, or from none: 500 at once into room for 5 let 5 through. */
  reserve(reservation: Reservation): Promise<ReserveResult>;
  /** Gives back what was taken for a message that never left; nothing, if the reservation never came about. */
  release(hold: Hold): Promise<void>;
  /** Books a verification: the units come back and the levels have earned. */
  credit(hold: Hold): Promise<void>;
}

export interface Recalled {
  kind: "answered";
  numberKnown: boolean;
  /** When this number was first sent away from this address, within the last ten minutes. */
  askedAtMs: number | null;
  /** In the order of the tags asked for. */
  failures: (Failures | null)[];
}

/** What is remembered of people, under keyed hashes. */
export interface MarksPort {
  recall(tags: {
    numberTag: string;
    askTag: string;
    failureTags: readonly string[];
  }): Promise<Recalled | Unavailable>;
  markKnown(numberTag: string): Promise<void>;
  markAsked(askTag: string): Promise<void>;
  countFailure(failureTags: readonly string[]): Promise<void>;
  forgetFailures(failureTags: readonly string[]): Promise<void>;
}

/** What a device token says: a device we know because we issued the token when it verified. */
export interface DeviceClaims {
  deviceId: string;
  /** Tags of the numbers it verified, the newest first. */
  numberTags: string[];
}

export interface DevicesPort {
  issue(claims: DeviceClaims): Promise<string>;
  /** null for anything forged or expired. */
  read(token: string): Promise<DeviceClaims | null>;
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
  /** Frees the key if `value` holds it. */
  release(key: string, value: string): Promise<void>;
}

export type ChallengeResult =
  | {
      kind: "passed";
      solvedAtMs: number | null;
      /** `fresh` for a token of the widget that only demanded challenges use, where there is one. */
      grade: "ordinary" | "fresh";
    }
  | { kind: "failed"; cause: string }
  /** The issuer does not take our secret: nobody can be checked until someone has looked. */
  | { kind: "misconfigured"; cause: string }
  | Unavailable;

export interface ChallengePort {
  /**
   * Checks a CAPTCHA token with its issuer.
   * @param retryKey a UUID under which the same request may check the same token again
   */
  verify(token: string, ip: string, retryKey: string): Promise<ChallengeResult>;
}

export interface SessionsPort {
  open(id: string, command: OpenCommand, rules: SessionRules): Promise<SessionView>;
  resend(id: string, command: ResendCommand, rules: SessionRules): Promise<ResendResult>;
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
  /** Of the device token the send came with, or a new one that the device gets when it verifies. */
  deviceId: string;
  /** Numbers the device verified before. */
  deviceNumberTags: string[];
  /** Where a wrong code is counted across sessions. */
  failureTags: string[];
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

/** One message as the router hands it to a provider. */
export interface OutgoingMessage {
  /** E.164. */
  to: string;
  /** ISO 3166-1 alpha-2, of the number. */
  country: string;
  /** The whole text, for channels and providers that take one. */
  body: string;
  /** The digits alone, for providers that put them into a template of their own. */
  code: string;
  /** What a voice says, digits apart, once: a provider that calls repeats it by its own means. */
  spoken: string;
  /** BCP 47 tag of the body and of what is spoken. */
  locale: string;
  channel: Channel;
  /** How long the code in it lives: a message still queued after that is worthless. */
  ttlSeconds: number;
  correlationId: string;
  /** One per message of a session; a provider that offers idempotency gets it. */
  idempotencyKey: string;
}

export type DeliveryResult =
  /** `costMicros`: the price as the provider stated it, in the price table's currency; null where it said none. */
  | { kind: "accepted"; messageId: string; costMicros: number | null }
  | { kind: "refused"; cause: string; retryable: boolean }
  /**
   * It may have left, so it must not be sent again without a decision: no answer in time, or the connection was lost, and
   * whether before or after the request was read cannot be told.
   */
  | { kind: "unknown"; cause: string; connectionLost: boolean };

/** What a provider says became of a message; `sent` is on its way, the other two are final. */
export interface Receipt {
  messageId: string;
  status: "sent" | "delivered" | "undelivered";
  /** The provider's own error code, for the operator; never text that could repeat a number. */
  errorCode: string | null;
  costMicros: number | null;
  /** When it happened by the provider's clock; null where it does not say. */
  atMs: number | null;
}

/** A webhook call as it arrived. */
export interface IncomingHook {
  method: string;
  /** As the provider called it, with its query: signatures cover it. */
  url: string;
  headers: Headers;
  body: Uint8Array;
}

export type ReceiptReading =
  | { kind: "receipts"; receipts: Receipt[] }
  /** Genuine, and nothing to us (an inbound message, a state that says nothing). */
  | { kind: "ignored" }
  /** No signature, a wrong one, one too old, or bytes that are no receipt. */
  | { kind: "forged"; cause: string };

export type FeedbackResult = { kind: "told" } | { kind: "failed"; cause: string; retryable: boolean };

/**
 * A provider: one file each, which checks its own settings and knows its vendor's ways of failing. Refused and unknown are
 * told apart with care: a refused message may go out by another route, an unknown one must not.
 */
export interface ProviderPort {
  readonly name: string;
  readonly channels: readonly Channel[];
  /** ISO codes it serves; null for all. */
  readonly countries: readonly string[] | null;
  send(message: OutgoingMessage): Promise<DeliveryResult>;
  /** Reads a delivery receipt that came by webhook, checking its signature. */
  readReceipt?(hook: IncomingHook, nowMs: number): Promise<ReceiptReading>;
  /** Asks what became of a message, for providers without webhooks; null while it is not final. */
  poll?(messageId: string): Promise<Receipt | null | Unavailable>;
  /** Tells the provider whether the person typed the code. */
  feedback?(messageId: string, channel: Channel, verified: boolean, atMs: number): Promise<FeedbackResult>;
}

/** What is known of a number beyond its digits; null where the source does not say. */
export interface NumberInsight {
  lineType: "mobile" | "fixed_line" | "voip" | "premium_rate" | "toll_free" | "other" | null;
  reachable: boolean | null;
  ported: boolean | null;
  roaming: boolean | null;
  /** The vendor's own risk of SMS pumping, 0 to 100. */
  pumpingRisk: number | null;
  /** Hours since the SIM was last changed, as exact as the vendor says. */
  simSwappedHoursAgo: number | null;
  costMicros: number | null;
}

export interface LookupPort {
  readonly name: string;
  lookup(e164: string): Promise<({ kind: "answered" } & NumberInsight) | Unavailable>;
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
  budgets: BudgetsPort;
  marks: MarksPort;
  devices: DevicesPort;
  prices: readonly PriceRow[];
  /** Owners of hosting, cloud and VPN networks by ASN. */
  hosting: ReadonlyMap<number, string>;
  tokens: TokensPort;
  vault: VaultPort;
  proofs: ProofsPort;
  provider: ProviderPort;
  counters: CountersPort;
  log: Log;
  nowMs(): number;
  /** Resolves after this long. */
  pause(ms: number): Promise<void>;
  /** Lets work go on behind the answer; what fails is logged with the verification it belongs to. */
  defer(work: Promise<unknown>, correlationId: string): void;
}

export type { Channel, ControlDocument, Policy, Posture };
