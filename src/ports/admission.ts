/** Everything a request is judged by and pays with before its message leaves: limits, idempotency keys, CAPTCHA, budgets. */
import type { ApiKey } from "../domain/access/api-key.ts";
import type { ExposurePolicy } from "../domain/admission/exposure.policy.ts";
import type { Level, LevelReading } from "../domain/admission/exposure.ts";
import type { LimitDraw, LimitResult } from "../domain/admission/limits.ts";
import type { Reservation } from "../domain/admission/reservation.ts";
import type { Source } from "../domain/admission/source.ts";
import type { SpendMeter, SpendReading } from "../domain/delivery/money.ts";
import type { Unavailable } from "./result.ts";

/**
 * The sender of a request. A public client is described by the platform and never by itself; the end user of a server that
 * showed an API key is described by that server.
 */
export interface Caller extends Source {
  /** null for public clients. */
  server: Omit<ApiKey, "name"> | null;
}

/** Rate limits. */
export interface LimitsPort {
  /** Draws on all limits in one round trip. @returns the results in the order of the draws */
  take(draws: readonly LimitDraw[]): Promise<{ kind: "answered"; results: LimitResult[] } | Unavailable>;
  /** Gives back what was drawn. */
  refund(draws: readonly LimitDraw[]): Promise<void>;
  /**
   * Frees the waits of an exact limit whose messages were answered: what its shorter windows counted, the longest alone counts
   * from now on. Nothing for a limit of one window.
   */
  freeWaits(draw: LimitDraw): Promise<void>;
}

/** Idempotency keys, each claimed for the first request that brings it. */
export interface IdempotencyClaimsPort {
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
}

/** Granted with the meters as they stand now, or refused by the first level or meter that has no room. */
export type ReservationResult =
  | { kind: "granted"; meters: SpendReading[] }
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
  /** Takes from every level and every meter, or from none: 500 at once into room for 5 let 5 through. */
  reserve(request: ReservationRequest): Promise<ReservationResult>;
  /**
   * Draws on one spend meter for something that is paid for at once and never given back: all of the amount or nothing.
   *
   * @returns granted with the meter as it stands now; capped where it has no room
   */
  spend(meter: SpendMeter): Promise<{ kind: "granted"; total: number } | { kind: "capped" } | Unavailable>;
  /** Gives back what was taken for a message that never left; nothing, if the reservation never came about. */
  release(reservation: Reservation): Promise<void>;
  /**
   * Credits a verification: the units come back and the levels have earned. Those of the session's other messages come back
   * too, and earn nothing: one code earns once, however many messages it took.
   */
  credit(reservation: Reservation, others?: readonly Reservation[]): Promise<void>;
}
