import type { RouteOverride } from "../../domain/delivery/route-overrides.ts";
import type { Posture } from "../../domain/kernel/posture.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { EffectiveBan } from "../../domain/monitor/ban.ts";
import { findPause, type Pause } from "../../domain/monitor/pause.ts";
import { postureRules } from "../../domain/monitor/posture.ts";
import type { PostureRules } from "../../domain/monitor/postures.policy.ts";
import type { Deps } from "../../ports/deps.ts";

/** What this place acts on now. */
export interface EffectiveControl {
  posture: Posture;
  /** What the posture asks beside the policy; null when it asks nothing more. */
  rules: PostureRules | null;
  /** An operator lifted the spend caps. */
  capsLifted: boolean;
  /** An operator's throttle: messages of the whole service in a minute. */
  maxPerMinute: number | null;
  /** Ranges, networks and addresses that are shut to strangers, or where they are challenged. */
  blocks: readonly EffectiveBan[];
  /** What people stopped for everybody. */
  pauses: readonly Pause[];
  /** What people said of routes; it wins over the policy. */
  routes: readonly RouteOverride[];
}

/** Reads the control documents; one that has ended counts no more. */
export async function readEffectiveControl({ control, policy, nowMs }: Deps): Promise<EffectiveControl> {
  const { document, blocks, pauses, routes } = await control.read();
  const running = document !== null && nowMs() < document.until_ms ? document : null;
  const posture = running?.posture ?? "normal";
  return {
    posture,
    rules: postureRules(posture, policy.postures),
    capsLifted: running?.caps_lifted === true,
    maxPerMinute: running?.max_per_minute ?? null,
    blocks,
    pauses,
    routes,
  };
}

/** How long a client waits before it asks again whether people have let sending go on. */
const PAUSED_SECONDS = 300;

export const refuseShutdown = ({ posture }: EffectiveControl): Refusal | null =>
  posture === "shutdown"
    ? { kind: "sending_paused", cause: "shutdown", retryAfterSeconds: PAUSED_SECONDS }
    : null;

export function refusePaused(
  { pauses }: EffectiveControl,
  place: { country: string; flow: string },
  nowMs: number,
): Refusal | null {
  const paused = findPause(pauses, place, nowMs);
  return (
    paused && {
      kind: "sending_paused",
      cause: `${paused.kind} paused`,
      retryAfterSeconds: PAUSED_SECONDS,
    }
  );
}
