/** Everything admission is asked about a request, and its results. */

import type { ExposurePolicy } from "../../domain/admission/exposure.policy.ts";
import type { Level } from "../../domain/admission/exposure.ts";
import type { FailureSubjects } from "../../domain/admission/failures.ts";
import type { LimitDraw, LimitResult } from "../../domain/admission/limits.ts";
import type { Reservation } from "../../domain/admission/reservation.ts";
import type { VerdictSummary } from "../../domain/admission/risk.ts";
import type { Route } from "../../domain/delivery/routing.ts";
import type { Channel } from "../../domain/kernel/channel.ts";
import type { Phone } from "../../domain/kernel/phone.ts";
import type { CounterEntry } from "../../domain/monitor/tally.ts";
import type { Caller } from "../../ports/admission.ts";
import type { EffectiveControl } from "../control/read-effective-control.ts";
import type { AdmissionTrail, Refused, TakenResources } from "../publish/facts.ts";
import type { RecognisedPerson } from "./recognise.ts";

/** A request for a message, as admission judges it. */
export interface AdmissionRequest {
  correlationId: string;
  control: EffectiveControl;
  caller: Caller;
  phone: Phone;
  person: RecognisedPerson;
  flow: string;
  channel: Channel;
  /** A call that no text went before, to a number that its plan does not call a landline's. */
  isEarlyCall: boolean;
  /** Language the client asked for, and the length of a code that the caller brings: the text's length has a price. */
  locale: string | null;
  codeLength?: number | undefined;
  captchaToken: string | null;
  /** The device id that the client claims; null where it claims none. */
  claimedDeviceId: string | null;
  /** Keyed hash of the user whose limit is drawn on; null where no server named one. */
  userTag: string | null;
  failureSubjects: FailureSubjects;
  /** UUID under which the very same request may check its CAPTCHA token again. */
  retryKey: string;
  /** null for requests without an idempotency key. */
  claim: IdempotencyClaim | null;
}

/** An idempotency key, already hashed, and the value that claims it for one request. */
export interface IdempotencyClaim {
  key: string;
  value: string;
  /** How long it is held; a session's life where absent. */
  ttlSeconds?: number;
  /** True for a value that an earlier request with this very CAPTCHA token claimed: a network's repetition. */
  repeats(held: string): boolean;
}

/** A request whose message may leave, with everything the message takes when it does. */
export interface AdmittedRequest {
  kind: "admitted";
  reservation: Reservation;
  /** The levels that must have room for it. */
  levels: Level[];
  slowStart: ExposurePolicy["slow_start"];
  /** Limits that are drawn on when the message leaves: the number's own, and a ban's probe. */
  limitDraws: LimitDraw[];
  /** Limits that were drawn on already, for a fault of ours to give back. */
  drawn: LimitDraw[];
  /** Routes to send it by, the best first; at least one. */
  routes: Route[];
  claim: TakenResources["claim"];
  /** The caller's own limits, for the RateLimit headers. */
  ownLimits: LimitResult[];
  /** Seen on the way, for the counters. */
  observed: CounterEntry[];
  verdict: VerdictSummary;
  trail: AdmissionTrail;
}

/** A refused request that is to look like a send to whoever asked. */
export interface DecoyRequest extends Pick<AdmittedRequest, "ownLimits" | "observed" | "verdict" | "trail"> {
  kind: "decoy";
}

/** A request whose idempotency key an earlier one holds. */
export interface RepeatedRequest {
  kind: "replay";
  /** The value that the earlier request claimed the key with. */
  held: string;
  trail: AdmissionTrail;
  /** The repetition's own draws on its caller's limits: it is no request of its own. */
  giveBack: TakenResources;
}

/**
 * The part of a refused request that is given back: its place under the idempotency key, so that it can be tried again.
 *
 * @param limitDraws that are given back too, where the fault is ours
 */
export const claimToGiveBack = (
  { claim }: Pick<AdmissionRequest, "claim">,
  limitDraws: readonly LimitDraw[] = [],
): TakenResources => ({ reservation: null, limitDraws, claim });

export type AdmissionResult = AdmittedRequest | DecoyRequest | RepeatedRequest | Refused;
