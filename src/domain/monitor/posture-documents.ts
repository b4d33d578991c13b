import type { Posture } from "../kernel/posture.ts";
import type { ControlDocuments } from "./effective-control.ts";
import type { ControlDocument } from "./posture.ts";

/** The posture documents that have not ended, and the posture they come to. */
export interface PostureDocuments {
  operator: ControlDocument | null;
  cron: ControlDocument | null;
  posture: Posture;
}

/**
 * The documents that have not ended. A document that cannot be read counts as an emergency, as in every place that sends,
 * unless people hold the posture.
 */
export function postureDocumentsOf(
  { operator, cron, faults }: Pick<ControlDocuments, "operator" | "cron" | "faults">,
  nowMs: number,
): PostureDocuments {
  const running = (document: ControlDocument | null) =>
    document !== null && nowMs < document.until_ms ? document : null;
  const [people, monitor] = [withEffect(running(operator)), running(cron)];
  const unread = faults.length > 0 && monitor?.posture !== "shutdown";
  const others = unread ? "emergency" : (monitor?.posture ?? "normal");
  const held = people !== null && people.holds_posture !== false ? people.posture : null;
  return { operator: people, cron: monitor, posture: held ?? others };
}

/** A document that only notes up to when people have judged has no effect but on the monitor. */
const withEffect = (document: ControlDocument | null): ControlDocument | null =>
  document?.holds_posture === false && document.max_per_minute === undefined && !document.caps_lifted
    ? null
    : document;
