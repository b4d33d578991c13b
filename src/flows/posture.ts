import type { ControlPort, Posture } from "../ports.ts";

/** What this place acts on now. */
export interface Standing {
  posture: Posture;
  /** An operator lifted the spend caps. */
  capsLifted: boolean;
}

/** Reads the control document; one that has ended counts no more. */
export async function currentStanding(control: ControlPort, nowMs: number): Promise<Standing> {
  const document = await control.read();
  if (document === null || nowMs >= document.until_ms) return { posture: "normal", capsLifted: false };
  return { posture: document.posture, capsLifted: document.caps_lifted === true };
}
