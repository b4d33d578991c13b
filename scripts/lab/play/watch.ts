/** Watches a rule's readings minute by minute: when it noticed, and what had left by then. */

import type { Readings } from "../rule.ts";
import type { DetectionReport } from "./report.ts";

export interface Watch {
  /** @param attackLeft attack messages that left so far */
  look(atSeconds: number, readings: Readings, attackLeft: number): void;
  detection: DetectionReport;
}

/** Only what happens from `fromSeconds` on is detection; an alert that was raised before does not count. */
export function watchReadings(fromSeconds: number): Watch {
  const detection: DetectionReport = {
    first_alert_seconds: null,
    left_before_alert: null,
    emergency_seconds: null,
    left_before_emergency: null,
    blocked_ranges: [],
    posture: [],
  };
  const seenRanges = new Set<string>();
  let oldAlerts = 0;
  return {
    detection,
    look(atSeconds, { posture, alerts, blockedRanges }, attackLeft) {
      if (atSeconds < fromSeconds) {
        oldAlerts = alerts;
        return;
      }
      if (alerts > oldAlerts && detection.first_alert_seconds === null) {
        detection.first_alert_seconds = atSeconds;
        detection.left_before_alert = attackLeft;
      }
      const worst = posture === "emergency" || posture === "shutdown";
      if (worst && detection.emergency_seconds === null) {
        detection.emergency_seconds = atSeconds;
        detection.left_before_emergency = attackLeft;
      }
      if (detection.posture.at(-1)?.posture !== posture)
        detection.posture.push({ seconds: atSeconds, posture });
      for (const range of blockedRanges) {
        if (seenRanges.has(range)) continue;
        seenRanges.add(range);
        detection.blocked_ranges.push({ range, seconds: atSeconds, left_before: attackLeft });
      }
    },
  };
}
