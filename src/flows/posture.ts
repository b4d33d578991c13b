import type { Block } from "../domain/watch/block.ts";
import type { Pause } from "../domain/watch/pause.ts";
import { type PostureRules, rulesOf } from "../domain/watch/posture.ts";
import type { Deps, Posture } from "../ports.ts";

/** What this place acts on now. */
export interface Standing {
  posture: Posture;
  /** What the posture asks beside the policy; null when it asks nothing more. */
  rules: PostureRules | null;
  /** An operator lifted the spend caps. */
  capsLifted: boolean;
  /** An operator's throttle: messages of the whole service in a minute. */
  maxPerMinute: number | null;
  /** Ranges, networks and addresses that are shut to strangers. */
  blocks: readonly Block[];
  /** What people stopped for everybody. */
  pauses: readonly Pause[];
}

/** Reads the control documents; one that has ended counts no more. */
export async function currentStanding({ control, policy, nowMs }: Deps): Promise<Standing> {
  const { document, blocks, pauses } = await control.read();
  const running = document !== null && nowMs() < document.until_ms ? document : null;
  const posture = running?.posture ?? "normal";
  return {
    posture,
    rules: rulesOf(posture, policy.postures),
    capsLifted: running?.caps_lifted === true,
    maxPerMinute: running?.max_per_minute ?? null,
    blocks,
    pauses,
  };
}
