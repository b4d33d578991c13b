/**
 * What the flows need from outside, as types. Every port has a real adapter and a stand-in that passes the same contract
 * suite. Expected failures are values; a port that throws has a bug.
 */
import type { ApiKey } from "./domain/admission/api-key.ts";
import type { ExposurePolicy, Hold, Level, LevelReading } from "./domain/admission/exposure.ts";
import type { Failures } from "./domain/admission/failures.ts";
import type { NumberInsight } from "./domain/admission/insight.ts";
import type { LimitResult, LimitTake } from "./domain/admission/limits.ts";
import type { Source } from "./domain/admission/source.ts";
import type { CustomerEvent } from "./domain/customer-event.ts";
import type { Meter, MeterReading, PriceRow } from "./domain/delivery/money.ts";
import type { RouteOverride } from "./domain/delivery/route-overrides.ts";
import type { RouteRecord } from "./domain/delivery/routing.ts";
import type { KeyIds } from "./domain/key-age.ts";
import type {
  EventKind,
  LedgerEvent,
  LedgerRow,
  RefusalCount,
  Volume,
  VolumeDimension,
} from "./domain/ledger/event.ts";
import type { TagChange } from "./domain/person.ts";
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
import type { Alert, AlertChannel } from "./domain/watch/alert.ts";
import type { Block, BlockInForce, OperatorBlock } from "./domain/watch/block.ts";
import type { History, QuarterTally } from "./domain/watch/history.ts";
import type { Incident } from "./domain/watch/incident.ts";
import type { WatchMemory } from "./domain/watch/memory.ts";
import type { Pause } from "./domain/watch/pause.ts";
import type { ControlDocument, Posture } from "./domain/watch/posture.ts";
import type { Booking, Dimension, MinuteTally, Tally } from "./domain/watch/tally.ts";

/** A dependency that was silent, broken or slow. What that means is policy, never "allow" by accident. */
export interface Unavailable {
  kind: "unavailable";
  cause: string;
}

/** What a write came to. */
export type Done = { kind: "done" } | Unavailable;

/**
 * Who asks. Of a public client, what the platform (never the client itself) says; of a server that showed an API key, its
 * end user as the server says.
 */
export interface Caller extends Source {
  /** null for public clients. */
  server: Omit<ApiKey, "name"> | null;
}

/** What a place acts on: the operators' document where there is one, else the cron's, and all blocks that are in force. */
export interface Control {
  document: ControlDocument | null;
  blocks: readonly BlockInForce[];
  /** People's word on routes, over the policy. */
  routes: readonly RouteOverride[];
  /** What people stopped for everybody. */
  pauses: readonly Pause[];
}

/** The documents as they are stored, people's apart from the cron's: neither can overwrite the other. */
export interface ControlDocuments {
  cron: ControlDocument | null;
  operator: ControlDocument | null;
  cronBlocks: readonly Block[];
  /** Subjects that people shut, challenge, or exempted from the cron's blocks. */
  operatorBlocks: readonly OperatorBlock[];
  operatorRoutes: readonly RouteOverride[];
  operatorPauses: readonly Pause[];
  /** What could not be read, in words. */
  faults: readonly string[];
}

