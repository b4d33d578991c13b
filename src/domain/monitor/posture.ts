import { POSTURES, type Posture, postureRank } from "../kernel/posture.ts";
import { MINUTE_MS } from "../kernel/time.ts";
import type { RatioReading } from "./cohorts.ts";
import type { Finding } from "./finding.ts";
import type { MonitorPolicy } from "./monitor.policy.ts";
import type { PosturePolicy, PostureRules } from "./postures.policy.ts";

/** The control document, with the posture that every location acts on. No document means normal. */
export interface PostureControls {
  posture: Posture;
  since_ms: number;
  until_ms: number;
  by: "cron" | "operator";
  /** The operator's name. */
  who?: string | undefined;
  why: string;
  /** An operator lets sending go on over the spend caps for as long as this document lives. */
  caps_lifted?: boolean | undefined;
  /** An operator lets no more than this many messages out in a minute. */
  max_per_minute?: number | undefined;
  /** An operator judged all messages up to here (ms) and lowered the posture: the monitor counts later ones only. */
  judged_ms?: number | undefined;
  /** false for a throttle alone: the monitor goes on deciding on the posture. */
  holds_posture?: boolean | undefined;
  /** The time since which the monitor has found nothing; null while it does. */
  healthy_since_ms: number | null;
}

/** A decision on the control document: keep it, write a new one, or clear it. */
export type ControlDecision =
  | { kind: "keep" }
  | { kind: "write"; document: PostureControls }
  | { kind: "clear" };

/** The rules that a posture adds to the policy; null in `normal`. A shutdown has the rules of an emergency. */
export function postureRules(posture: Posture, postures: PosturePolicy): PostureRules | null {
  if (posture === "normal") return null;
  return posture === "elevated" ? postures.elevated : postures.emergency;
}

/** The posture that the worst of the findings asks for; `normal` where all of them only notify people. */
export function postureFromFindings(findings: readonly Finding[]): Posture {
  if (findings.some(({ severity }) => severity === "emergency")) return "emergency";
  return findings.some(({ severity }) => severity === "elevated") ? "elevated" : "normal";
}

/** The grounds of the next posture. */
export interface PostureEvidence {
  findings: readonly Finding[];
  /** The overall conversion of the window. */
  reading: RatioReading;
}

/**
 * The monitor's next decision on the posture: raised at once to what the findings ask for, extended while they ask for as
 * much, and lowered by one step after enough healthy minutes; an elevated finding never lowers an emergency early. An
 * operator's posture stays until it ends or is taken back: operators always win over the monitor.
 *
 * A minute is healthy when nothing asks for the posture and at least one message of the window was verified. Without a single
 * verification nothing shows that the attack is over, so healthy time starts again; nothing shows that it goes on either, so
 * the posture is not extended and ends with its hour.
 *
 * @param current the control document that is effective, whoever wrote it; null or ended for none
 */
export function nextPosture(
  current: PostureControls | null,
  { findings, reading }: PostureEvidence,
  policy: MonitorPolicy,
  nowMs: number,
): ControlDecision {
  const running = current !== null && nowMs < current.until_ms ? current : null;
  if (running?.by === "operator") return { kind: "keep" };
  const asked = postureFromFindings(findings);
  const untilMs = nowMs + policy.flag_seconds * 1000;
  if (asked !== "normal" && postureRank(asked) >= postureRank(running?.posture ?? "normal")) {
    return {
      kind: "write",
      document: {
        posture: asked,
        since_ms: running?.posture === asked ? running.since_ms : nowMs,
        until_ms: untilMs,
        by: "cron",
        why: findings.find(({ severity }) => severity === asked)?.says ?? "",
        healthy_since_ms: null,
      },
    };
  }
  if (running === null) return { kind: "keep" };
  if (reading.verified === 0) {
    if (running.healthy_since_ms === null) return { kind: "keep" };
    return { kind: "write", document: { ...running, healthy_since_ms: null } };
  }
  if (running.healthy_since_ms === null) {
    return { kind: "write", document: { ...running, healthy_since_ms: nowMs } };
  }
  if (nowMs - running.healthy_since_ms < policy.clear_after_minutes * MINUTE_MS) return { kind: "keep" };
  const lower = POSTURES[postureRank(running.posture) - 1] ?? "normal";
  if (lower === "normal") return { kind: "clear" };
  return {
    kind: "write",
    document: {
      ...running,
      posture: lower,
      since_ms: nowMs,
      until_ms: untilMs,
      why: `nothing asked for ${running.posture} for ${policy.clear_after_minutes} minutes; before: ${running.why}`,
      healthy_since_ms: asked === lower ? null : nowMs,
    },
  };
}
