/** Everything a request is judged by and pays with before its message leaves: limits, idempotency keys, CAPTCHA, budgets. */
import type { ApiKey } from "../domain/access/api-key.ts";
import type { ExposurePolicy } from "../domain/admission/exposure.policy.ts";
import type { Level, LevelReading } from "../domain/admission/exposure.ts";
import type { LimitDraw, LimitResult } from "../domain/admission/limits.ts";
import type { Reservation } from "../domain/admission/reservation.ts";
import type { Source } from "../domain/admission/source.ts";
import type { SpendMeter, SpendReading } from "../domain/delivery/money.ts";
import type { Recalled, RecallQuestion } from "./people.ts";
import type { Unavailable } from "./result.ts";

/**
 * The sender of a request. A public client is described by the platform and never by itself; the end user of a server that
 * showed an API key is described by that server.
 */
export interface Caller extends Source {
  /** null for public clients. */
  server: Omit<ApiKey, "name"> | null;
}

/** Everything that admission asks the store about one request, and takes there for it. */
export interface AdmissionQuestion {
  /** Limits to draw on, or to look at only. */
  draws: readonly LimitDraw[];
  /** The idempotency key to claim for `value`; null for a request without one. */
  claim: { key: string; value: string; ttlSeconds: number } | null;
  /** The number and the source to recall; null where it is about nobody, as a strange number is recalled. */
  person: RecallQuestion | null;
  /** Budgets to read, and spend meters. */
  levels: readonly Level[];
  meters: readonly SpendMeter[];
}

/** The store's answer. */
interface AdmissionAnswer {
  kind: "answered";
  /** In the order of the draws. */
  limits: LimitResult[];
  /** The value that holds the idempotency key: ours, or that of the request that came first; null without a key. */
  held: string | null;
  recalled: Recalled;
  /** In the order of the levels. */
  readings: LevelReading[];
  /** In the order of the meters. */
  totals: number[];
}

/** Everything that a request took of the store and can give back. */
export interface TakenFromStore {
  /** Given back once, and only if it was really taken. */
  reservation: Reservation | null;
  /** The very draws that were handed in. */
  draws: readonly LimitDraw[];
  /** Freed where `value` holds it. */
  claim: { key: string; value: string } | null;
  /** Keyed hash of number and address: the demand for a challenge is remembered under it, the first one of its life. */
  askTag: string | null;
}

/** The store, as it stands at the beginning and at an early end of a request. */
export interface AdmissionPort {
  /** False while the store's answers come near their deadline: a new request would wait in vain, and make others wait. */
  mayAsk(): boolean;
  /** Draws, claims, recalls and reads in one round trip; all of it is answered, or it is unavailable. */
  ask(question: AdmissionQuestion): Promise<AdmissionAnswer | Unavailable>;
  /** Ends a request from which no message left: gives back what it took, and remembers what was asked of the person. */
  giveBack(taken: TakenFromStore): Promise<void>;
}

/** Rate limits outside of admission. */
export interface LimitsPort {
  /** Draws on all limits in one round trip. @returns the results in the order of the draws */
  take(draws: readonly LimitDraw[]): Promise<{ kind: "answered"; results: LimitResult[] } | Unavailable>;
}

/** The issuer's answer about a CAPTCHA token. */
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

/** The issuer of CAPTCHA tokens. */
export interface ChallengePort {
  /**
   * Checks a CAPTCHA token with its issuer.
   * @param retryKey a UUID under which the same request may check the same token again
   */
  verify(token: string, ip: string, retryKey: string): Promise<ChallengeResult>;
}

/** Room and money for one message. */
export interface ReservationRequest {
  /** Every level that must have room for the message's weight. */
  levels: readonly Level[];
  reservation: Reservation;
  slowStart: ExposurePolicy["slow_start"];
  /** Limits that the message draws on as it leaves. */
  limitDraws: readonly LimitDraw[];
}

/** Granted with the meters as they stand now, or refused by the tightest limit or the first level or meter without room. */
export type ReservationResult =
  | { kind: "granted"; meters: SpendReading[] }
  | { kind: "limited"; limit: LimitResult }
  | { kind: "exhausted"; level: string }
  | { kind: "capped"; meter: SpendMeter }
  | Unavailable;

/** Exposure budgets and spend meters. */
export interface BudgetsPort {
  /** Reads the levels, and the meters' totals in their order. */
  read(
    levels: readonly Level[],
    meters: readonly SpendMeter[],
  ): Promise<{ kind: "answered"; readings: LevelReading[]; totals: number[] } | Unavailable>;
  /** Takes from every limit, level and meter, or from none: 500 at once into room for 5 let 5 through. */
  reserve(request: ReservationRequest): Promise<ReservationResult>;
  /**
   * Draws on one spend meter for something that is paid for at once and never given back: all of the amount or nothing.
   *
   * @returns granted with the meter as it stands now; capped where it has no room
   */
  spend(meter: SpendMeter): Promise<{ kind: "granted"; total: number } | { kind: "capped" } | Unavailable>;
}
