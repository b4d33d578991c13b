import type { LevelReadings } from "./exposure.ts";
import type { SourceFinding } from "./source.ts";

/** Everything that is known of a request when it is decided on. */
export interface Signals {
  source: SourceFinding[];
  readings: LevelReadings;
  /** The number verified before. Anybody can name one. */
  numberKnown: boolean;
  /** The number verified for the first time within `exposure.growth.fresh_days`, or never. */
  freshNumber: boolean;
  /** The request comes from a device that verified this very number. */
  ownDevice: boolean;
  /** The challenge this request brought: none or not needed, an ordinary one, or one solved after we demanded it. */
  challenge: "none" | "ordinary" | "fresh";
  /** Demands a fresh challenge of every stranger; null where neither policy nor posture does. */
  challengeDemanded: "policy" | "posture" | null;
  /** Distinct numbers its address asked for, in the longest window of `limits.numbers_per_ip`. */
  distinctNumbers: number;
  /** This number was asked for and refused, and `exposure.returned.after_seconds` have passed. */
  returned: boolean;
  /**
   * Seconds to wait after too many wrong codes in a row, 0 for none. Strangers' wrong codes are counted apart from those of
   * the owner's own device.
   */
  failedAttemptsWaitSeconds: number;
  /** Nobody will say whether the code of this flow was typed; absent where somebody does. */
  unreported?: boolean;
  /** Factors the flow permits. */
  factors: readonly string[];
  /** The ban on its range, network or address; with `probe` this request may pass to see whether it converts. */
  block: { subject: string; by: string; probe: boolean } | null;
  /** The operator's challenge of its range, network or address. */
  challenged: { subject: string; by: string } | null;
  /** The posture's rule for prefixes in which nobody ever verified. */
  unknownRanges: "as_usual" | "challenge" | "stop";
}
