/**
 * The facts of requests. A flow decides and acts, and says in one fact what became of its request; `publish` turns the fact
 * into the ledger's rows, the customer's events, the counters and the log's lines. No step on the way writes any of them.
 */
import type { NumberInsight } from "../../domain/admission/insight.ts";
import type { LimitDraw, LimitResult } from "../../domain/admission/limits.ts";
import type { Reservation } from "../../domain/admission/reservation.ts";
import type { VerdictSummary } from "../../domain/admission/risk.ts";
import type { Source } from "../../domain/admission/source.ts";
import type { Verdict } from "../../domain/admission/verdict.ts";
import type { SpendReading } from "../../domain/delivery/money.ts";
import type { Route } from "../../domain/delivery/routing.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { CounterEntry } from "../../domain/monitor/tally.ts";
import type { AttemptResult } from "../../domain/session/attempt.ts";
import type { SessionView } from "../../domain/session/view.ts";
import type { DeliveryResult } from "../../ports/delivery.ts";
import type { OpenedToken } from "../../ports/session.ts";

/** The request that a fact is about. */
export interface RequestSummary {
  correlationId: string;
  flow: string;
  /** null where the number could not be read. */
  phone: Phone | null;
  /** The address and network of whoever asked. */
  source: Source;
}

/** A request for a message that got none. */
export interface Refused {
  kind: "refused";
  refusal: Refusal;
  /** For the counters; absent where nothing was counted but the refusal itself. */
  observed?: Observed;
  /** For the ledger; absent where the request came to no verdict. */
  verdict?: VerdictSummary;
  /** For the log; absent where admission was never asked. */
  trail?: AdmissionTrail;
  /** Keyed hash of number and address, where coming back later with the same number is to count in somebody's favour. */
  askTag?: string;
  giveBack?: TakenResources;
}

/** A message that its providers were asked to send, whatever they answered. */
export interface Delivered extends Admitted {
  kind: "delivered";
  message: BegunMessage;
  /** Every route that was tried, in order. */
  attempts: readonly RouteAttempt[];
  /** The attempt that decided: no route was tried after it. */
  decisive: RouteAttempt;
  /** When the last answer came. */
  atMs: number;
  /** Price of the message with the DLT fee, and the fee alone, in millionths of the price table's currency. */
  costMicros: number;
  dltMicros: number;
  /** Spend meters as they stand with this message. */
  meters: readonly SpendReading[];
  /** False where the session could not be told; it goes on with its mark, which counts as a message. */
  sessionSettled: boolean;
  /** The answer to the person where no message left, or none that is known to have left. */
  failure: Refusal | null;
  giveBack: TakenResources | null;
  session: BearerSession;
}

/** A request that got an answer like a send's and no message. */
export interface DecoySent extends Admitted {
  kind: "decoy_sent";
  channel: Channel;
  session: BearerSession;
}

/** A repeated request, answered with the session of the first one. */
export interface Replayed {
  kind: "replayed";
  trail: AdmissionTrail;
  giveBack: TakenResources;
  session: BearerSession;
}

/** A send that an unexpected error broke off once it could hold something; the error is thrown once this is published. */
export interface Broken {
  kind: "broken";
  error: unknown;
  /** null where it broke off before admission had decided. */
  trail: AdmissionTrail | null;
  /** null where the session had no message yet. */
  requested: (Pick<Admitted, "verdict"> & { message: BegunMessage }) | null;
  giveBack: TakenResources | null;
}

/** A code that somebody typed, and the session's judgement of it. */
export interface Attempted {
  kind: "attempted";
  claims: OpenedToken;
  result: AttemptResult;
  /** Keyed hash of the number, under the present key. */
  numberTag: string;
}

/** Everything that can become of a request for a message. */
export type SendFact = Refused | Delivered | DecoySent | Replayed | Broken;

/** An admitted request's findings. */
interface Admitted {
  trail: AdmissionTrail;
  verdict: VerdictSummary;
  /** Seen on the way, for the counters. */
  observed: readonly CounterEntry[];
}

/** Seen on the way to a refusal, for the counters. */
interface Observed {
  /** A budget was used up, which is where attacks end. */
  budgetUsedUp: boolean;
  entries: readonly CounterEntry[];
}

/** The steps of an admission that the log tells of. */
export interface AdmissionTrail {
  /** False where counts under a retired pepper key could not be moved to the present one. */
  carriedOver: boolean;
  /** Why a store could not be asked; null where all answered. */
  storeFailure: string | null;
  /** null where no source had to be asked about the number. */
  lookup: NumberLookup | null;
  /** null where the request was refused before the decision. */
  verdict: Verdict | null;
}

/** A number lookup: not made, failed, or answered, and for how long the answer counts. */
export type NumberLookup =
  | { kind: "skipped"; cause: string }
  | { kind: "failed"; source: string; cause: string }
  | {
      kind: "answered";
      source: string;
      numberTag: string;
      insight: NumberInsight;
      /** Price as the source stated it, else the policy's. */
      costMicros: number;
      rememberSeconds: number;
    };

/** Everything a request took that can be given back: a message that never left must hold nothing. */
export interface TakenResources {
  /** null before there was one. */
  reservation: Reservation | null;
  limitDraws: readonly LimitDraw[];
  claim: { key: string; value: string } | null;
  /** The provider that refused the message, and the number's country; absent where no provider was asked. */
  refusedBy?: { provider: string; country: string };
}

/** A message as its session marked it before it left. */
export interface BegunMessage {
  sessionId: string;
  sendIndex: number;
  phone: Phone;
  channel: Channel;
  /** Keyed hash of the number. */
  numberTag: string;
  /** Keyed hash of the user a server named; null where none was. */
  userTag: string | null;
  /** The caller's own. */
  reference: string | null;
  /** Rules in record-only mode that would have stopped it, see `rulesThatStopped`. */
  stoppers: readonly string[];
  /** Repeats an undelivered message without anybody asking. */
  isAutomatic: boolean;
  begunAtMs: number;
}

/** A route that was asked to take a message, and its answer. */
export interface RouteAttempt {
  route: Route;
  result: DeliveryResult;
  handedOverMs: number;
  answeredMs: number;
}

/** A session as its bearer is told of it. */
export interface BearerSession {
  token: string;
  /** E.164. */
  phone: string;
  view: SessionView;
  /** The caller's own limits; empty in a repeated answer. */
  ownLimits: readonly LimitResult[];
}

/** Shorthand for a fact that flows return often. */
export const refused = (refusal: Refusal, more: Omit<Refused, "kind" | "refusal"> = {}): Refused => ({
  ...more,
  kind: "refused",
  refusal,
});
