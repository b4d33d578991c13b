import type { ControlPort, Posture } from "../ports.ts";

/** The posture this place acts on now. */
export async function currentPosture(control: ControlPort, nowMs: number): Promise<Posture> {
  const document = await control.read();
  return document !== null && nowMs < document.until_ms ? document.posture : "normal";
}