export interface ControlPort {
  /** As this place knows it, a few seconds old at most; a malformed document reads as emergency. */
  read(): Promise<Control>;
  /** The documents themselves, fresh, for the cron and for people. */
  documents(): Promise<ControlDocuments | Unavailable>;
  /** Each write replaces one document; null takes it down. KV refuses more than one write a second to a key: it says so. */
  writeCron(document: ControlDocument | null): Promise<Done>;
  writeCronBlocks(blocks: readonly Block[]): Promise<Done>;
  writeOperator(document: ControlDocument | null): Promise<Done>;
  writeOperatorBlocks(blocks: readonly OperatorBlock[]): Promise<Done>;
  writeOperatorRoutes(routes: readonly RouteOverride[]): Promise<Done>;
  writeOperatorPauses(pauses: readonly Pause[]): Promise<Done>;
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
  /**
   * Books a verification: the units come back and the levels have earned. Those of the session's other messages come back
   * too, and earn nothing: one answer earns once, however many messages it took.
   */
  credit(hold: Hold, others?: readonly Hold[]): Promise<void>;
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

/** Carries people over a rotation of the pepper. */
export interface AdoptionPort {
  /** Moves what is kept under older hashes to the present ones; before what is asked in the same tick. */
  adopt(tags: { number: TagChange; address: TagChange }): Promise<void>;
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
  /** Takes in a final word on a message. @returns false when it says nothing new, or the session is gone */
  receipt(
    id: string,
    sendIndex: number,
    receipt: { status: "delivered" | "undelivered"; messageId: string },
  ): Promise<boolean>;
  settle(
    id: string,
    sendIndex: number,
    outcome: Pick<SendRecord, "status" | "provider" | "messageId">,
  ): Promise<void>;
  attempt(id: string, digest: string, rules: SessionRules): Promise<AttemptResult>;
  /** null when there is no such session (never opened, or deleted at its end). */
  view(id: string, rules: SessionRules): Promise<SessionView | null>;
  /** Ends a session and deletes what it kept. @returns false where there was none */
  forget(id: string): Promise<boolean>;
}

/** What a session token says. It is sealed: only the service reads it. */
export interface SessionClaims {
  sessionId: string;
  correlationId: string;
  flow: string;
  phone: string;
  /** Language of the messages, as the client asked for it. */
  locale: string | null;
  /** Who asked first, for what is sent again without anybody asking; null in tokens of before. */
  source: Source | null;
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
  /** The key that makes tags now. */
  tagKeyId(): string;
  /** The tags under every key there is, the present one first: what was stored before a rotation is found too. */
  tags(kind: string, value: string): Promise<string[]>;
  /** The key under which new sessions' codes are digested. */
  sessionKeyId(): string;
  digestCode(keyId: string, sessionId: string, code: string): Promise<string>;
  sealCode(sessionId: string, code: string): Promise<string>;
  unsealCode(sessionId: string, sealed: string): Promise<string>;
  /** Encrypts a number or an address for the ledger, tied to the event it belongs to: `<key id>.<nonce>.<ciphertext>`. */
  sealForLedger(eventId: string, text: string): Promise<string>;
  /** null when its key is gone, or when it is not this event's. */
  unsealFromLedger(eventId: string, sealed: string): Promise<string | null>;
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
  /** India: what the text was registered under; null where it was not. */
  dlt: { entityId: string; templateId: string } | null;
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

/** `deaf`: it takes none of this channel. */
export type FeedbackResult =
  | { kind: "told" }
  | { kind: "deaf" }
  | { kind: "failed"; cause: string; retryable: boolean };

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

/** Whose message it is, as far as its receipt must know; no number and no address. */
export interface MessageOwner {
  sessionId: string;
  sendIndex: number;
  correlationId: string;
  country: string;
  channel: Channel;
  /** Minute (since 1970) in which it left. */
  minute: number;
  /** When its provider was asked; null in what was kept before this was. */
  handedOverMs: number | null;
  /** The session's token, sealed, where an undelivered message is sent again by itself; null where it is not. */
  session: string | null;
}

/** Whose message a provider's message id is, for as long as receipts come. */
export interface ReceiptsPort {
  /** Remembers it. @returns the receipt that came before the provider's answer did, if one had */
  bind(provider: string, messageId: string, owner: MessageOwner): Promise<Receipt | null | Unavailable>;
  /** Finds it. A receipt for nobody is kept for a while: its answer may be on its way. */
  claim(provider: string, receipt: Receipt): Promise<MessageOwner | null | Unavailable>;
}

/** What this place knows of the routes: what the cron measured, and how the last hand-overs here went. */
export interface RoutesPort {
  records(): Promise<ReadonlyMap<string, RouteRecord>>;
  /** A hand-over went well, or failed; here at once, and elsewhere with the cron's next word. */
  heard(key: string, failed: boolean): void;
  /** The cron's word for all places. */
  write(records: ReadonlyMap<string, RouteRecord>): Promise<Done>;
}

/** Work for a provider that goes on behind an answer. */
export type ProviderWork =
  | {
      kind: "feedback";
      /** null in what was queued before feedback knew its verification. */
      correlationId: string | null;
      provider: string;
      messageId: string;
      channel: Channel;
      verified: boolean;
      atMs: number;
    }
  /** Asks a provider without webhooks what became of a message. */
  | { kind: "poll"; provider: string; messageId: string; tries: number };

/** The customer's backend. */
export interface CustomerPort {
  /** Where events go and how many secrets sign them, without anything secret. */
  readonly settings: { host: string; secrets: number };
  hashPhone(e164: string): Promise<string>;
  tell(
    event: CustomerEvent,
  ): Promise<
    { kind: "told" } | { kind: "failed"; cause: string; retryable: boolean; retryAfterSeconds: number | null }
  >;
}

/** Work for others that goes on behind an answer, with retries, until it is done or buried. */
export type OutboxMessage =
  | ProviderWork
  | { kind: "event"; event: CustomerEvent }
  /** Sends an undelivered message's code again by another route. `of` is what `session` is sealed to. */
  | { kind: "resend"; of: string; session: string; correlationId: string };

export interface OutboxPort {
  /** @param delaySeconds before its first try */
  put(messages: readonly OutboxMessage[], delaySeconds?: number): Promise<Done>;
}

export interface LookupPort {
  readonly name: string;
  lookup(e164: string): Promise<({ kind: "answered" } & NumberInsight) | Unavailable>;
}

/** What sources said of numbers, so that nobody is asked and paid twice. */
export interface InsightsPort {
  /** null for a number nobody was asked about, or too long ago. */
  recall(numberTag: string): Promise<NumberInsight | null | Unavailable>;
  remember(numberTag: string, insight: NumberInsight, ttlSeconds: number): Promise<void>;
}

/** A set of counters as they were read. */
export interface CountersPort {
  /** Books entries into their minutes in one round trip; what one minute tells apart is bounded (see tally.ts). */
  count(bookings: readonly Booking[]): Promise<void>;
  /**
   * The last `minutes` minutes up to and with `minute`, the oldest first; a minute without traffic is empty.
   *
   * @param of only these dimensions, which is a fraction of what all of them are; all where none is named
   */
  window(
    minute: number,
    minutes: number,
    of?: readonly Dimension[],
  ): Promise<{ kind: "answered"; minutes: MinuteTally[] } | Unavailable>;
  /** What was counted since the beginning of the dimensions `overall`, `provider`, `channel` and `flow`. */
  totals(): Promise<{ kind: "answered"; tally: Tally } | Unavailable>;
  /** Counts an outcome once for its proof. @returns false for one that was counted before */
  claimOutcome(proofId: string, type: string): Promise<boolean | Unavailable>;
}

/** What the watch remembers from run to run. One run at a time has it. */
export interface WatchPort {
  /** Takes the run, unless another has it, and reads what the last one left. */
  begin(
    nowMs: number,
  ): Promise<
    | { kind: "begun"; memory: WatchMemory | null; history: History | null; sameTime: QuarterTally[] }
    | { kind: "busy" }
    | Unavailable
  >;
  /** Keeps the memory, and where a quarter was folded the history and the quarter; frees the run. */
  end(kept: { memory: WatchMemory; history: History | null; quarter: QuarterTally | null }): Promise<Done>;
  /** For people: what the last run left. */
  look(): Promise<{ kind: "answered"; memory: WatchMemory | null; history: History | null } | Unavailable>;
  /** Quarters of an hour from `from` to `to` (since 1970), as far as they are kept. */
  quarters(from: number, to: number): Promise<{ kind: "answered"; quarters: QuarterTally[] } | Unavailable>;
}

/** Sends alerts on their way, behind the answer; what becomes of them is the queue's. */
export interface AlertsPort {
  raise(alerts: readonly { alert: Alert; channels: readonly AlertChannel[] }[]): Promise<void>;
}

/** One place alerts arrive at. */
export interface AlertChannelPort {
  readonly name: AlertChannel;
  tell(
    alert: Alert,
  ): Promise<
    { kind: "told" } | { kind: "failed"; cause: string; retryable: boolean; retryAfterSeconds: number | null }
  >;
}

/** Something an operator did, and why. */
export interface OperatorAction {
  id: string;
  atMs: number;
  /** Token name or the Access user's e-mail address. */
  who: string;
  what: string;
  why: string;
  details: Readonly<Record<string, string | number | boolean | null>>;
}

/** A delivery that was given up: an alert, a webhook, a feedback. */
export interface DeadLetter {
  id: string;
  atMs: number;
  queue: string;
  cause: string;
  /** JSON as it stood in the queue. */
  body: string;
}

/** What is kept for people: incidents, what operators did, and what could not be delivered. */
export interface RecordsPort {
  keepIncident(incident: Incident): Promise<Done>;
  incidents(limit: number): Promise<{ kind: "answered"; incidents: Incident[] } | Unavailable>;
  incident(id: string): Promise<Incident | null | Unavailable>;
  writeAction(action: OperatorAction): Promise<Done>;
  actions(limit: number): Promise<{ kind: "answered"; actions: OperatorAction[] } | Unavailable>;
  bury(letter: DeadLetter): Promise<Done>;
  deadLetters(limit: number): Promise<{ kind: "answered"; letters: DeadLetter[] } | Unavailable>;
  /** Takes a letter out, for sending it once more. */
  exhume(id: string): Promise<DeadLetter | null | Unavailable>;
}

/** Takes the ledger's events behind the answer; queued, and never in the way. */
export interface EventsPort {
  put(events: readonly LedgerEvent[]): Promise<void>;
  /** Whether a request refused with this problem code gets a row of its own; what says yes has taken the room. */
  samples(code: string): boolean;
}

/** From `fromMs` up to, and without, `toMs`; of one country, where one is named. */
export interface LedgerWindow {
  fromMs: number;
  toMs: number;
  country: string | null;
}

export interface LedgerPage {
  kind: "answered";
  /** In the order of their times. Sealed numbers and addresses are null where they are no longer held. */
  rows: LedgerRow[];
  /** Where the next page begins; null after the last one. */
  cursor: string | null;
}

/** How long each class is kept, in times before which it goes. */
export interface RetentionLimits {
  numbersBeforeMs: number;
  addressesBeforeMs: number;
  eventsBeforeMs: number;
}

/** Rows removed, and whether there is more to remove. */
export interface Swept {
  kind: "swept";
  numbers: number;
  addresses: number;
  events: number;
  refusals: number;
  letters: number;
  more: boolean;
}

/** What upkeep left: when it ran last, and its report. */
export interface Upkeep {
  atMs: number;
  report: Readonly<Record<string, string | number | boolean | null>>;
}

/** The ledger. Every write may come twice and counts once. */
export interface LedgerPort {
  /** Writes all events or none; what is kept already stays as it is. */
  write(events: readonly LedgerEvent[]): Promise<Done>;
  /** @param limit at most 1000 rows @param kind of event; all kinds without it */
  page(
    window: LedgerWindow,
    cursor: string | null,
    limit: number,
    kind?: EventKind,
  ): Promise<LedgerPage | Unavailable>;
  /** Everything of one verification in order. */
  story(correlationId: string): Promise<{ kind: "answered"; rows: LedgerRow[] } | Unavailable>;
  /** Everything of the verifications of a number, by its tags under all keys; the latest first, at most 1000 rows. */
  byNumber(numberTags: readonly string[]): Promise<{ kind: "answered"; rows: LedgerRow[] } | Unavailable>;
  /** What each subject came to, the most messages first. @param limit at most 1000 subjects */
  volumes(
    by: VolumeDimension,
    window: LedgerWindow,
    limit: number,
  ): Promise<{ kind: "answered"; volumes: Volume[] } | Unavailable>;
  /** One sealed address for each tag, with the event it is tied to, where one is held still. */
  addresses(
    addressTags: readonly string[],
  ): Promise<
    { kind: "answered"; addresses: { addressTag: string; eventId: string; sealed: string }[] } | Unavailable
  >;
  /** Exact counts of refused requests by minute, dimension and subject; `country` of the window does not matter. */
  refusals(window: LedgerWindow): Promise<{ kind: "answered"; counts: RefusalCount[] } | Unavailable>;
  /** Sets the exact counts of whole minutes; a count never falls. */
  countRefusals(counts: readonly RefusalCount[]): Promise<Done>;
  /**
   * Takes a person out: sealed numbers and addresses go, and the rows of their verifications keep place, time and money
   * only. Ledger events among the dead letters go too.
   */
  erase(
    numberTags: readonly string[],
  ): Promise<{ kind: "erased"; rows: number; sealed: number; letters: number } | Unavailable>;
  /** How many sealed texts each encryption key still holds. */
  sealedByKey(): Promise<{ kind: "answered"; keys: { keyId: string; sealed: number }[] } | Unavailable>;
  /** Removes what is too old, at most `limit` rows of each class. */
  sweep(limits: RetentionLimits, limit: number): Promise<Swept | Unavailable>;
  upkeep(name: string): Promise<Upkeep | null | Unavailable>;
  keepUpkeep(name: string, upkeep: Upkeep): Promise<Done>;
}

/** One line of the operator's log: a fact with its evidence, never a number, a code, a token or a key. */
export type Log = (fact: string, evidence: Record<string, string | number | boolean | null>) => void;

export interface Deps {
  /** development, staging or production; for people. */
  environment: string;
  policy: Policy;
  control: ControlPort;
  limits: LimitsPort;
  claims: ClaimsPort;
  challenge: ChallengePort;
  sessions: SessionsPort;
  budgets: BudgetsPort;
  marks: MarksPort;
  adoption: AdoptionPort;
  /** For people: how old keys are; no key is in them. */
  keyIds: KeyIds;
  devices: DevicesPort;
  prices: readonly PriceRow[];
  /** Owners of hosting, cloud and VPN networks by ASN. */
  hosting: ReadonlyMap<number, string>;
  tokens: TokensPort;
  vault: VaultPort;
  proofs: ProofsPort;
  providers: ReadonlyMap<string, ProviderPort>;
  /** null where the policy asks nobody about numbers. */
  lookup: LookupPort | null;
  insights: InsightsPort;
  routes: RoutesPort;
  receipts: ReceiptsPort;
  outbox: OutboxPort;
  /** null where no backend is set up to hear of its verifications. */
  customer: CustomerPort | null;
  counters: CountersPort;
  watch: WatchPort;
  alerts: AlertsPort;
  records: RecordsPort;
  events: EventsPort;
  ledger: LedgerPort;
  log: Log;
  nowMs(): number;
  /** From 0 up to 1, for choices that chance makes; never for secrets. */
  random(): number;
  /** Resolves after this long. */
  pause(ms: number): Promise<void>;
  /** Lets work go on behind the answer; what fails is logged with the verification it belongs to. */
  defer(work: Promise<unknown>, correlationId: string): void;
}

export type { Channel, ControlDocument, NumberInsight, Policy, Posture };
