/** What one rule did with one trace. The JSON of `--json` has exactly these names. */
import type { Posture } from "../../../src/domain/kernel/posture.ts";

interface CountryReport {
  people: number;
  lost: number;
  known: number;
  known_lost: number;
}

/** People of one kind, and how many of them came away with nothing. */
export interface PeopleReport {
  people: number;
  lost: number;
  stranded: number;
}

/** What an attack earned and paid, in micros: see `profitMicros`. */
export interface AttackBooks {
  solved: number;
  addresses: number;
  sims: number;
  profit_micros: number;
}

export interface DetectionReport {
  /** Trace seconds, all of them from `from_seconds` on; null: never. */
  first_alert_seconds: number | null;
  left_before_alert: number | null;
  emergency_seconds: number | null;
  /** Attack messages that had left by then. */
  left_before_emergency: number | null;
  blocked_ranges: { range: string; seconds: number; left_before: number }[];
  posture: { seconds: number; posture: Posture }[];
}

export interface RuleReport {
  rule: string;
  attack: {
    requests: number;
    left: number;
    cost_micros: number;
    leak_percent: number;
    /** Messages that left and were answered by the attacker. */
    answered: number;
    started_seconds: number | null;
  } & AttackBooks;
  honest: {
    people: number;
    lost: number;
    challenged: number;
    stepped_up: number;
    known: number;
    known_lost: number;
    lost_percent: number;
    requests: number;
    left: number;
    answered: number;
    cost_micros: number;
    by_country: Record<string, CountryReport>;
    /** People whose message was lost on the way and who were refused another one. */
    stranded: number;
    stranded_percent: number;
    /** People who asked on the very device that verified their number, and those known by their number alone. */
    own_device: PeopleReport;
    known_number: PeopleReport;
    /** Lost and stranded people by the reasons of their last refusal; one person may count under several. */
    stopped_by: Record<string, number>;
  };
  /** Why requests were refused, by the rule's own names: how many. */
  refusals: { attack: Record<string, number>; honest: Record<string, number> };
  /** Which of the rule's reasons stood behind requests without a message, where it tells them: how many. */
  reasons: { attack: Record<string, number>; honest: Record<string, number> };
  detection: DetectionReport;
}

/** One line of `--json`. */
export interface LabReport {
  trace: string;
  from_seconds: number;
  rules: RuleReport[];
}

/** `part` of `whole` in percent, to two decimals; 0 of nothing. */
export const percent = (part: number, whole: number): number =>
  whole === 0 ? 0 : Math.round((part / whole) * 10_000) / 100;
