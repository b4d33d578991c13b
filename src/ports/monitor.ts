/** The monitor's counters, its memory between runs, and its alerts. */
import type { Alert } from "../domain/monitor/alert.ts";
import type { AlertChannel } from "../domain/monitor/alerts.policy.ts";
import type { History, QuarterTally } from "../domain/monitor/history.ts";
import type { MonitorMemory } from "../domain/monitor/monitor-memory.ts";
import type { CounterUpdate, Dimension, MinuteTally, Tally } from "../domain/monitor/tally.ts";
import type { Unavailable, WriteResult } from "./result.ts";

/** Counts of the traffic, minute by minute. */
export interface CountersPort {
  /** Adds entries to their minutes in one round trip; the subjects of one minute are bounded (see tally.ts). */
  count(updates: readonly CounterUpdate[]): Promise<void>;
  /**
   * Adds entries with the next ones that are counted here, or after some seconds by themselves: for what is plenty and costs
   * nobody anything, such as refusals. This place's own reads see them.
   */
  countSoon(updates: readonly CounterUpdate[]): Promise<void>;
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
  /** Sums since the beginning of the dimensions `overall`, `provider`, `channel` and `flow`. */
  totals(): Promise<{ kind: "answered"; tally: Tally } | Unavailable>;
  /** Counts an outcome once for its proof. @returns false for one that was counted before */
  claimOutcome(proofId: string, type: string): Promise<boolean | Unavailable>;
}

/** The monitor's memory from run to run; one run at a time has it. */
export interface MonitorStatePort {
  /** Takes the run, unless another has it, and reads what the last one left. */
  begin(
    nowMs: number,
  ): Promise<
    | { kind: "begun"; memory: MonitorMemory | null; history: History | null; sameTime: QuarterTally[] }
    | { kind: "busy" }
    | Unavailable
  >;
  /** Keeps the memory, and where a quarter was folded the history and the quarter; frees the run. */
  end(kept: {
    memory: MonitorMemory;
    history: History | null;
    quarter: QuarterTally | null;
  }): Promise<WriteResult>;
  /** Reads the memory that the last run left, for operators. */
  look(): Promise<{ kind: "answered"; memory: MonitorMemory | null; history: History | null } | Unavailable>;
  /** Quarters of an hour from `from` to `to` (since 1970), as far as they are kept. */
  quarters(from: number, to: number): Promise<{ kind: "answered"; quarters: QuarterTally[] } | Unavailable>;
}

/** Alerts on their way to people; the queue sees that they arrive. */
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
