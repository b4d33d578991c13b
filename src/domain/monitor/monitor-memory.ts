/** The monitor's memory from one minute to the next, composed of its parts' memories. */
import type { Posture } from "../kernel/posture.ts";
import { HOUR_MS } from "../kernel/time.ts";
import type { AlertMemory, HourlyAlertCount } from "./alert.ts";
import type { BanMemory } from "./ban.ts";
import type { QuarterPoint } from "./history.ts";
import { type IncidentMemory, NO_INCIDENT_SUMS } from "./incident.ts";

export interface MonitorMemory extends IncidentMemory {
  /** The time (ms) at which the last run that could read its counters was due. */
  lastRunMs: number;
  /** The failures of the last run, in words, for the next run's finding; empty when it had none. */
  lastFailure: string;
  /** The last quarter of an hour that was folded into the history. */
  foldedTo: number;
  told: AlertMemory;
  hour: HourlyAlertCount;
  blocked: BanMemory;
  /** The last day's quarters of an hour that are over; absent in memories of older versions. */
  day?: readonly QuarterPoint[] | undefined;
  /** The posture that was notified last; absent before the first notification, which means normal. */
  postureTold?: Posture | undefined;
}

/** The memory of a monitor that never ran: it is not late, and catches up as far back as the counters reach. */
export const initialMonitorMemory = (nowMs: number): MonitorMemory => ({
  lastRunMs: nowMs,
  lastFailure: "",
  foldedTo: 0,
  incident: null,
  told: {},
  hour: { hour: Math.floor(nowMs / HOUR_MS), sent: 0, heldBack: 0 },
  blocked: {},
  countedTo: 0,
  settled: NO_INCIDENT_SUMS,
});
