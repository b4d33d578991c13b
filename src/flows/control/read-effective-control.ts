import type { RouteOverride } from "../../domain/delivery/route-overrides.ts";
import type { Posture } from "../../domain/kernel/posture.ts";
import type { Refusal } from "../../domain/kernel/refusal.ts";
import type { EffectiveBan } from "../../domain/monitor/ban.ts";
import { findPause, type Pause } from "../../domain/monitor/pause.ts";
import { postureRules } from "../../domain/monitor/posture.ts";
import type { PostureRules } from "../../domain/monitor/postures.policy.ts";
import type { Deps } from "../../ports/deps.ts";

/** The control documents, as they come to at this place and moment. */
export interface EffectiveControl {
  posture: Posture;
  /** The posture's rules over the policy; null where it has none. */
  rules: PostureRules | null;
  /** An operator lifted the spend caps. */
  capsLifted: boolean;
  /** An operator's throttle: messages of the whole service in a minute. */
  maxPerMinute: number | null;
  /** Bans of ranges, networks and addresses, which stop strangers or challenge them. */
  bans: readonly EffectiveBan[];
  /** Countries, flows and providers that operators paused for everybody. */
  pauses: readonly Pause[];
  /** Operators' overrides of the policy's routing. */
  routes: readonly RouteOverride[];
}

export type ControlNeeds = Pick<Deps, "control" | "policy" | "nowMs">;

/** Reads the control documents; one that has ended counts no more. */
export async function readEffectiveControl({
  control,
  policy,
  nowMs,
}: ControlNeeds): Promise<EffectiveControl> {
  const { document, blocks: bans, pauses, routes } = await control.read();
  const running = document !== null && nowMs() < document.until_ms ? document : null;
  const posture = running?.posture ?? "normal";
  return {
    posture,
    rules: postureRules(posture, policy.postures),
    capsLifted: running?.caps_lifted === true,
    maxPerMinute: running?.max_per_minute ?? null,
    bans,
    pauses,
    routes,
  };
}

/** A client asks again after this long whether operators have let sending go on. */
const PAUSED_SECONDS = 300;

/** Refuses every request while the posture is shutdown. */
export const refuseShutdown = ({ posture }: EffectiveControl): Refusal | null =>
  posture === "shutdown"
    ? { kind: "sending_paused", cause: "shutdown", retryAfterSeconds: PAUSED_SECONDS }
    : null;

/** Refuses a request to a country, or of a flow, that operators paused. */
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
