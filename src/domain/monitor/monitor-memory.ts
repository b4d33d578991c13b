/** What the watch remembers from one minute to the next. */

import type { Posture } from "../kernel/posture.ts";
import type { DayPoint } from "./day.ts";
import { type Incident, type IncidentSums, NO_INCIDENT_SUMS } from "./incident.ts";

export interface MonitorMemory {
  /** When the last run that saw its counters was due (ms). */
  lastRunMs: number;
  /** What failed in it, for the next run to tell; empty when all went well. */
  lastFailure: string;
  /** The last quarter of an hour that was folded into the history. */
  foldedTo: number;
  incident: Incident | null;
  /** What was told when, by dedup key: nobody hears of the same thing twice in an hour. */
  told: Readonly<Record<string, { atMs: number; severity: string }>>;
  /** Alerts of this hour, and those held back. */
  hour: { hour: number; sent: number; heldBack: number };
  /** How often and when last each subject was blocked, for longer blocks when it comes back. */
  blocked: Readonly<Record<string, { times: number; lastMs: number }>>;
  /** The minute up to which the open incident's sums are settled, and what they come to; later minutes may still get answers. */
  countedTo: number;
  settled: IncidentSums;
  /** The quarters of the last day that are over, so that people see it at a glance; absent in what older versions left. */
  day?: readonly DayPoint[] | undefined;
  /** The posture that was told last; absent where none was, which is normal. */
  postureTold?: Posture | undefined;
}

/** What a watch that never ran remembers: it is not late, and has the reach of the counters to catch up with. */
export const initialMonitorMemory = (nowMs: number): MonitorMemory => ({
  lastRunMs: nowMs,
  lastFailure: "",
  foldedTo: 0,
  incident: null,
  told: {},
  hour: { hour: Math.floor(nowMs / 3_600_000), sent: 0, heldBack: 0 },
  blocked: {},
  countedTo: 0,
  settled: NO_INCIDENT_SUMS,
});
