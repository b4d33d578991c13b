/**
 * What is asked about a request, and taken for it, before its message leaves: limits, its place under an idempotency key,
 * its CAPTCHA, exposure and money.
 */
import type { ApiKey } from "../domain/access/api-key.ts";
import type { ExposurePolicy } from "../domain/admission/exposure.policy.ts";
import type { Level, LevelReading } from "../domain/admission/exposure.ts";
import type { LimitDraw, LimitResult } from "../domain/admission/limits.ts";
import type { Reservation } from "../domain/admission/reservation.ts";
import type { Source } from "../domain/admission/source.ts";
import type { SpendMeter, SpendReading } from "../domain/delivery/money.ts";
import type { Unavailable } from "./result.ts";

/**
 * Who asks. Of a public client, what the platform (never the client itself) says; of a server that showed an API key, its
 * end user as the server says.
 */
export interface Caller extends Source {
  /** null for public clients. */
  server: Omit<ApiKey, "name"> | null;
}

export interface LimitsPort {
  /** Draws on all limits in one round trip. */
  take(takes: readonly LimitDraw[]): Promise<{ kind: "answered"; results: LimitResult[] } | Unavailable>;
  /** Gives back what was drawn. */
  refund(takes: readonly LimitDraw[]): Promise<void>;
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

export interface ReservationRequest {
  /** Every level that must have room for the hold's weight. */
  levels: readonly Level[];
  hold: Reservation;
  slowStart: ExposurePolicy["slow_start"];
}

export type ReservationResult =
  | { kind: "granted"; meters: SpendReading[] }
  | { kind: "exhausted"; level: string }
  | { kind: "capped"; meter: SpendMeter }
  | Unavailable;

/** Exposure budgets and spend meters. */
export interface BudgetsPort {
  /** What the levels hold, and what the meters have run up to. */
  read(
    levels: readonly Level[],
    meters: readonly SpendMeter[],
  ): Promise<{ kind: "answered"; readings: LevelReading[]; totals: number[] } | Unavailable>;
  /** Takes from every level and every meter, or from none: 500 at once into room for 5 let 5 through. */
  reserve(reservation: ReservationRequest): Promise<ReservationResult>;
  /** Gives back what was taken for a message that never left; nothing, if the reservation never came about. */
  release(hold: Reservation): Promise<void>;
  /**
   * Books a verification: the units come back and the levels have earned. Those of the session's other messages come back
   * too, and earn nothing: one answer earns once, however many messages it took.
   */
  credit(hold: Reservation, others?: readonly Reservation[]): Promise<void>;
}
