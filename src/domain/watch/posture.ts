import type { RatioReading } from "./cohorts.ts";

/** How worried the service is; each step tightens what the edge asks of a stranger. */
export const POSTURES = ["normal", "elevated", "emergency", "shutdown"] as const;
export type Posture = (typeof POSTURES)[number];

/** The control document: one KV value that every place reads. Absent means normal. */
export interface ControlDocument {
  posture: Posture;
  since_ms: number;
  until_ms: number;
  by: "cron" | "operator";
  why: string;
  /** An operator lets sending go on over the spend caps for as long as this document lives. */
  caps_lifted?: boolean | undefined;
  /** Since when the cron has seen nothing wrong; null while it does. */
  healthy_since_ms: number | null;
}

export interface MonitorPolicy {
  window_minutes: number;
  /** Fewer due sends than this say nothing. */
  min_sends: number;
  /** Below this share of answers it is an attack; 60 to 80 % is normal. */
  alarm_ratio: number;
  /** Healthy minutes before the cron takes its own flag down. */
  clear_after_minutes: number;
  flag_seconds: number;
  answer_curve: readonly (readonly [number, number])[];
}

export type ControlDecision =
  | { kind: "keep" }
  | { kind: "write"; document: ControlDocument }
  | { kind: "clear" };

/** True when the reading says that messages are being asked for by nobody. */
export function isAttack(reading: RatioReading, policy: MonitorPolicy): boolean {
  return reading.due > policy.min_sends && reading.ratio !== null && reading.ratio < policy.alarm_ratio;
}

/**
 * The cron's next word on the flag: raise on an attack, extend while it lasts, take down after enough healthy minutes.
 * What an operator set stays until it ends or is taken back: people always win over the cron.
 */
export function nextControl(
  current: ControlDocument | null,
  reading: RatioReading,
  policy: MonitorPolicy,
  nowMs: number,
): ControlDecision {
  const running = current !== null && nowMs < current.until_ms ? current : null;
  if (running?.by === "operator") return { kind: "keep" };
  if (isAttack(reading, policy)) {
    const percent = Math.round((reading.ratio ?? 0) * 100);
    return {
      kind: "write",
      document: {
        posture: "emergency",
        since_ms: running?.since_ms ?? nowMs,
        until_ms: nowMs + policy.flag_seconds * 1000,
        by: "cron",
        why: `${reading.sent} sent, ${reading.verified} verified in ${policy.window_minutes} min: ${percent} % of those due`,
        healthy_since_ms: null,
      },
    };
  }
  if (running === null) return { kind: "keep" };
  const healthySinceMs = running.healthy_since_ms ?? nowMs;
  if (nowMs - healthySinceMs >= policy.clear_after_minutes * 60_000) return { kind: "clear" };
  if (running.healthy_since_ms !== null) return { kind: "keep" };
  return { kind: "write", document: { ...running, healthy_since_ms: healthySinceMs } };
}
