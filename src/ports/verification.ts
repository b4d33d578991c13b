/** Everything that a typed code teaches the store. */
import type { LimitDraw } from "../domain/admission/limits.ts";
import type { Reservation } from "../domain/admission/reservation.ts";
import type { CounterUpdate } from "../domain/monitor/tally.ts";

/** A right code. */
export interface VerifiedCode {
  /** Keyed hash of the number, which is known from now on. */
  numberTag: string;
  /** Keyed hashes whose wrong codes are forgotten. */
  failureTags: readonly string[];
  /**
   * The number's limit, whose waits are freed: what its shorter windows counted, the longest alone counts from now on. Nothing
   * for a limit of one window. null where the number could not be read.
   */
  numberLimit: LimitDraw | null;
  /**
   * The reservation of the verified message: its units come back and its levels earn, once. null where the session kept none.
   */
  reservation: Reservation | null;
  /** Those of the session's other messages, which come back too and earn nothing: one code earns once. */
  otherReservations: readonly Reservation[];
  updates: readonly CounterUpdate[];
}

/** What the store learns behind the answer to a code. */
export interface VerificationsPort {
  /** All of it or nothing: a credit is never lost after its reservation's mark is gone. */
  verified(code: VerifiedCode): Promise<void>;
  /** Counts a wrong code against its subjects, and in the counters. */
  failed(failureTags: readonly string[], updates: readonly CounterUpdate[]): Promise<void>;
}
