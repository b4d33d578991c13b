/** What a guard looks like to the lab: the product and its opponents are all played through this. */
import type { Posture } from "../../src/domain/kernel/posture.ts";
import type { TraceEvent } from "./trace.ts";

/** What came of a request. `ref` is the rule's own name for the message that left. */
export type SendOutcome =
  | { kind: "left"; ref: string; costMicros: number }
  /** Wants a fresh CAPTCHA; `orStepUp` when another factor will do instead. */
  | { kind: "challenge"; orStepUp?: boolean; reasons?: readonly string[] }
  /** Offers another channel or factor that costs no message. */
  | { kind: "step_up"; reasons?: readonly string[] }
  /** `reason` is the answer; `reasons` are the rule's own, for its operator. */
  | { kind: "refused"; reason: string; retryAfterSeconds?: number; reasons?: readonly string[] };

/** How the person asks this time. Everyone brings the invisible check along; this is about a fresh challenge. */
interface Attempt {
  freshCaptcha: boolean;
}

/** What an operator would see. The optional readings are plotted where a rule has them. */
export interface Readings {
  posture: Posture;
  /** Alerts raised so far. */
  alerts: number;
  /** Number ranges blocked now. */
  blockedRanges: readonly string[];
  /** Verified per sent over the rule's own window; null while it cannot say. */
  ratio?: number | null;
  /** Units of unanswered messages held against all destinations, and the room there is. */
  exposure?: number;
  exposureRoom?: number;
}

/** A guard. Times are milliseconds since 1970 on the lab's virtual clock and never fall. */
export interface Rule {
  name: string;
  send(event: TraceEvent, attempt: Attempt, nowMs: number): Promise<SendOutcome>;
  /** The right code arrives; false when it is not accepted any more. */
  verified(event: TraceEvent, ref: string, nowMs: number): Promise<boolean>;
  wrongCode?(event: TraceEvent, ref: string, nowMs: number): Promise<void>;
  /** The cron, once every virtual minute. */
  minute?(nowMs: number): Promise<void>;
  /** Read after every minute; cheap. */
  readings(): Readings;
}

/** A part of the product's policy that overrides its defaults. */
export type PolicyPatch = Readonly<Record<string, unknown>>;

/** What a rule may know about the world it is made for. */
export interface RuleSetup {
  /** Start of the trace. */
  startMs: number;
  /** Where learning ends and counting begins. */
  countedFromMs: number;
  policy: PolicyPatch;
  /** For a rule that needs chance: the same seed must give the same report. */
  seed: string;
  /** Price of one message to a country, micros of the lab's currency. */
  priceMicros(country: string): number;
}

export type RuleFactory = (setup: RuleSetup) => Rule | Promise<Rule>;

const QUIET: Readings = { posture: "normal", alerts: 0, blockedRanges: [] };

/** Readings of a rule that never worries. */
export const quietReadings = (): Readings => QUIET;
